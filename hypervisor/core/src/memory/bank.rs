//! The memory behind a bank of flash: the guest reads it while the bank shows its cells, EL2 changes it while it does not.

use alloc::sync::Arc;

use portcullis_arch::paging;
use portcullis_board::Range;
use spin::Mutex;

use super::guest::GuestMemory;
use super::stage2::{Access, Stage2};

/// The cells of one bank.
pub struct Bank {
    /// Where they are, in whole blocks that are one VM's own.
    cells: Range,
    /// Where the guest has them.
    ipa: u64,
    /// The VM's tables.
    tables: Arc<Mutex<Stage2>>,
}

impl Bank {
    /// The cells at `cells`, which `tables` map at the guest's address `ipa`.
    ///
    /// # Safety
    ///
    /// The cells are RAM of the VM that `tables` are of, in whole blocks of 2 MiB, for ever.
    pub const unsafe fn new(cells: Range, ipa: u64, tables: Arc<Mutex<Stage2>>) -> Self {
        Self { cells, ipa, tables }
    }

    /// The cells, at their offsets into the bank, as core `core` reaches them.
    ///
    /// # Safety
    ///
    /// `core` must be the number of the core on which this runs, for as long as the result is used.
    pub unsafe fn on(&self, core: usize) -> Option<GuestMemory> {
        // SAFETY: the caller vouches for the core, and whoever made this for the memory.
        unsafe { GuestMemory::new(core, 0, self.cells) }
    }

    /// Lets the guest read the cells, or has every access of it come to EL2. To take them away is for a core on which one of
    /// the VM's vCPUs runs.
    pub fn map(&mut self, on: bool) {
        self.map_unseen(on);
        if !on {
            // Before the cells change, no core of the VM reads them any more. No other VM notices: it has another VMID.
            paging::invalidate_vm_everywhere();
        }
    }

    /// The same for a VM none of whose vCPUs is on. Each has its core forget what that remembers of the tables when it begins.
    pub fn map_unseen(&mut self, on: bool) {
        let mut tables = self.tables.lock();
        let changed =
            if on { tables.map(self.ipa, self.cells, Access::Rom) } else { tables.unmap(self.ipa, self.cells.size()) };
        debug_assert!(changed.is_ok(), "it was mapped when the VM was made");
        paging::publish_tables();
    }
}
