//! EL1 registers that only some CPUs have: pointer authentication keys, the deferred error. With [`crate::el1`] and
//! [`crate::debug`] they are all the system registers that a vCPU owns.

use crate::{read_sysreg, write_sysreg};

/// Which of these registers this core has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(u8);

/// FEAT_PAuth: the keys.
const POINTER_AUTHENTICATION: u8 = 1 << 0;
/// FEAT_RAS: a deferred error.
const DEFERRED_ERROR: u8 = 1 << 1;

impl Features {
    /// What the core has on which this runs.
    pub fn here() -> Self {
        let field = |register: u64, shift: u32| register >> shift & 0xf;
        let (isar1, isar2) = (read_sysreg!("id_aa64isar1_el1"), read_sysreg!("s3_0_c0_c6_2"));
        let keys = field(isar1, 4) | field(isar1, 8) | field(isar1, 24) | field(isar1, 28);
        let keys = keys | field(isar2, 8) | field(isar2, 12) != 0;
        let errors = field(read_sysreg!("id_aa64pfr0_el1"), 28) != 0;
        Self(if keys { POINTER_AUTHENTICATION } else { 0 } | if errors { DEFERRED_ERROR } else { 0 })
    }

    /// Whether an SError can be deferred (FEAT_RAS).
    #[inline(always)]
    pub const fn defers_errors(self) -> bool {
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
    keys: [u64; 10],
    /// VDISR_EL2, which is what a guest's DISR_EL1 is.
    deferred_error: u64,
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
    }
}
