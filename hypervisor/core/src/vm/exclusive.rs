//! One manager at a time: the lock under which a VM's filter is written and its lifecycle is steered.

use portcullis_gate::{Filter, FilterError, RangeRequest};
use spin::MutexGuard;

use super::Vm;

/// The right to steer a VM, with the VM's filter, which managers write until the VM's row is frozen.
pub struct Exclusive<'a> {
    /// The VM.
    pub vm: &'a Vm,
    filter: MutexGuard<'a, Filter>,
}

impl Vm {
    /// The right to steer this VM, unless another manager has it. No manager holds it for longer than one call.
    pub fn exclusive(&self) -> Option<Exclusive<'_>> {
        self.filter.try_lock().map(|filter| Exclusive { vm: self, filter })
    }

    /// The right to steer this VM, as soon as no manager has it.
    pub(super) fn wait_exclusive(&self) -> Exclusive<'_> {
        Exclusive { vm: self, filter: self.filter.lock() }
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
    pub(super) fn clear_filter(&mut self) {
        self.vm.published.take_back();
        self.filter.clear();
    }
}
