//! One manager at a time: the lock under which a VM's filter is written and its lifecycle is steered.

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering};

use portcullis_arch::timer;
use portcullis_gate::{Filter, FilterError, Profile, RangeRequest};
use spin::{Mutex, MutexGuard};

use super::Vm;
use super::watch::Wait;
use crate::processor::Processor;

/// A VM's range filter. Managers write it under the lock until the VM's row is frozen, which publishes it; from then on,
/// until the VM is recreated with all its vCPUs off, it is only read, by its vCPUs without any lock.
pub struct ManagedFilter {
    lock: Mutex<()>,
    /// The core of the manager that has the lock, or last had it.
    holder: AtomicUsize,
    filter: UnsafeCell<Filter>,
}

// SAFETY: the cell is written under the lock only, and only while no vCPU of the VM can read it.
unsafe impl Sync for ManagedFilter {}

impl ManagedFilter {
    /// A filter without ranges.
    pub const fn new() -> Self {
        Self { lock: Mutex::new(()), holder: AtomicUsize::new(0), filter: UnsafeCell::new(Filter::new()) }
    }

    /// The filter of a VM with this profile, for the path of its calls: none if nothing is in it.
    ///
    /// # Safety
    ///
    /// To be called for a vCPU of the VM that runs, and used no longer than it does; `profile` must have been loaded from
    /// the VM's row.
    #[inline(always)]
    pub unsafe fn of_running(&self, profile: Profile) -> Option<&Filter> {
        // SAFETY: the row is frozen, since a vCPU runs, and its load has acquired what the freeze released. Nothing is
        // written before the vCPU is off.
        profile.is_filtered().then(|| unsafe { &*self.filter.get() })
    }
}

impl Default for ManagedFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// The right to steer a VM.
pub struct Exclusive<'a> {
    /// The VM.
    pub vm: &'a Vm,
    _lock: MutexGuard<'a, ()>,
}

impl Vm {
    /// The right to steer this VM, unless another manager has it. No manager holds it for longer than one call.
    pub fn exclusive(&self) -> Option<Exclusive<'_>> {
        let lock = self.filter.lock.try_lock()?;
        let here = Processor::current().map_or(0, |processor| processor.index);
        self.filter.holder.store(here, Ordering::Relaxed);
        Some(Exclusive { vm: self, _lock: lock })
    }

    /// The right to steer this VM, as soon as no manager has it.
    pub(super) fn wait_exclusive(&self) -> Exclusive<'_> {
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
        // SAFETY: whoever writes it has the lock, which is ours, and borrows it mutably.
        unsafe { &*self.vm.filter.filter.get() }
    }

    /// Adds a range to the filter. `forward` says whether calls can be forwarded on this board.
    ///
    /// # Errors
    ///
    /// As [`Filter::insert`].
    pub fn add_range(&mut self, request: &RangeRequest, forward: bool) -> Result<(), FilterError> {
        let profile = self.vm.row.profile();
        if profile.is_frozen() {
            // The vCPUs may be reading it: the error is found on a copy.
            return self.filter().clone().insert(request, profile, forward);
        }
        // SAFETY: the lock is ours and the row is not frozen, nor can it be without the lock: no vCPU runs.
        unsafe { &mut *self.vm.filter.filter.get() }.insert(request, profile, forward)
    }

    /// Empties the filter.
    ///
    /// # Safety
    ///
    /// Every vCPU of the VM is off and none can be switched on.
    pub(super) unsafe fn clear_filter(&mut self) {
        // SAFETY: the lock is ours, and the caller vouches that no vCPU reads it.
        unsafe { &mut *self.vm.filter.filter.get() }.clear();
    }
}
