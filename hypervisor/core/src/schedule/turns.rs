//! Whose time it is on a shared core, for the interrupts of devices that VMs drive: those of a VM without a core to itself come in
//! its own time only.

use core::sync::atomic::{AtomicU32, Ordering};

/// Bits of the word of linked interrupts that name the VM of the vCPU that the core has, if it is one whose interrupts follow its
/// turns: its number and one, else zero. They are those of SGIs, which nothing links.
pub const MARK: u32 = 0x3f;

/// What a core knows of the VMs whose interrupts follow their turns there. Only the core itself changes it.
#[derive(Debug, Default)]
pub struct Turns {
    /// The VMs, a bit each.
    watched: AtomicU32,
    /// Those of them whose time it is, where there are windows.
    timely: AtomicU32,
}

impl Turns {
    /// A core without such VMs.
    pub const fn new() -> Self {
        Self { watched: AtomicU32::new(0), timely: AtomicU32::new(0) }
    }

    /// Has it watch these VMs, a bit each. To be called once, before it runs anything.
    pub fn watch(&self, vms: u32) {
        self.watched.store(vms, Ordering::Relaxed);
        self.timely.store(vms, Ordering::Relaxed);
    }

    /// The mark of the VM with this number, as in [`MARK`].
    pub fn mark(&self, vm: usize) -> u32 {
        let watched = self.watched.load(Ordering::Relaxed).checked_shr(vm as u32).unwrap_or(0) & 1;
        watched * (vm as u32).wrapping_add(1)
    }

    /// The number of the VM with this mark.
    pub fn marked(word: u32) -> Option<usize> {
        (word & MARK).checked_sub(1).map(|index| index as usize)
    }

    /// From now on it is the time of these VMs, a bit each. Those for which that is new, and those for which it is over.
    #[inline(always)]
    pub fn change_time(&self, vms: u32) -> Option<(u32, u32)> {
        let now = vms & self.watched.load(Ordering::Relaxed);
        let before = self.timely.load(Ordering::Relaxed);
        (now != before).then(|| {
            self.timely.store(now, Ordering::Relaxed);
            (now & !before, before & !now)
        })
    }
}

const _: () = assert!(portcullis_abi::map::MAX_VMS <= MARK as usize, "a VM's number and one fits");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_time_are_told_once() {
        let turns = Turns::new();
        assert_eq!(turns.change_time(u32::MAX), None, "nobody is watched");
        turns.watch(0b1010);
        assert_eq!(turns.change_time(u32::MAX), None);
        assert_eq!(turns.change_time(0b0110), Some((0, 0b1000)));
        assert_eq!(turns.change_time(0b0010), None);
        assert_eq!(turns.change_time(0b1100), Some((0b1000, 0b0010)));
    }

    #[test]
    fn a_mark_names_its_vm_and_fits() {
        assert_eq!(Turns::marked(0), None);
        for vm in 0..portcullis_abi::map::MAX_VMS {
            let mark = vm as u32 + 1;
            assert_eq!((mark & !MARK, Turns::marked(mark | 1 << 27)), (0, Some(vm)));
        }
    }
}
