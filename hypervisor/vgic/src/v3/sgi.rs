//! Software generated interrupts: writes to ICC_SGI1R_EL1 (IHI 0069, section 12.2.23).
//!
//! ICC_SGI0R_EL1 and ICC_ASGI1R_EL1 have no effect and so no function here. The first makes group 0 SGIs and the second
//! those of the other Security state; the guest has one Security state, and its SGIs are in group 1 from reset on.

use crate::{VcpuSet, Vgic};

/// Bit 40, IRM: all vCPUs but the sender.
const IRM: u64 = 1 << 40;
/// RS (47:44), Aff3 (55:48), Aff2 (39:32), Aff1 (23:16): zero for every vCPU.
const AFFINITY: u64 = 0x00ff_f0ff_00ff_0000;
const INTID_SHIFT: u32 = 24;

impl Vgic {
    /// Sends an SGI as vCPU `from` by a write of `value` to ICC_SGI1R_EL1. Returns the other vCPUs to kick; the
    /// sender's core looks anyway. An SGI that a target has in group 0 arrives there as such.
    #[inline]
    pub fn write_sgi1r(&self, from: usize, value: u64) -> VcpuSet {
        let mut targets = if value & IRM != 0 {
            self.present & !1u32.wrapping_shl(from as u32)
        } else if value & AFFINITY == 0 {
            self.present & value as u32 & 0xffff
        } else {
            0
        };
        let sgi = 1 << (value >> INTID_SHIFT & 15);
        let mut kick = VcpuSet::EMPTY;
        while targets != 0 {
            let index = targets.trailing_zeros() as usize;
            targets &= targets.wrapping_sub(1);
            if let Some(vcpu) = self.vcpus.get(index)
                && vcpu.notify(sgi)
                && index != from
            {
                kick.insert(index);
            }
        }
        kick
    }
}
