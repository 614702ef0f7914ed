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

/// Takes away what a former owner left in registers that only some CPUs have: the pointer authentication keys
/// (FEAT_PAuth), and the breakpoints and watchpoints, as many as there are.
pub fn clear_optional() {
    let field = |register: u64, shift: u32| register >> shift & 0xf;
    let (isar1, isar2) = (read_sysreg!("id_aa64isar1_el1"), read_sysreg!("s3_0_c0_c6_2"));
    let pointer_authentication = field(isar1, 4) | field(isar1, 8) | field(isar1, 24) | field(isar1, 28);
    if pointer_authentication | field(isar2, 8) | field(isar2, 12) != 0 {
        // SAFETY: the keys are used at EL1 and EL0 only; EL2 is compiled without pointer authentication.
        unsafe {
            write_sysreg!("s3_0_c2_c1_0", 0);
            write_sysreg!("s3_0_c2_c1_1", 0);
            write_sysreg!("s3_0_c2_c1_2", 0);
            write_sysreg!("s3_0_c2_c1_3", 0);
            write_sysreg!("s3_0_c2_c2_0", 0);
            write_sysreg!("s3_0_c2_c2_1", 0);
            write_sysreg!("s3_0_c2_c2_2", 0);
            write_sysreg!("s3_0_c2_c2_3", 0);
            write_sysreg!("s3_0_c2_c3_0", 0);
            write_sysreg!("s3_0_c2_c3_1", 0);
        }
    }
    let debug = read_sysreg!("id_aa64dfr0_el1");
    // The fields hold the number less one.
    let (breakpoints, watchpoints) = (field(debug, 12) + 1, field(debug, 20) + 1);
    macro_rules! clear {
        ($count:expr; $($n:literal: $value:literal $control:literal),*) => {
            // SAFETY: debug exceptions are taken at EL1 at the lowest, never by EL2 (MDCR_EL2.TDE is 0).
            unsafe {
                $(if $n < $count {
                    write_sysreg!($control, 0);
                    write_sysreg!($value, 0);
                })*
            }
        };
    }
    clear!(breakpoints; 0: "s2_0_c0_c0_4" "s2_0_c0_c0_5", 1: "s2_0_c0_c1_4" "s2_0_c0_c1_5",
        2: "s2_0_c0_c2_4" "s2_0_c0_c2_5", 3: "s2_0_c0_c3_4" "s2_0_c0_c3_5", 4: "s2_0_c0_c4_4" "s2_0_c0_c4_5",
        5: "s2_0_c0_c5_4" "s2_0_c0_c5_5", 6: "s2_0_c0_c6_4" "s2_0_c0_c6_5", 7: "s2_0_c0_c7_4" "s2_0_c0_c7_5",
        8: "s2_0_c0_c8_4" "s2_0_c0_c8_5", 9: "s2_0_c0_c9_4" "s2_0_c0_c9_5", 10: "s2_0_c0_c10_4" "s2_0_c0_c10_5",
        11: "s2_0_c0_c11_4" "s2_0_c0_c11_5", 12: "s2_0_c0_c12_4" "s2_0_c0_c12_5",
        13: "s2_0_c0_c13_4" "s2_0_c0_c13_5", 14: "s2_0_c0_c14_4" "s2_0_c0_c14_5",
        15: "s2_0_c0_c15_4" "s2_0_c0_c15_5");
    clear!(watchpoints; 0: "s2_0_c0_c0_6" "s2_0_c0_c0_7", 1: "s2_0_c0_c1_6" "s2_0_c0_c1_7",
        2: "s2_0_c0_c2_6" "s2_0_c0_c2_7", 3: "s2_0_c0_c3_6" "s2_0_c0_c3_7", 4: "s2_0_c0_c4_6" "s2_0_c0_c4_7",
        5: "s2_0_c0_c5_6" "s2_0_c0_c5_7", 6: "s2_0_c0_c6_6" "s2_0_c0_c6_7", 7: "s2_0_c0_c7_6" "s2_0_c0_c7_7",
        8: "s2_0_c0_c8_6" "s2_0_c0_c8_7", 9: "s2_0_c0_c9_6" "s2_0_c0_c9_7", 10: "s2_0_c0_c10_6" "s2_0_c0_c10_7",
        11: "s2_0_c0_c11_6" "s2_0_c0_c11_7", 12: "s2_0_c0_c12_6" "s2_0_c0_c12_7",
        13: "s2_0_c0_c13_6" "s2_0_c0_c13_7", 14: "s2_0_c0_c14_6" "s2_0_c0_c14_7",
        15: "s2_0_c0_c15_6" "s2_0_c0_c15_7");
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
