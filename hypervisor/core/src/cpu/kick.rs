//! How the cores of a VM's vCPUs are made to look at them: by an SGI each.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::map::MAX_VCPUS;
use portcullis_board::signal::KICK;
use portcullis_vgic::VcpuSet;

use super::gic::Signals;
use super::physical_core::Core;
use crate::with_interface;

/// By vCPU of one VM the SGI that makes its core look at it ([`Signals::signal`]).
#[derive(Debug)]
pub struct Kicks([AtomicU64; MAX_VCPUS]);

impl Kicks {
    /// Makes the table of a VM whose vCPUs have no cores yet.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; MAX_VCPUS])
    }

    /// Says that vCPU `index` runs on `core`.
    pub fn place(&self, index: usize, core: &Core) {
        if let Some(kick) = self.0.get(index) {
            kick.store(with_interface!(G => G::signal(KICK, core.index, core.affinity)), Ordering::Relaxed);
        }
    }

    /// Makes the vCPUs in `set` look at their interrupts.
    #[inline(always)]
    pub fn send(&self, set: VcpuSet) {
        if !set.is_empty() {
            self.send_on_any(set);
        }
    }

    #[inline(never)]
    fn send_on_any(&self, set: VcpuSet) {
        with_interface!(G => self.send_each::<G>(set));
    }

    /// [`send`](Self::send) for who knows what kind of GIC the machine has.
    #[inline(always)]
    pub fn send_by<G: Signals>(&self, set: VcpuSet) {
        if !set.is_empty() {
            self.send_each::<G>(set);
        }
    }

    fn send_each<G: Signals>(&self, set: VcpuSet) {
        let mut left = set.bits();
        // It is not empty, and mostly of one.
        loop {
            if let Some(kick) = self.0.get(left.trailing_zeros() as usize) {
                G::send(kick.load(Ordering::Relaxed));
            }
            left &= left.wrapping_sub(1);
            if left == 0 {
                break;
            }
        }
    }
}

impl Default for Kicks {
    fn default() -> Self {
        Self::new()
    }
}
