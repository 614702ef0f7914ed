//! The memory behind a VM's two banks of flash.

use core::sync::atomic::AtomicBool;

use portcullis_abi::map::{FLASH, FLASH_BANK};
use portcullis_arch::{cache, paging};
use portcullis_board::Range;
use portcullis_board::vm_memory::Banks;

use super::Vm;
use crate::memory::stage1;
use crate::memory::stage2::Access;

/// The guest's address of the second bank.
pub const SECOND: u64 = FLASH + FLASH_BANK;

/// What lies behind the flash of a VM. It keeps what it holds while the VM starts again, as flash does.
#[derive(Debug)]
pub struct Flash {
    /// Where the cells of its banks are.
    pub banks: Banks,
    /// The cells hold what the VM's files have, or what the VM has made of it.
    pub(crate) loaded: AtomicBool,
}

impl Flash {
    /// The memory at `banks`, which is yet to be loaded.
    pub const fn new(banks: Banks) -> Self {
        Self { banks, loaded: AtomicBool::new(false) }
    }
}

impl Vm {
    /// Whether the instruction at its address `ipa` is in the first bank's file, or in the block behind that.
    pub fn is_in_rom(&self, ipa: u64) -> bool {
        let first = self.flash.as_ref().and_then(|flash| flash.banks.first);
        first.is_some_and(|first| (FLASH..FLASH.saturating_add(first.size())).contains(&ipa))
    }

    /// Hands `length` cells of its second bank from `offset` on to `work`, and has memory hold what that leaves there: the guest may
    /// read them past its caches. They lie within a block of 2 MiB.
    ///
    /// The caller is the bank's state machine, behind its lock, and the guest has not mapped the bank if `work` writes.
    pub fn with_cells(&self, offset: u64, length: u64, work: impl FnOnce(&mut [u8])) {
        let Some(flash) = &self.flash else { return };
        let place = Range::sized(flash.banks.second.start.saturating_add(offset), length);
        if !flash.banks.second.contains(&place) {
            return;
        }
        // SAFETY: it is this VM's memory, in blocks that are its own. It is loaded while no vCPU is on; besides, only the bank's
        // state machine uses it, one access at a time.
        let done = unsafe {
            stage1::with_block(place.start, |first| {
                work(core::slice::from_raw_parts_mut(first, length as usize));
                cache::clean(first as usize, length as usize);
            })
        };
        debug_assert!(done.is_ok(), "it was mapped when it was loaded");
    }

    /// Lets the guest read the cells of its second bank, or has every access of it come to EL2. To take them away is for a core on
    /// which one of its vCPUs runs.
    pub fn map_cells(&self, on: bool) {
        let Some(flash) = &self.flash else { return };
        let mut stage2 = self.stage2.lock();
        let changed = if on {
            stage2.map(SECOND, flash.banks.second, Access::Rom)
        } else {
            stage2.unmap(SECOND, flash.banks.second.size())
        };
        debug_assert!(changed.is_ok(), "it was mapped when the VM was made");
        if on {
            paging::publish_tables();
        } else {
            // Before the cells change, no core of the VM reads them any more. No other VM notices: it has another VMID.
            paging::invalidate_vm_everywhere();
        }
    }
}
