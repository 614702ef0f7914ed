//! The memory behind a bank of flash: the guest reads it while the bank shows its cells, EL2 changes it while it does not.

use alloc::sync::Arc;

use portcullis_arch::{cache, paging};
use portcullis_board::Range;
use spin::Mutex;

use super::stage1;
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
    /// The cells are RAM of the VM that `tables` are of. Nothing else at EL2 uses them while one of its vCPUs is on.
    pub const unsafe fn new(cells: Range, ipa: u64, tables: Arc<Mutex<Stage2>>) -> Self {
        Self { cells, ipa, tables }
    }

    /// Hands `length` cells from `offset` on to `work`, and has memory hold what that leaves there: the guest may read them past its
    /// caches. They lie within a block of 2 MiB. Where they are not within the bank nothing is done.
    pub fn with_cells(&mut self, offset: u64, length: u64, work: impl FnOnce(&mut [u8])) {
        let place = Range::sized(self.cells.start.saturating_add(offset), length);
        if !self.cells.contains(&place) {
            return;
        }
        // SAFETY: it is memory of one VM, in blocks that are its own, and this is the only one that uses it, as `new` asks for. The
        // guest can read it at most.
        let done = unsafe {
            stage1::with_block(place.start, |first| {
                work(core::slice::from_raw_parts_mut(first, length as usize));
                cache::clean(first as usize, length as usize);
            })
        };
        debug_assert!(done.is_ok(), "it was mapped when it was loaded");
    }

    /// Lets the guest read the cells, or has every access of it come to EL2. To take them away is for a core on which one of the VM's
    /// vCPUs runs.
    pub fn map(&mut self, on: bool) {
        let mut tables = self.tables.lock();
        let changed =
            if on { tables.map(self.ipa, self.cells, Access::Rom) } else { tables.unmap(self.ipa, self.cells.size()) };
        debug_assert!(changed.is_ok(), "it was mapped when the VM was made");
        if on {
            paging::publish_tables();
        } else {
            // Before the cells change, no core of the VM reads them any more. No other VM notices: it has another VMID.
            paging::invalidate_vm_everywhere();
        }
    }
}
