//! EL1 registers that only some CPUs have: pointer authentication keys, the deferred error. With [`crate::el1`] and
//! [`crate::debug`] they are all the system registers that a vCPU owns.

use crate::registers::{ID_AA64ISAR1_EL1, ID_AA64PFR0_EL1, Readable};
use crate::{barrier, read_sysreg, write_sysreg};

/// Which of these registers this core has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(u8);

/// FEAT_PAuth: the keys.
const POINTER_AUTHENTICATION: u8 = 1 << 0;
/// FEAT_RAS: a deferred error.
const DEFERRED_ERROR: u8 = 1 << 1;
/// FEAT_SPECRES on a core that does not say that it keeps predictions of different contexts apart by itself (CSV2): it may have
/// been [told](restrict_at_change) to use it. Others need not be asked.
const MAY_RESTRICT_PREDICTION: u8 = 1 << 2;

impl Features {
    /// What the core has on which this runs.
    pub fn here() -> Self {
        use ID_AA64ISAR1_EL1::{APA, API, GPA, GPI};
        let (isar1, isar2) = (ID_AA64ISAR1_EL1.get(), read_sysreg!("s3_0_c0_c6_2"));
        // ID_AA64ISAR2_EL1.GPA3 and APA3: QARMA3.
        let keys = [APA, API, GPA, GPI].iter().any(|field| field.is_set(isar1)) || isar2 >> 8 & 0xff != 0;
        // ID_AA64PFR0_EL1.RAS.
        let features = ID_AA64PFR0_EL1.get();
        let errors = features >> 28 & 0xf != 0;
        // ID_AA64ISAR1_EL1.SPECRES; ID_AA64PFR0_EL1.CSV2.
        let restricts = isar1 >> 40 & 0xf != 0 && features >> 56 & 0xf == 0;
        let each = [(keys, POINTER_AUTHENTICATION), (errors, DEFERRED_ERROR), (restricts, MAY_RESTRICT_PREDICTION)];
        Self(each.iter().fold(0, |all, (has, feature)| if *has { all | feature } else { all }))
    }

    /// It has the keys.
    pub const fn has_keys(self) -> bool {
        self.has(POINTER_AUTHENTICATION)
    }

    /// It can have a deferred error.
    pub const fn has_deferred_error(self) -> bool {
        self.has(DEFERRED_ERROR)
    }

    #[inline(always)]
    const fn has(self, feature: u8) -> bool {
        self.0 & feature != 0
    }
}

/// The values of these registers of a vCPU that is not on its core.
#[derive(Debug)]
#[repr(C)]
pub struct Optional {
    /// APIAKey to APGAKey, low and high.
    pub(crate) keys: [u64; 10],
    /// VDISR_EL2, which is what a guest's DISR_EL1 is.
    pub(crate) deferred_error: u64,
}

