//! EL1 registers that only some CPUs have, or of which they have different numbers: pointer authentication keys, breakpoints
//! and watchpoints, the deferred error, the double lock. With [`crate::el1`] they are all the system registers that a vCPU owns.

use crate::{read_sysreg, write_sysreg};

/// Most breakpoints, and most watchpoints, that a CPU has.
const MAX: usize = 16;

/// Breakpoints and watchpoints that nearly every CPU has.
const USUAL: (usize, usize) = (6, 4);

/// DBGCLAIMSET_EL1 and DBGCLAIMCLR_EL1: the claim tags.
const CLAIM_TAGS: u64 = 0xff;

/// Which of these registers this core has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// FEAT_PAuth: the keys.
    pointer_authentication: bool,
    /// FEAT_RAS: a deferred error.
    deferred_error: bool,
    /// FEAT_DoubleLock: OSDLR_EL1.
    double_lock: bool,
    /// Number of breakpoints, 2 to 16.
    breakpoints: usize,
    /// Number of watchpoints, 2 to 16.
    watchpoints: usize,
}

impl Features {
    /// What the core has on which this runs.
    pub fn here() -> Self {
        let field = |register: u64, shift: u32| register >> shift & 0xf;
        let (isar1, isar2) = (read_sysreg!("id_aa64isar1_el1"), read_sysreg!("s3_0_c0_c6_2"));
        let keys = field(isar1, 4) | field(isar1, 8) | field(isar1, 24) | field(isar1, 28);
        let debug = read_sysreg!("id_aa64dfr0_el1");
        Self {
            pointer_authentication: keys | field(isar2, 8) | field(isar2, 12) != 0,
            deferred_error: field(read_sysreg!("id_aa64pfr0_el1"), 28) != 0,
            // 0 if there is one, all ones if not.
            double_lock: field(debug, 36) == 0,
            // The fields hold the number less one.
            breakpoints: field(debug, 12) as usize + 1,
            watchpoints: field(debug, 20) as usize + 1,
        }
    }

    /// Whether it has as many breakpoints and watchpoints as nearly every CPU: then they need not be counted off.
    fn has_usual_debug(&self) -> bool {
        (self.breakpoints, self.watchpoints) == USUAL
    }
}

