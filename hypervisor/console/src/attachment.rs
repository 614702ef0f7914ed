//! Who has what VMs write as they write it, and from where what is typed for them comes.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// The VM that the terminal is attached to, and those whose ports are open, readable without the console's lock. Only
/// [`super::Console`] changes it, so that changes follow on each other.
///
/// Relaxed order is enough: of a VM whose attachment changes the caller takes the lock before it looks at what the VM has written.
/// The terminal's is put into [`super::Console::take_ready`]'s mask for that. The lock orders the change before the VM's next look.
#[derive(Debug, Default)]
pub struct Attachment {
    /// The VM that the terminal is attached to, from 1; 0: none.
    terminal: AtomicU8,
    /// VMs whose ports are open, a bit each.
    ports: AtomicU32,
    /// Those that are either.
    shown: AtomicU32,
    /// Those whose port has what is typed for them: it was opened after the terminal was attached.
    typed: AtomicU32,
}

impl Attachment {
    /// Nothing is attached.
    pub const fn new() -> Self {
        let (terminal, ports) = (AtomicU8::new(0), AtomicU32::new(0));
        Self { terminal, ports, shown: AtomicU32::new(0), typed: AtomicU32::new(0) }
    }

    /// Number of the VM that the terminal is attached to.
    pub fn get(&self) -> Option<usize> {
        usize::from(self.terminal.load(Ordering::Relaxed)).checked_sub(1)
    }

    /// Number of the VM that gets what is typed at the terminal.
    pub fn typed_to(&self) -> Option<usize> {
        self.get().filter(|vm| !self.is_typed_at_port(*vm))
    }

    /// Whether somebody is attached to VM `vm`: its characters are to be handed on one by one.
    #[inline]
    pub fn is(&self, vm: usize) -> bool {
        self.shown.load(Ordering::Relaxed).wrapping_shr(vm as u32) & 1 != 0
    }

    /// Whether what is typed for VM `vm` comes from its port.
    pub fn is_typed_at_port(&self, vm: usize) -> bool {
        self.typed.load(Ordering::Relaxed) & bit(vm) != 0
    }

    /// The terminal is attached to VM `vm`, or to none. The port of one that it leaves has what is typed for that again.
    pub(super) fn set(&self, vm: Option<u8>) {
        let ports = self.ports.load(Ordering::Relaxed);
        let left = self.get().map_or(0, bit);
        self.terminal.store(vm.map_or(0, |vm| vm.wrapping_add(1)), Ordering::Relaxed);
        let now = vm.map_or(0, |vm| bit(vm.into()));
        let typed = self.typed.load(Ordering::Relaxed) | left & ports;
        self.typed.store(typed & !now, Ordering::Relaxed);
        self.shown.store(ports | now, Ordering::Relaxed);
    }

    /// The port of VM `vm` is open, or is closed. Opened, it has what is typed for the VM.
    pub(super) fn set_port(&self, vm: usize, open: bool) {
        let with = |bits: &AtomicU32| {
            let others = bits.load(Ordering::Relaxed) & !bit(vm);
            let all = if open { others | bit(vm) } else { others };
            bits.store(all, Ordering::Relaxed);
            all
        };
        with(&self.typed);
        let ports = with(&self.ports);
        self.shown.store(ports | self.get().map_or(0, bit), Ordering::Relaxed);
    }
}

/// The bit of a VM.
const fn bit(vm: usize) -> u32 {
    1_u32.wrapping_shl(vm as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each VM's attachment is, from 0: whether it is shown, and where it is typed: at the terminal, or at its port.
    fn state(attachment: &Attachment, vm: usize) -> (bool, bool, bool) {
        (attachment.is(vm), attachment.typed_to() == Some(vm), attachment.is_typed_at_port(vm))
    }

    #[test]
    fn who_was_attached_last_types() {
        let attachment = Attachment::new();
        assert_eq!(state(&attachment, 3), (false, false, false));
        attachment.set(Some(3));
        assert_eq!(state(&attachment, 3), (true, true, false));
        attachment.set_port(3, true);
        assert_eq!((state(&attachment, 3), attachment.get()), ((true, false, true), Some(3)), "it is shown at both");
        attachment.set(Some(3));
        assert_eq!(state(&attachment, 3), (true, true, false), "attached anew");
        attachment.set(Some(4));
        assert_eq!((state(&attachment, 3), state(&attachment, 4)), ((true, false, true), (true, true, false)));
        attachment.set(Some(3));
        attachment.set_port(3, false);
        assert_eq!((state(&attachment, 3), state(&attachment, 4)), ((true, true, false), (false, false, false)));
        attachment.set_port(3, true);
        attachment.set_port(3, false);
        assert_eq!(state(&attachment, 3), (true, true, false), "the terminal was there before, and still is");
        attachment.set(None);
        assert_eq!(state(&attachment, 3), (false, false, false));
    }

    #[test]
    fn every_vm_has_a_bit() {
        let attachment = Attachment::new();
        for vm in [0, 31] {
            attachment.set_port(vm, true);
        }
        attachment.set(Some(17));
        let shown: Vec<usize> = (0..32).filter(|vm| attachment.is(*vm)).collect();
        assert_eq!(shown, [0, 17, 31]);
    }
}
