//! Which vCPU of each VM a shared core had last: the core's TLB forgets a VM when it changes over between two of them.

use core::sync::atomic::{AtomicU16, Ordering};

use portcullis_abi::map::{MAX_VCPUS, MAX_VMS};

/// Stands for no vCPU: there are fewer on a core.
const NOBODY: u16 = u16::MAX;
const _: () = assert!(MAX_VMS * MAX_VCPUS < NOBODY as usize);

/// By VM the number among the core's vCPUs of the one that was there last. Only the core itself changes it.
#[derive(Debug)]
pub struct LastHere([AtomicU16; MAX_VMS]);

impl LastHere {
    /// None was there.
    pub const fn new() -> Self {
        Self([const { AtomicU16::new(NOBODY) }; MAX_VMS])
    }

    /// The core is that of its vCPU `index`, of the VM with this number. Returns whether another one of the VM was there since.
    #[inline(always)]
    pub fn comes(&self, vm: usize, index: usize) -> bool {
        let Some(last) = self.0.get(vm) else { return true };
        let foreign = usize::from(last.load(Ordering::Relaxed)) != index;
        if foreign {
            last.store(index as u16, Ordering::Relaxed);
        }
        foreign
    }

    /// Whichever vCPU of the VM comes next counts as another one.
    pub fn forget(&self, vm: usize) {
        if let Some(last) = self.0.get(vm) {
            last.store(NOBODY, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_one_is_told_from_the_same() {
        let last = LastHere::new();
        for vm in [0, MAX_VMS - 1] {
            assert_eq!([3, 3, 511, 511, 3].map(|index| last.comes(vm, index)), [true, false, true, false, true]);
        }
        last.forget(0);
        assert_eq!([last.comes(0, 3), last.comes(MAX_VMS - 1, 3), last.comes(MAX_VMS, 3)], [true, false, true]);
    }
}
