//! System registers by name, with their fields: those of `aarch64-cpu`, by the traits and field types of `tock-registers`. On a
//! host each is one of [`fake`](crate::fake)'s, with the same name and the crate's own fields; only those named here can be used,
//! since the crate's panic there.
//!
//! What the crate lacks, or cannot name without a feature that the image is not compiled for, is for
//! [`read_sysreg`](crate::read_sysreg) and [`write_sysreg`](crate::write_sysreg).

use core::sync::atomic::{Ordering, compiler_fence};

pub use tock_registers::interfaces::{Readable, Writeable};

/// Writes a register that governs translation, traps, or what is masked. The crate's `set` tells the compiler that it touches no
/// memory; here no access to memory moves across it, to either side.
///
/// # Safety
///
/// The caller must know what the register governs.
#[inline(always)]
pub unsafe fn govern<R: Writeable<T = u64>>(register: R, value: u64) {
    compiler_fence(Ordering::SeqCst);
    register.set(value);
    compiler_fence(Ordering::SeqCst);
}

macro_rules! registers {
    (with fields { $($register:ident $name:literal)* } plain { $($plain:ident $plain_name:literal)* }) => {
        #[cfg(target_os = "none")]
        pub use aarch64_cpu::registers::{$($register,)* $($plain,)*};

        $(#[cfg(not(target_os = "none"))]
        #[expect(non_snake_case, reason = "the crate's names are the architecture's")]
        #[allow(missing_docs, reason = "the crate's own fields")]
        pub mod $register {
            pub use aarch64_cpu::registers::$register::*;
        }

        #[cfg(not(target_os = "none"))]
        #[allow(missing_docs, non_upper_case_globals, reason = "as on the target")]
        pub const $register: host::Register<aarch64_cpu::registers::$register::Register> = host::Register::new($name);)*

        $(#[cfg(not(target_os = "none"))]
        #[allow(missing_docs, reason = "as on the target")]
        pub const $plain: host::Register<()> = host::Register::new($plain_name);)*
    };
}

