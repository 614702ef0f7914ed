//! A pair of serial ports of the bundle.

use portcullis_abi::bundle;
use portcullis_tree::Node;

use super::{LinkError, cells, name};
use crate::property::utf8;

/// A pair of serial ports, each part of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial<'a> {
    /// Its name, which both ports have.
    pub name: &'a str,
    /// Numbers of the VMs of both ends, which have a console each.
    pub vms: [usize; 2],
}

impl<'a> Serial<'a> {
    /// Reads the node in a bundle with so many VMs.
    pub(crate) fn parse(node: &Node<'a>, vms: usize) -> Result<Self, LinkError> {
        let mut ends = None;
        for property in node.properties() {
            match utf8(property.name()) {
                bundle::BETWEEN => ends = Some(cells::<2>(bundle::BETWEEN, property.value)?.map(|vm| vm as usize)),
                _ => return Err(LinkError::Unknown),
            }
        }
        if node.children().next().is_some() {
            return Err(LinkError::Unknown);
        }
        let ends = ends.ok_or(LinkError::Missing(bundle::BETWEEN))?;
        if let Some(vm) = ends.into_iter().find(|vm| *vm >= vms) {
            return Err(LinkError::NoVm(vm));
        }
        let [first, second] = ends;
        if first == second {
            return Err(LinkError::Same(first));
        }
        let name = name(node)?;
        if name.starts_with(bundle::RESERVED_PORTS) {
            return Err(LinkError::Name);
        }
        Ok(Self { name, vms: ends })
    }

    /// Checks it against those before it, and its VMs, of which each tells whether it has a console.
    pub(crate) fn fits<I: Iterator<Item = Self>>(
        &self,
        others: impl Fn() -> I,
        has_console: impl Fn(usize) -> bool,
    ) -> Result<(), LinkError> {
        if others().any(|other| other.name == self.name) {
            return Err(LinkError::Name);
        }
        for vm in self.vms {
            if !has_console(vm) {
                return Err(LinkError::NoConsole(vm));
            }
            if others().filter(|other| other.has(vm)).count() >= bundle::SERIAL_PORTS {
                return Err(LinkError::TooMany(bundle::SERIAL_PORTS));
            }
        }
        Ok(())
    }

    /// Whether one of its ports is the VM's with this number.
    pub fn has(&self, vm: usize) -> bool {
        self.vms.contains(&vm)
    }
}
