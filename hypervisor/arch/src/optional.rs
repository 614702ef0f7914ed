//! EL1 registers that only some CPUs have: pointer authentication keys, the deferred error. With [`crate::el1`] and
//! [`crate::debug`] they are all the system registers that a vCPU owns.

use crate::registers::{ID_AA64ISAR1_EL1, ID_AA64PFR0_EL1, Readable};
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
        use ID_AA64ISAR1_EL1::{APA, API, GPA, GPI};
        let (isar1, isar2) = (ID_AA64ISAR1_EL1.get(), read_sysreg!("s3_0_c0_c6_2"));
        // ID_AA64ISAR2_EL1.GPA3 and APA3: QARMA3.
        let keys = [APA, API, GPA, GPI].iter().any(|field| field.is_set(isar1)) || isar2 >> 8 & 0xff != 0;
        // ID_AA64PFR0_EL1.RAS.
        let errors = ID_AA64PFR0_EL1.get() >> 28 & 0xf != 0;
        Self(if keys { POINTER_AUTHENTICATION } else { 0 } | if errors { DEFERRED_ERROR } else { 0 })
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
    }
}