macro_rules! registers {
    ($(#[$doc:meta])* $save:ident $load:ident: $($n:literal $name:literal),*) => {
        $(#[$doc])*
        #[inline(always)]
        fn $save(values: &mut [u64; 10]) {
            $(values[$n] = read_sysreg!($name);)*
        }

        #[inline(always)]
        fn $load(values: &[u64; 10]) {
            // SAFETY: registers of EL1 and EL0; EL2 is compiled without pointer authentication.
            unsafe { $(write_sysreg!($name, values[$n]);)* }
        }
    };
}

registers!(
    /// FEAT_PAuth.
    save_keys load_keys: 0 "s3_0_c2_c1_0", 1 "s3_0_c2_c1_1", 2 "s3_0_c2_c1_2", 3 "s3_0_c2_c1_3", 4 "s3_0_c2_c2_0",
    5 "s3_0_c2_c2_1", 6 "s3_0_c2_c2_2", 7 "s3_0_c2_c2_3", 8 "s3_0_c2_c3_0", 9 "s3_0_c2_c3_1");

impl Optional {
    /// The state in which a vCPU starts: everything zero.
    pub const RESET: Self = Self { keys: [0; 10], deferred_error: 0 };

    /// Takes over what this core has.
    #[inline(always)]
    pub fn save(&mut self, features: &Features) {
        if features.0 == 0 {
            return;
        }
        if features.has(POINTER_AUTHENTICATION) {
            save_keys(&mut self.keys);
        }
        if features.has(DEFERRED_ERROR) {
            self.deferred_error = read_sysreg!("s3_4_c12_c1_1");
        }
    }

    /// Gives this core what was saved.
    #[inline(always)]
    pub fn load(&self, features: &Features) {
        if features.0 == 0 {
            return;
        }
        if features.has(POINTER_AUTHENTICATION) {
            load_keys(&self.keys);
        }
        if features.has(DEFERRED_ERROR) {
            // SAFETY: the deferred error is reported to the guest only.
            unsafe {
                write_sysreg!("s3_4_c12_c1_1", self.deferred_error);
            }
        }
        if features.has(MAY_RESTRICT_PREDICTION) {
            restrict_prediction();
        }
    }
}

/// Says whether a vCPU that comes onto this core has it forget by CFP RCTX what the others have taught it. The core must have its
/// [anchor](crate::cpu::set_anchor), and FEAT_SPECRES if it is to.
pub fn restrict_at_change(wanted: bool) {
    crate::cpu::note_restriction(wanted);
}

/// CFP RCTX, where this core was [told](restrict_at_change) to, for EL1 and EL0 of every VM: no branch that is executed afterwards
/// is predicted by what was learnt there (Arm ARM, C5.6).
#[cold]
fn restrict_prediction() {
    /// GVMID, NS, GASID: every VMID, Non-secure state, every ASID.
    const EVERY_GUEST: u64 = 1 << 48 | 1 << 26 | 1 << 16;
    if !crate::cpu::restricts() {
        return;
    }
    for level in [0u64, 1] {
        #[cfg(target_os = "none")]
        // SAFETY: it changes what is predicted, and nothing that a program can see.
        unsafe {
            core::arch::asm!("sys #3, c7, c3, #4, {}", in(reg) EVERY_GUEST | level << 24, options(nostack, preserves_flags));
        }
        #[cfg(not(target_os = "none"))]
        crate::fake::happens(crate::fake::Event::Maintain("cfp rctx", (EVERY_GUEST | level << 24) as usize, 0));
    }
    // It is complete behind a DSB, and takes effect behind a context synchronization event, which the entry into the guest is.
    barrier::dsb_sy();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Event};

    #[test]
    fn predictions_are_restricted_where_the_core_was_told_to() {
        // SAFETY: it lives for ever, and nothing runs on its stacks here.
        unsafe { crate::cpu::set_anchor(Box::leak(Box::new(crate::cpu::Anchor::new(0, 0)))) };
        let restricts = |isar1: u64, pfr0: u64| {
            fake::set("id_aa64isar1_el1", isar1);
            fake::set("id_aa64pfr0_el1", pfr0);
            let features = Features::here();
            fake::record();
            Optional::RESET.load(&features);
            fake::recorded()
                .into_iter()
                .filter_map(|event| if let Event::Maintain("cfp rctx", what, _) = event { Some(what) } else { None })
                .collect::<Vec<usize>>()
        };
        assert!(restricts(1 << 40, 0).is_empty(), "nobody has told it");
        restrict_at_change(true);
        assert_eq!(restricts(1 << 40, 0), [0x1_0000_0401_0000, 0x1_0000_0501_0000], "EL0 and EL1 of all");
        assert!(restricts(0, 0).is_empty() && restricts(1 << 40, 1 << 56).is_empty());
        restrict_at_change(false);
        assert!(restricts(1 << 40, 0).is_empty(), "what its exits begin with does it, or nothing needs it");
    }
}
