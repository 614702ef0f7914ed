//! The CPU that a VM is shown in place of its cores' own, if its manifest says so.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::state::Cpu;

/// It, but for the ID registers, which are [`ShownFeatures`](super::shown_features::ShownFeatures).
#[derive(Debug)]
pub struct ShownCpu {
    /// MIDR_EL1, REVIDR_EL1 and AIDR_EL1. A VM that was restored keeps those that it was shown before.
    identity: [AtomicU64; 3],
    /// CTR_EL0.
    pub cache_type: u64,
    /// DCZID_EL0.
    pub zeroing: u64,
}

impl ShownCpu {
    /// The one with these registers.
    pub const fn new(cpu: &Cpu) -> Self {
        let [midr, revidr, aidr] = cpu.implementation;
        let identity = [AtomicU64::new(midr), AtomicU64::new(revidr), AtomicU64::new(aidr)];
        Self { identity, cache_type: cpu.cache_type, zeroing: cpu.zeroing }
    }

    /// Returns MIDR_EL1, REVIDR_EL1 and AIDR_EL1.
    pub fn identity(&self) -> [u64; 3] {
        self.identity.each_ref().map(|register| register.load(Ordering::Relaxed))
    }

    /// Shows others from now on. None of the VM's vCPUs may be on.
    pub fn identify_as(&self, identity: [u64; 3]) {
        for (register, value) in self.identity.iter().zip(identity) {
            register.store(value, Ordering::Relaxed);
        }
    }
}