registers! {
    with fields {
        CLIDR_EL1 "clidr_el1"
        CNTHCTL_EL2 "cnthctl_el2"
        CNTHP_CTL_EL2 "cnthp_ctl_el2"
        CNTKCTL_EL1 "cntkctl_el1"
        CNTP_CTL_EL0 "cntp_ctl_el0"
        CNTV_CTL_EL0 "cntv_ctl_el0"
        CONTEXTIDR_EL1 "contextidr_el1"
        CPACR_EL1 "cpacr_el1"
        CPTR_EL2 "cptr_el2"
        CSSELR_EL1 "csselr_el1"
        CurrentEL "currentel"
        ESR_EL1 "esr_el1"
        ESR_EL2 "esr_el2"
        HCR_EL2 "hcr_el2"
        HPFAR_EL2 "hpfar_el2"
        ICC_SRE_EL2 "icc_sre_el2"
        ICH_HCR_EL2 "ich_hcr_el2"
        ICH_VTR_EL2 "ich_vtr_el2"
        ID_AA64DFR0_EL1 "id_aa64dfr0_el1"
        ID_AA64ISAR0_EL1 "id_aa64isar0_el1"
        ID_AA64ISAR1_EL1 "id_aa64isar1_el1"
        ID_AA64MMFR0_EL1 "id_aa64mmfr0_el1"
        ID_AA64MMFR1_EL1 "id_aa64mmfr1_el1"
        MAIR_EL1 "mair_el1"
        MAIR_EL2 "mair_el2"
        MDCR_EL2 "mdcr_el2"
        MDSCR_EL1 "mdscr_el1"
        MIDR_EL1 "midr_el1"
        MPIDR_EL1 "mpidr_el1"
        PAR_EL1 "par_el1"
        SCTLR_EL1 "sctlr_el1"
        SCTLR_EL2 "sctlr_el2"
        SPSR_EL1 "spsr_el1"
        SPSR_EL2 "spsr_el2"
        TCR_EL1 "tcr_el1"
        TCR_EL2 "tcr_el2"
        TTBR0_EL1 "ttbr0_el1"
        TTBR0_EL2 "ttbr0_el2"
        TTBR1_EL1 "ttbr1_el1"
        VMPIDR_EL2 "vmpidr_el2"
        VTCR_EL2 "vtcr_el2"
        VTTBR_EL2 "vttbr_el2"
    }
    plain {
        ACTLR_EL2 "actlr_el2"
        AFSR0_EL1 "afsr0_el1"
        AFSR1_EL1 "afsr1_el1"
        AMAIR_EL1 "amair_el1"
        CNTFRQ_EL0 "cntfrq_el0"
        CNTPCT_EL0 "cntpct_el0"
        CNTP_CVAL_EL0 "cntp_cval_el0"
        CNTVOFF_EL2 "cntvoff_el2"
        CNTV_CVAL_EL0 "cntv_cval_el0"
        ELR_EL1 "elr_el1"
        ELR_EL2 "elr_el2"
        FAR_EL1 "far_el1"
        FAR_EL2 "far_el2"
        ICH_AP0R0_EL2 "ich_ap0r0_el2"
        ICH_AP0R1_EL2 "ich_ap0r1_el2"
        ICH_AP0R2_EL2 "ich_ap0r2_el2"
        ICH_AP0R3_EL2 "ich_ap0r3_el2"
        ICH_AP1R0_EL2 "ich_ap1r0_el2"
        ICH_AP1R1_EL2 "ich_ap1r1_el2"
        ICH_AP1R2_EL2 "ich_ap1r2_el2"
        ICH_AP1R3_EL2 "ich_ap1r3_el2"
        ICH_LR0_EL2 "ich_lr0_el2"
        ICH_LR1_EL2 "ich_lr1_el2"
        ICH_LR2_EL2 "ich_lr2_el2"
        ICH_LR3_EL2 "ich_lr3_el2"
        ICH_LR4_EL2 "ich_lr4_el2"
        ICH_LR5_EL2 "ich_lr5_el2"
        ICH_LR6_EL2 "ich_lr6_el2"
        ICH_LR7_EL2 "ich_lr7_el2"
        ICH_LR8_EL2 "ich_lr8_el2"
        ICH_LR9_EL2 "ich_lr9_el2"
        ICH_LR10_EL2 "ich_lr10_el2"
        ICH_LR11_EL2 "ich_lr11_el2"
        ICH_LR12_EL2 "ich_lr12_el2"
        ICH_LR13_EL2 "ich_lr13_el2"
        ICH_LR14_EL2 "ich_lr14_el2"
        ICH_LR15_EL2 "ich_lr15_el2"
        ICH_VMCR_EL2 "ich_vmcr_el2"
        ID_AA64PFR0_EL1 "id_aa64pfr0_el1"
        SP_EL0 "sp_el0"
        SP_EL1 "sp_el1"
        TPIDRRO_EL0 "tpidrro_el0"
        TPIDR_EL0 "tpidr_el0"
        TPIDR_EL1 "tpidr_el1"
        TPIDR_EL2 "tpidr_el2"
        VBAR_EL1 "vbar_el1"
        VBAR_EL2 "vbar_el2"
    }
}

/// The registers of a host's core.
#[cfg(not(target_os = "none"))]
mod host {
    use core::marker::PhantomData;

    use tock_registers::RegisterLongName;
    use tock_registers::interfaces::{Readable, Writeable};

    /// One of them, with the fields of `Fields`.
    #[derive(Clone, Copy)]
    pub struct Register<Fields> {
        name: &'static str,
        fields: PhantomData<Fields>,
    }

    impl<Fields> Register<Fields> {
        /// The one that the assembler knows by `name`.
        pub const fn new(name: &'static str) -> Self {
            Self { name, fields: PhantomData }
        }
    }

    impl<Fields: RegisterLongName> Readable for Register<Fields> {
        type T = u64;
        type R = Fields;

        fn get(&self) -> u64 {
            crate::fake::core::read(self.name)
        }
    }

    impl<Fields: RegisterLongName> Writeable for Register<Fields> {
        type T = u64;
        type R = Fields;

        fn set(&self, value: u64) {
            crate::fake::core::write(self.name, value);
        }
    }
}
