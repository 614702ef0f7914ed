//! A wire of the bundle: from a line of one VM to a line of another.

use portcullis_abi::{bundle, map};
use portcullis_tree::Node;

use super::{LinkError, cells, name};
use crate::property::utf8;

/// A wire, each part of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire<'a> {
    /// Its name.
    pub name: &'a str,
    /// Who drives it.
    pub from: WireEnd,
    /// Who sees what is driven.
    pub to: WireEnd,
}

/// An end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireEnd {
    /// Number of the VM.
    pub vm: usize,
    /// Line of its GPIO controller, below [`map::GPIO_LINES`].
    pub line: usize,
}

impl<'a> Wire<'a> {
    /// Reads the node of a wire in a bundle with so many VMs.
    pub(crate) fn parse(node: &Node<'a>, vms: usize) -> Result<Self, LinkError> {
        let (mut from, mut to) = (None, None);
        for property in node.properties() {
            let (end, key) = match utf8(property.name()) {
                bundle::FROM => (&mut from, bundle::FROM),
                bundle::TO => (&mut to, bundle::TO),
                _ => return Err(LinkError::Unknown),
            };
            *end = Some(WireEnd::parse(key, property.value, vms)?);
        }
        if node.children().next().is_some() {
            return Err(LinkError::Unknown);
        }
        let from = from.ok_or(LinkError::Missing(bundle::FROM))?;
        let to = to.ok_or(LinkError::Missing(bundle::TO))?;
        if from.vm == to.vm {
            return Err(LinkError::Same(from.vm));
        }
        Ok(Self { name: name(node)?, from, to })
    }

    /// Its ends.
    pub const fn ends(&self) -> [WireEnd; 2] {
        [self.from, self.to]
    }

    /// Checks it against those before it.
    pub(crate) fn fits(&self, mut others: impl Iterator<Item = Self>) -> Result<(), LinkError> {
        others.try_for_each(|other| {
            if other.name == self.name {
                return Err(LinkError::Name);
            }
            match self.ends().into_iter().find(|end| other.ends().contains(end)) {
                Some(WireEnd { vm, line }) => Err(LinkError::LineTaken { vm, line }),
                None => Ok(()),
            }
        })
    }
}

impl WireEnd {
    fn parse(key: &'static str, value: &[u8], vms: usize) -> Result<Self, LinkError> {
        let [vm, line] = cells::<2>(key, value)?.map(|cell| cell as usize);
        match (vm < vms, line < map::GPIO_LINES) {
            (false, _) => Err(LinkError::NoVm(vm)),
            (_, false) => Err(LinkError::NoLine(line)),
            _ => Ok(Self { vm, line }),
        }
    }
}
