//! A VM's range filter, while managers may write it.

use core::sync::atomic::AtomicUsize;

use portcullis_gate::Filter;
use spin::Mutex;

/// A VM's range filter, which managers write until the VM's row is frozen, behind the lock of its managers.
pub struct ManagedFilter {
    pub(super) filter: Mutex<Filter>,
    /// The core of the manager that has the lock, or last had it.
    pub(super) holder: AtomicUsize,
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
