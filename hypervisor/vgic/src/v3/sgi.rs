//! Software generated interrupts: writes to ICC_SGI1R_EL1 (IHI 0069, section 12.2.23).
//!
//! ICC_SGI0R_EL1 and ICC_ASGI1R_EL1 have no effect and so no function here. The first makes group 0 SGIs and the second
//! those of the other Security state; the guest has one Security state, and its SGIs are in group 1 from reset on.

use crate::fields::ICC_SGI1R;
use crate::{VcpuSet, Vgic};

/// Affinity and RS, zero for every vCPU.
const AFFINITY: u64 = {
    use ICC_SGI1R::{Aff1, Aff2, Aff3, RS};
    Aff1::SET.value | Aff2::SET.value | Aff3::SET.value | RS::SET.value
};

impl Vgic {
    /// Sends an SGI as vCPU `from` by a write of `value` to ICC_SGI1R_EL1. Returns the other vCPUs to kick; the
    /// sender's core looks anyway. An SGI that a target has in group 0 arrives there as such.
    #[inline]
    pub fn write_sgi1r(&self, from: usize, value: u64) -> VcpuSet {
        let mut targets = if ICC_SGI1R::IRM.is_set(value) {
            self.present & !1u32.wrapping_shl(from as u32)
        } else if value & AFFINITY == 0 {
            self.present & ICC_SGI1R::TargetList.read(value) as u32
        } else {
            0
        };
        let sgi = 1 << (ICC_SGI1R::INTID.read(value));
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
