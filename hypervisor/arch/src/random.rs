//! The CPU's random number instructions (FEAT_RNG).

use crate::registers::{ID_AA64ISAR0_EL1, Readable};

/// Whether this core has RNDR and RNDRRS (ID_AA64ISAR0_EL1.RNDR).
pub fn present() -> bool {
    ID_AA64ISAR0_EL1.is_set(ID_AA64ISAR0_EL1::RNDR)
}

/// One reading of RNDRRS, the reseeded form: 64 bits, or `None` when the generator had none to give in time
/// (Arm ARM, RNDRRS: PSTATE.Z is set and the value is zero).
///
/// Must only be called on a core where [`present`] holds; elsewhere the instruction is undefined.
#[inline]
pub fn rndrrs() -> Option<u64> {
    #[cfg(target_os = "none")]
    {
        let value: u64;
        let good: u64;
        // SAFETY: the instruction writes one register and the flags, which are not declared as preserved.
        unsafe {
            core::arch::asm!("mrs {}, s3_3_c2_c4_1", "cset {}, ne", out(reg) value, out(reg) good, options(nomem, nostack));
        }
        (good != 0).then_some(value)
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::draw()
}
