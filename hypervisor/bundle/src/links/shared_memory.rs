//! Memory that VMs share, in the bundle.

use portcullis_abi::bundle;
use portcullis_tree::{Node, be32};

use super::{LinkError, name};
use crate::property::utf8;

/// Bytes of one sharer: two cells.
const BYTES: usize = 8;

/// Bytes of the state page that each VM has in front of what is shared.
pub const STATE_PAGE: u64 = bundle::PAGE;

/// Bytes that a VM is shown of memory that `sharers` VMs share, `size` bytes beside their state pages.
pub const fn shown(size: u64, sharers: usize) -> u64 {
    STATE_PAGE.saturating_mul(sharers as u64).saturating_add(size)
}

/// Memory that VMs share, each part of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedMemory<'a> {
    /// Its name.
    pub name: &'a str,
    /// Bytes beside the state pages, a multiple of [`bundle::PAGE`].
    pub size: u64,
    /// The guests have it in their caches.
    pub cached: bool,
    sharers: &'a [[u8; BYTES]],
}

/// A VM that shares memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharer {
    /// Its number.
    pub vm: usize,
    /// It may write what is shared; else its own state page alone.
    pub writes: bool,
}

impl<'a> SharedMemory<'a> {
    /// Reads the node in a bundle with so many VMs.
    pub(crate) fn parse(node: &Node<'a>, vms: usize) -> Result<Self, LinkError> {
        let (mut size, mut cached, mut sharers) = (None, false, None);
        for property in node.properties() {
            let value = property.value;
            match utf8(property.name()) {
                bundle::SIZE => {
                    let bytes = value.try_into().map_err(|_| LinkError::Malformed(bundle::SIZE))?;
                    size = Some(u64::from_be_bytes(bytes));
                }
                bundle::CACHED if value.is_empty() => cached = true,
                bundle::SHARERS => match value.as_chunks() {
                    (items, []) => sharers = Some(items),
                    _ => return Err(LinkError::Malformed(bundle::SHARERS)),
                },
                _ => return Err(LinkError::Unknown),
            }
        }
        if node.children().next().is_some() {
            return Err(LinkError::Unknown);
        }
        let size = size.ok_or(LinkError::Missing(bundle::SIZE))?;
        let sharers = sharers.ok_or(LinkError::Missing(bundle::SHARERS))?;
        let memory = Self { name: name(node)?, size, cached, sharers };
        memory.check(vms)?;
        Ok(memory)
    }

    /// Who shares it, in the order of their state pages; each is there once.
    pub fn sharers(&self) -> impl Iterator<Item = Sharer> + use<'a> {
        self.sharers.iter().map(|cells| {
            let [vm, writes] = [0, 4].map(|at| be32(cells, at).unwrap_or(0));
            Sharer { vm: vm as usize, writes: writes != 0 }
        })
    }

    /// Bytes of RAM that it takes: whole blocks.
    pub const fn taken(&self) -> u64 {
        shown(self.size, self.sharers.len()).next_multiple_of(bundle::MEMORY_UNIT)
    }

    fn check(&self, vms: usize) -> Result<(), LinkError> {
        if self.size == 0 || self.size > bundle::SHARED_SIZE_MAX || !self.size.is_multiple_of(bundle::PAGE) {
            return Err(LinkError::Size(self.size));
        }
        if self.sharers.len() < 2 {
            return Err(LinkError::Alone);
        }
        for (place, sharer) in self.sharers().enumerate() {
            if sharer.vm >= vms {
                return Err(LinkError::NoVm(sharer.vm));
            }
            if self.sharers().take(place).any(|other| other.vm == sharer.vm) {
                return Err(LinkError::Same(sharer.vm));
            }
        }
        Ok(())
    }
}
