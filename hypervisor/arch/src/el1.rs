//! The EL1 registers that belong to a vCPU: one table, each with the value it has when the vCPU is switched on. Those that not
//! every CPU has are in [`crate::optional`], those of debug in [`crate::debug`].
//!
//! Arm leaves most reset values open (Arm ARM, D1.9); a guest that is started again must still not see what its former
//! life, or another guest, left there.

use portcullis_abi::state;

use crate::barrier::isb;
use crate::registers::{
    AFSR0_EL1, AFSR1_EL1, AMAIR_EL1, CNTKCTL_EL1, CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0,
    CONTEXTIDR_EL1, CPACR_EL1, CSSELR_EL1, ELR_EL1, ESR_EL1, FAR_EL1, MAIR_EL1, MDSCR_EL1, PAR_EL1, Readable,
    SCTLR_EL1, SP_EL0, SP_EL1, SPSR_EL1, TCR_EL1, TPIDR_EL0, TPIDR_EL1, TPIDRRO_EL0, TTBR0_EL1, TTBR1_EL1, VBAR_EL1,
    govern,
};

/// The registers are named in pairs: what lies side by side in memory takes one instruction for both.
macro_rules! registers {
    (first { $($(#[$doc_a:meta])* $a:ident = $name_a:ident, $reset_a:expr;
            $(#[$doc_b:meta])* $b:ident = $name_b:ident, $reset_b:expr;)* }
        last { $(#[$doc_c:meta])* $c:ident = $name_c:ident, $reset_c:expr;
            $(#[$doc_d:meta])* $d:ident = $name_d:ident, $reset_d:expr; }) => {
        /// The values of a vCPU's EL1 system registers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(C)]
        pub struct El1State {
            $($(#[$doc_a])* pub $a: u64,
            $(#[$doc_b])* pub $b: u64,)*
            $(#[$doc_c])* pub $c: u64,
            $(#[$doc_d])* pub $d: u64,
        }

        impl El1State {
            /// The state in which a vCPU starts.
            pub const RESET: Self =
                Self { $($a: $reset_a, $b: $reset_b,)* $c: $reset_c, $d: $reset_d };

            /// Returns them as a plain structure.
            pub const fn saved(&self) -> state::El1 {
                state::El1 { $($a: self.$a, $b: self.$b,)* $c: self.$c, $d: self.$d }
            }

            /// What they are in a plain structure.
            pub const fn from_saved(saved: &state::El1) -> Self {
                Self { $($a: saved.$a, $b: saved.$b,)* $c: saved.$c, $d: saved.$d }
            }

            /// Writes all of them to this core.
            pub fn load(&self) {
                // SAFETY: registers of EL1 and EL0 govern the guest only; EL2 runs with its own.
                unsafe {
                    $(let (a, b) = (self.$a, self.$b);
                    govern($name_a, a);
                    govern($name_b, b);)*
                    let (c, d) = (self.$c, self.$d);
                    // Walks are held until the last of them (`hold_walks`): nothing of it may be seen before all else is.
                    isb();
                    govern($name_c, c);
                    isb();
                    govern($name_d, d);
                }
            }

            /// Takes over what this core has.
            pub fn save(&mut self) {
                $((self.$a, self.$b) = ($name_a.get(), $name_b.get());)*
                (self.$c, self.$d) = ($name_c.get(), $name_d.get());
            }
        }
    };
}

registers! {
    first {
        /// Floating point trapped to EL1 until the guest opens it.
        cpacr = CPACR_EL1, 0;
        /// Translation is off.
        ttbr0 = TTBR0_EL1, 0;
        /// Translation is off.
        ttbr1 = TTBR1_EL1, 0;
        /// Memory types, used once translation is on.
        mair = MAIR_EL1, 0;
        /// Implementation-defined memory attributes.
        amair = AMAIR_EL1, 0;
        /// Exception vectors; the guest sets its own.
        vbar = VBAR_EL1, 0;
        /// Syndrome of the last exception.
        esr = ESR_EL1, 0;
        /// Fault address of the last exception.
        far = FAR_EL1, 0;
        /// Auxiliary fault status.
        afsr0 = AFSR0_EL1, 0;
        /// Auxiliary fault status.
        afsr1 = AFSR1_EL1, 0;
        /// Return address of an exception to EL1.
        elr = ELR_EL1, 0;
        /// Saved state of an exception to EL1.
        spsr = SPSR_EL1, 0;
        /// Stack pointer of EL0, also used at EL1 with SPSel 0.
        sp_el0 = SP_EL0, 0;
        /// Stack pointer of EL1.
        sp_el1 = SP_EL1, 0;
        /// Result of an address translation instruction.
        par = PAR_EL1, 0;
        /// Software thread word of EL1.
        tpidr_el1 = TPIDR_EL1, 0;
        /// Software thread word of EL0.
        tpidr_el0 = TPIDR_EL0, 0;
        /// Read-only software thread word of EL0.
        tpidrro_el0 = TPIDRRO_EL0, 0;
        /// Context id, used by debug only.
        contextidr = CONTEXTIDR_EL1, 0;
        /// Cache whose size CCSIDR_EL1 shows.
        csselr = CSSELR_EL1, 0;
        /// Debug control: no breakpoints, no single step.
        mdscr = MDSCR_EL1, 0;
        /// Access of EL0 to the timers and counters.
        cntkctl = CNTKCTL_EL1, 0;
        /// Virtual timer: compare value, before it is turned on.
        cntv_cval = CNTV_CVAL_EL0, 0;
        /// Virtual timer: off.
        cntv_ctl = CNTV_CTL_EL0, 0;
        /// Physical timer: compare value, before it is turned on.
        cntp_cval = CNTP_CVAL_EL0, 0;
        /// Physical timer: off.
        cntp_ctl = CNTP_CTL_EL0, 0;
    }
    last {
        /// RES1 bits only: MMU, caches and alignment checks off, little endian.
        sctlr = SCTLR_EL1, 0x30d0_0800;
        /// Translation is off.
        tcr = TCR_EL1, 0;
    }
}

/// What governs the translation of the guest that this core has: TCR_EL1, and TTBR0_EL1 and TTBR1_EL1.
pub fn translation() -> (u64, [u64; 2]) {
    (TCR_EL1.get(), [TTBR0_EL1.get(), TTBR1_EL1.get()])
}

/// Keeps this core from walking the tables of EL1, whatever it speculates on, until the translation registers of a vCPU are
/// complete and [`El1State::load`] has written the last of them. Otherwise its TLB could remember what half of one vCPU's
/// registers and half of another's mean (Cortex-A72 erratum 1319367: an address translation that is speculated on).
pub fn hold_walks() {
    /// TCR_EL1: a TLB miss of either half is a fault.
    const EPD: u64 = TCR_EL1::EPD0::SET.value | TCR_EL1::EPD1::SET.value;
    // SAFETY: registers of EL1 and EL0 govern the guest only, and none runs.
    unsafe {
        govern(TCR_EL1, EPD);
        // What the tables' registers hold may lead anywhere, if the MMU was off.
        isb();
        // With the MMU on, it is the walks that stand between an address and its translation.
        govern(SCTLR_EL1, El1State::RESET.sctlr | SCTLR_EL1::M::SET.value);
    }
    isb();
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