/// The values of these registers of a vCPU that is not on its core.
#[derive(Debug)]
#[repr(C)]
pub struct Optional {
    /// DBGBVR<n>_EL1 and DBGBCR<n>_EL1.
    breakpoints: [[u64; 2]; MAX],
    /// DBGWVR<n>_EL1 and DBGWCR<n>_EL1.
    watchpoints: [[u64; 2]; MAX],
    /// APIAKey to APGAKey, low and high.
    keys: [u64; 10],
    /// VDISR_EL2, which is what a guest's DISR_EL1 is.
    deferred_error: u64,
    /// OSLSR_EL1.OSLK: breakpoints and watchpoints are off.
    os_lock: u64,
    /// OSDLR_EL1: debug exceptions are off altogether.
    double_lock: u64,
    /// MDCCINT_EL1.
    communication_interrupt: u64,
    /// The claim tags.
    claim: u64,
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

/// Pairs of registers of which a core has the first `count`.
macro_rules! pairs {
    ($save:ident $load:ident: $($n:literal $value:literal $control:literal),*) => {
        #[inline(always)]
        fn $save(count: usize, pairs: &mut [[u64; 2]; MAX]) {
            $(if $n >= count {
                return;
            }
            pairs[$n] = [read_sysreg!($value), read_sysreg!($control)];)*
        }

        #[inline(always)]
        fn $load(count: usize, pairs: &[[u64; 2]; MAX]) {
            $(if $n >= count {
                return;
            }
            // SAFETY: debug exceptions are taken at EL1 at the lowest, never by EL2 (MDCR_EL2.TDE is 0).
            unsafe {
                let [value, control] = pairs[$n];
                write_sysreg!($value, value);
                write_sysreg!($control, control);
            })*
        }
    };
}

pairs!(save_breakpoints load_breakpoints:
    0 "s2_0_c0_c0_4" "s2_0_c0_c0_5", 1 "s2_0_c0_c1_4" "s2_0_c0_c1_5", 2 "s2_0_c0_c2_4" "s2_0_c0_c2_5",
    3 "s2_0_c0_c3_4" "s2_0_c0_c3_5", 4 "s2_0_c0_c4_4" "s2_0_c0_c4_5", 5 "s2_0_c0_c5_4" "s2_0_c0_c5_5",
    6 "s2_0_c0_c6_4" "s2_0_c0_c6_5", 7 "s2_0_c0_c7_4" "s2_0_c0_c7_5", 8 "s2_0_c0_c8_4" "s2_0_c0_c8_5",
    9 "s2_0_c0_c9_4" "s2_0_c0_c9_5", 10 "s2_0_c0_c10_4" "s2_0_c0_c10_5", 11 "s2_0_c0_c11_4" "s2_0_c0_c11_5",
    12 "s2_0_c0_c12_4" "s2_0_c0_c12_5", 13 "s2_0_c0_c13_4" "s2_0_c0_c13_5", 14 "s2_0_c0_c14_4" "s2_0_c0_c14_5",
    15 "s2_0_c0_c15_4" "s2_0_c0_c15_5");
pairs!(save_watchpoints load_watchpoints:
    0 "s2_0_c0_c0_6" "s2_0_c0_c0_7", 1 "s2_0_c0_c1_6" "s2_0_c0_c1_7", 2 "s2_0_c0_c2_6" "s2_0_c0_c2_7",
    3 "s2_0_c0_c3_6" "s2_0_c0_c3_7", 4 "s2_0_c0_c4_6" "s2_0_c0_c4_7", 5 "s2_0_c0_c5_6" "s2_0_c0_c5_7",
    6 "s2_0_c0_c6_6" "s2_0_c0_c6_7", 7 "s2_0_c0_c7_6" "s2_0_c0_c7_7", 8 "s2_0_c0_c8_6" "s2_0_c0_c8_7",
    9 "s2_0_c0_c9_6" "s2_0_c0_c9_7", 10 "s2_0_c0_c10_6" "s2_0_c0_c10_7", 11 "s2_0_c0_c11_6" "s2_0_c0_c11_7",
    12 "s2_0_c0_c12_6" "s2_0_c0_c12_7", 13 "s2_0_c0_c13_6" "s2_0_c0_c13_7", 14 "s2_0_c0_c14_6" "s2_0_c0_c14_7",
    15 "s2_0_c0_c15_6" "s2_0_c0_c15_7");

impl Optional {
    /// The state in which a vCPU starts: everything zero, the OS lock set as at a reset (Arm ARM, OSLSR_EL1).
    pub const RESET: Self = Self {
        keys: [0; 10],
        deferred_error: 0,
        breakpoints: [[0; 2]; MAX],
        watchpoints: [[0; 2]; MAX],
        os_lock: 1,
        double_lock: 0,
        communication_interrupt: 0,
        claim: 0,
    };

    /// Takes over what this core has. Out of line: what is stored is near to `self` then, and two go by one instruction.
    #[inline(never)]
    pub fn save(&mut self, features: &Features) {
        if features.pointer_authentication {
            save_keys(&mut self.keys);
        }
        if features.deferred_error {
            self.deferred_error = read_sysreg!("s3_4_c12_c1_1");
        }
        if features.has_usual_debug() {
            save_breakpoints(USUAL.0, &mut self.breakpoints);
            save_watchpoints(USUAL.1, &mut self.watchpoints);
        } else {
            save_breakpoints(features.breakpoints, &mut self.breakpoints);
            save_watchpoints(features.watchpoints, &mut self.watchpoints);
        }
        self.os_lock = read_sysreg!("s2_0_c1_c1_4") >> 1 & 1;
        if features.double_lock {
            self.double_lock = read_sysreg!("s2_0_c1_c3_4");
        }
        self.communication_interrupt = read_sysreg!("s2_0_c0_c2_0");
        self.claim = read_sysreg!("s2_0_c7_c9_6");
    }

    /// Gives this core what was saved.
    pub fn load(&self, features: &Features) {
        if features.pointer_authentication {
            load_keys(&self.keys);
        }
        if features.has_usual_debug() {
            load_breakpoints(USUAL.0, &self.breakpoints);
            load_watchpoints(USUAL.1, &self.watchpoints);
        } else {
            load_breakpoints(features.breakpoints, &self.breakpoints);
            load_watchpoints(features.watchpoints, &self.watchpoints);
        }
        // SAFETY: as for breakpoints; the deferred error is reported to the guest only.
        unsafe {
            if features.deferred_error {
                write_sysreg!("s3_4_c12_c1_1", self.deferred_error);
            }
            write_sysreg!("s2_0_c1_c0_4", self.os_lock);
            if features.double_lock {
                write_sysreg!("s2_0_c1_c3_4", self.double_lock);
            }
            write_sysreg!("s2_0_c0_c2_0", self.communication_interrupt);
            write_sysreg!("s2_0_c7_c9_6", CLAIM_TAGS);
            write_sysreg!("s2_0_c7_c8_6", self.claim);
        }
    }
}
