//! Which VM has the terminal.

use core::sync::atomic::{AtomicU8, Ordering};

/// The VM that the terminal is attached to, readable without the console's lock. Only [`super::Console`] changes it.
///
/// Relaxed order is enough: a VM whose attachment changes is put into [`super::Console::take_ready`]'s mask, and the
/// caller then takes that VM's lock, which orders the change before the VM's next look.
#[derive(Debug, Default)]
pub struct Attachment(AtomicU8);

impl Attachment {
    /// No VM is attached.
    pub const fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Number of the attached VM.
    pub fn get(&self) -> Option<usize> {
        usize::from(self.0.load(Ordering::Relaxed)).checked_sub(1)
    }

    /// Whether VM `vm` is attached: its characters are to be handed to the console one by one.
    #[inline]
    pub fn is(&self, vm: usize) -> bool {
        usize::from(self.0.load(Ordering::Relaxed)) == vm.wrapping_add(1)
    }

    pub(super) fn set(&self, vm: Option<u8>) {
        self.0.store(vm.map_or(0, |vm| vm.wrapping_add(1)), Ordering::Relaxed);
    }
}
