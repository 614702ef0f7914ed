//! One manager at a time: the lock under which a VM's filter is written and its lifecycle is steered.

use core::hint::spin_loop;
use core::sync::atomic::Ordering;

use portcullis_abi::state::{self, Unfit};
use portcullis_arch::timer;
use portcullis_gate::{Filter, FilterError, Profile, RangeRequest, Support};
use spin::MutexGuard;

use super::Vm;
use super::wait::Wait;
use crate::cpu::physical_core::Core;

/// The right to steer a VM, with the VM's filter.
pub struct ManagerLock<'a> {
    /// The VM.
    pub vm: &'a Vm,
    filter: MutexGuard<'a, Filter>,
}

impl Vm {
    /// The right to steer this VM, unless another manager has it. No manager holds it for longer than one call.
    pub fn manager_lock(&self) -> Option<ManagerLock<'_>> {
        let filter = self.filter.filter.try_lock()?;
        let here = Core::current().map_or(0, |core| core.index);
        self.filter.holder.store(here, Ordering::Relaxed);
        Some(ManagerLock { vm: self, filter })
    }

    /// The right to steer this VM, as soon as no manager has it.
    pub(crate) fn wait_manager_lock(&self) -> ManagerLock<'_> {
        let wait = Wait::new();
        wait.begin(timer::count());
        loop {
            if let Some(lock) = self.manager_lock() {
                return lock;
            }
            spin_loop();
            if wait.is_overdue(timer::count(), timer::frequency()) {
                let core = self.filter.holder.load(Ordering::Relaxed);
                log::error!("core {core} has not let {} go for 1 s, which it manages", self.name());
            }
        }
    }
}

impl ManagerLock<'_> {
    /// The range filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Adds a range to the filter. `forward` says whether calls can be forwarded on this board.
    ///
    /// # Errors
    ///
    /// As [`Filter::insert`].
    pub fn add_range(&mut self, request: &RangeRequest, forward: bool) -> Result<(), FilterError> {
        self.filter.insert(request, self.vm.row.profile(), forward)
    }

    /// Gives the VM the firmware registers and the filter that were saved; see [`Row::restore`](portcullis_gate::Row::restore).
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub(crate) fn restore_firmware(
        &mut self,
        saved: &state::Firmware,
        support: &Support,
        forward: bool,
    ) -> Result<(), Unfit> {
        self.vm.row.restore(saved, support, forward, &mut self.filter)
    }

    /// Makes the filter and the firmware registers final. Returns what they come to.
    pub(crate) fn freeze_row(&self) -> Profile {
        self.vm.published.publish(&self.filter);
        self.vm.row.freeze(Some(&self.filter))
    }

    /// Empties the filter, and takes back what of it was published. Every vCPU of the VM is off and none can be switched on.
    pub(crate) fn clear_filter(&mut self) {
        self.vm.published.take_back();
        self.filter.clear();
    }
}
