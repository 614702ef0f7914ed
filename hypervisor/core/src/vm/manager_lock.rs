//! One manager at a time: the lock under which a VM's filter is written and its lifecycle is steered.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering};

use portcullis_arch::timer;
use portcullis_gate::{Filter, FilterError, RangeRequest};
use spin::{Mutex, MutexGuard};

use super::Vm;
use super::watch::Wait;
use crate::cpu::physical_core::Processor;

/// A VM's range filter, which managers write until the VM's row is frozen, behind the lock of its managers.
pub struct ManagedFilter {
    filter: Mutex<Filter>,
    /// The core of the manager that has the lock, or last had it.
    holder: AtomicUsize,
}

impl ManagedFilter {
    /// A filter without ranges.
    pub const fn new() -> Self {
        Self { filter: Mutex::new(Filter::new()), holder: AtomicUsize::new(0) }
    }
}

impl Default for ManagedFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// The right to steer a VM, with the VM's filter.
pub struct Exclusive<'a> {
    /// The VM.
    pub vm: &'a Vm,
    filter: MutexGuard<'a, Filter>,
}

impl Vm {
    /// The right to steer this VM, unless another manager has it. No manager holds it for longer than one call.
    pub fn exclusive(&self) -> Option<Exclusive<'_>> {
        let filter = self.filter.filter.try_lock()?;
        let here = Processor::current().map_or(0, |processor| processor.index);
        self.filter.holder.store(here, Ordering::Relaxed);
        Some(Exclusive { vm: self, filter })
    }

    /// The right to steer this VM, as soon as no manager has it.
    pub(crate) fn wait_exclusive(&self) -> Exclusive<'_> {
        let wait = Wait::new();
        wait.begin(timer::count());
        loop {
            if let Some(exclusive) = self.exclusive() {
                return exclusive;
            }
            spin_loop();
            if wait.is_overdue(timer::count(), timer::frequency()) {
                let core = self.filter.holder.load(Ordering::Relaxed);
                log::error!("core {core} has not let {} go for 1 s, which it manages", self.name());
            }
        }
    }
}

impl Exclusive<'_> {
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

    /// Empties the filter, and takes back what of it was published. Every vCPU of the VM is off and none can be switched on.
    pub(crate) fn clear_filter(&mut self) {
        self.vm.published.take_back();
        self.filter.clear();
    }
}
