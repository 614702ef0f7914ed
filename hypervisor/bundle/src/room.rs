//! Whether RAM is enough for what a bundle asks for: all of it is taken as boot takes it, in its order.

use core::fmt;

use portcullis_abi::bundle::MEMORY_UNIT;
use portcullis_abi::map::FLASH_BANK;
use portcullis_board::Regions;
use portcullis_board::vm_memory::{self, Banks};

use crate::Bundle;
use crate::links::Source;

/// Who asks for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// The VM of this name, for its RAM.
    Vm(&'a str),
    /// The VM of this name, for its flash.
    Flash(&'a str),
    /// The VM of this name, for the images that it gets.
    Store(&'a str),
    /// The memory of this name that VMs share.
    Shared(&'a str),
    /// The disk of this name, whose bytes are in RAM.
    Disk(&'a str),
}

/// Memory that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom<'a> {
    /// Who asks for it.
    pub who: Who<'a>,
    /// Bytes that are asked for; of flash each bank is in one piece, of anything else all of them.
    pub wanted: u64,
    /// Bytes that are left.
    pub left: u64,
}

impl fmt::Display for NoRoom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, left) = (self.wanted >> 20, self.left >> 20);
        match self.who {
            Who::Vm(name) => write!(f, "{name} wants {wanted} MiB of memory in one piece; {left} MiB are free in all"),
            Who::Flash(name) => write!(
                f,
                "{name}: its flash wants {wanted} MiB of memory, each bank in one piece; {left} MiB are free in all"
            ),
            Who::Store(name) => {
                write!(f, "{name}: its store wants {wanted} MiB of memory in one piece; {left} MiB are free in all")
            }
            Who::Shared(name) => {
                write!(f, "shared memory '{name}' wants {wanted} MiB in one piece; {left} MiB are free in all")
            }
            Who::Disk(name) => write!(f, "disk '{name}' wants {wanted} MiB in one piece; {left} MiB are free in all"),
        }
    }
}

/// Takes out of the `free` RAM what VMs share, the disks that are in RAM, and then each VM's own.
///
/// # Errors
///
/// The first that is not there.
pub fn take<'a>(bundle: &Bundle<'a>, free: &mut Regions) -> Result<(), NoRoom<'a>> {
    for memory in bundle.shared_memory() {
        let wanted = memory.taken();
        let none = NoRoom { who: Who::Shared(memory.name), wanted, left: free.free() };
        vm_memory::take(free, wanted, false).ok_or(none)?;
    }
    for disk in bundle.disks() {
        let Source::Scratch(size) = disk.source else { continue };
        let wanted = size.checked_next_multiple_of(MEMORY_UNIT).unwrap_or(u64::MAX);
        let none = NoRoom { who: Who::Disk(disk.name), wanted, left: free.free() };
        vm_memory::take(free, wanted, false).ok_or(none)?;
    }
    for vm in bundle.vms() {
        let none = NoRoom { who: Who::Vm(vm.name), wanted: vm.memory, left: free.free() };
        vm_memory::take(free, vm.memory, vm.settings.trust_dma).ok_or(none)?;
        if let Some(store) = vm.store.filter(|store| *store != 0) {
            let none = NoRoom { who: Who::Store(vm.name), wanted: store, left: free.free() };
            vm_memory::take(free, store, false).ok_or(none)?;
        }
        let Some([first, _]) = vm.flash else { continue };
        let first = first.map_or(0, |file| file.len() as u64);
        let none = NoRoom { who: Who::Flash(vm.name), wanted: Banks::size(first, FLASH_BANK), left: free.free() };
        Banks::take(free, first, FLASH_BANK).ok_or(none)?;
    }
    Ok(())
}
