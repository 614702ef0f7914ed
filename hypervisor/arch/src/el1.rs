//! The EL1 registers that belong to a vCPU: one table, each with the value it has when the vCPU is switched on.
//!
//! Arm leaves most reset values open (Arm ARM, D1.9); a guest that is started again must still not see what its former
//! life, or another guest, left there.

use crate::{read_sysreg, write_sysreg};

macro_rules! registers {
    ($($(#[$doc:meta])* $field:ident = $name:literal, $reset:expr;)*) => {
        /// The values of a vCPU's EL1 system registers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(C)]
        pub struct El1State {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl El1State {
            /// The state in which a vCPU starts.
            pub const RESET: Self = Self { $($field: $reset,)* };

            /// Writes all of them to this core.
            pub fn load(&self) {
                // SAFETY: registers of EL1 and EL0 govern the guest only; EL2 runs with its own.
                unsafe {
                    $(write_sysreg!($name, self.$field);)*
                }
            }

            /// Reads all of them from this core.
            pub fn save() -> Self {
                Self { $($field: read_sysreg!($name),)* }
            }
        }
    };
}

registers! {
    /// RES1 bits only: MMU, caches and alignment checks off, little endian.
    sctlr = "sctlr_el1", 0x30d0_0800;
    /// Floating point trapped to EL1 until the guest opens it.
    cpacr = "cpacr_el1", 0;
    /// Translation is off.
    ttbr0 = "ttbr0_el1", 0;
    /// Translation is off.
    ttbr1 = "ttbr1_el1", 0;
    /// Translation is off.
    tcr = "tcr_el1", 0;
    /// Memory types, used once translation is on.
    mair = "mair_el1", 0;
    /// Implementation-defined memory attributes.
    amair = "amair_el1", 0;
    /// Exception vectors; the guest sets its own.
    vbar = "vbar_el1", 0;
    /// Syndrome of the last exception.
    esr = "esr_el1", 0;
    /// Fault address of the last exception.
    far = "far_el1", 0;
    /// Auxiliary fault status.
    afsr0 = "afsr0_el1", 0;
    /// Auxiliary fault status.
    afsr1 = "afsr1_el1", 0;
    /// Return address of an exception to EL1.
    elr = "elr_el1", 0;
    /// Saved state of an exception to EL1.
    spsr = "spsr_el1", 0;
    /// Stack pointer of EL0, also used at EL1 with SPSel 0.
    sp_el0 = "sp_el0", 0;
    /// Stack pointer of EL1.
    sp_el1 = "sp_el1", 0;
    /// Result of an address translation instruction.
    par = "par_el1", 0;
    /// Software thread word of EL1.
    tpidr_el1 = "tpidr_el1", 0;
    /// Software thread word of EL0.
    tpidr_el0 = "tpidr_el0", 0;
    /// Read-only software thread word of EL0.
    tpidrro_el0 = "tpidrro_el0", 0;
    /// Context id, used by debug only.
    contextidr = "contextidr_el1", 0;
    /// Cache whose size CCSIDR_EL1 shows.
    csselr = "csselr_el1", 0;
    /// Debug control: no breakpoints, no single step.
    mdscr = "mdscr_el1", 0;
    /// Access of EL0 to the timers and counters.
    cntkctl = "cntkctl_el1", 0;
    /// Virtual timer: off.
    cntv_ctl = "cntv_ctl_el0", 0;
    /// Virtual timer: compare value.
    cntv_cval = "cntv_cval_el0", 0;
    /// Physical timer: off.
    cntp_ctl = "cntp_ctl_el0", 0;
    /// Physical timer: compare value.
    cntp_cval = "cntp_cval_el0", 0;
}

/// Clears the floating point and SIMD registers, so that nothing of a former owner stays in them.
///
/// EL2 itself is compiled without floating point and never reads or writes them.
pub fn clear_simd() {
    #[cfg(target_arch = "aarch64")]
    // SAFETY: no Rust code of the hypervisor uses these registers: the target has no floating point.
    unsafe {
        core::arch::asm!(
            ".arch_extension fp",
            ".arch_extension simd",
            ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            "movi v\\n\\().2d, #0",
            ".endr",
            "msr fpcr, xzr",
            "msr fpsr, xzr",
            ".arch_extension nosimd",
            ".arch_extension nofp",
            options(nomem, nostack, preserves_flags)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vcpu_starts_with_mmu_and_timers_off() {
        assert_eq!(El1State::RESET.sctlr & 0b101, 0);
        assert_eq!(El1State::RESET.cntv_ctl, 0);
        assert_eq!(El1State::RESET.cntp_ctl, 0);
    }
}
