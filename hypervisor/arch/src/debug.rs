//! The registers of self-hosted debug: breakpoints, watchpoints, the OS locks and the communications channel.
//!
//! A guest that is not being debugged hardly touches them, so a core that vCPUs share keeps them from its guests (MDCR_EL2.TDA
//! and TDOSA) until the loaded vCPU uses one: then it is given its own, and has them until it leaves the core. What another
//! vCPU left in them meanwhile has no effect, as nothing is debugged without MDSCR_EL1, which changes hands at every switch.

use crate::el1::El1State;
use crate::registers::{ID_AA64DFR0_EL1, MDCR_EL2, MDSCR_EL1, Readable, govern};
use crate::{barrier::isb, read_sysreg, write_sysreg};

/// Most breakpoints, and most watchpoints, that a CPU has.
const MAX: usize = 16;

/// DBGCLAIMSET_EL1 and DBGCLAIMCLR_EL1: the claim tags.
const CLAIM_TAGS: u64 = 0xff;

/// MDCR_EL2: accesses to debug registers (TDA) and to the OS locks (TDOSA) trap.
const TRAPS: u64 = MDCR_EL2::TDA::SET.value | MDCR_EL2::TDOSA::SET.value;

/// MDSCR_EL1: single step (SS), debug exceptions in the kernel (KDE), breakpoints and watchpoints (MDE).
const IN_USE: u64 = MDSCR_EL1::SS::SET.value | MDSCR_EL1::KDE::SET.value | MDSCR_EL1::MDE::SET.value;

/// Which of these registers a core has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    /// Number of breakpoints, 2 to 16.
    pub breakpoints: usize,
    /// Number of watchpoints, 2 to 16.
    pub watchpoints: usize,
    /// FEAT_DoubleLock: OSDLR_EL1.
    pub double_lock: bool,
}

impl Features {
    /// What the core has on which this runs.
    pub fn here() -> Self {
        let debug = ID_AA64DFR0_EL1.get();
        // The numbers are given less one. DoubleLock, bits 39:36: 0 if there is one, all ones if not.
        Self {
            breakpoints: ID_AA64DFR0_EL1::BRPs.read(debug) as usize + 1,
            watchpoints: ID_AA64DFR0_EL1::WRPs.read(debug) as usize + 1,
            double_lock: debug >> 36 & 0xf == 0,
        }
    }
}

/// The values of these registers of a vCPU that does not have them.
#[derive(Debug)]
pub struct Debug {
    /// `DBGBVR<n>_EL1` and `DBGBCR<n>_EL1`.
    pub(crate) breakpoints: [[u64; 2]; MAX],
    /// `DBGWVR<n>_EL1` and `DBGWCR<n>_EL1`.
    pub(crate) watchpoints: [[u64; 2]; MAX],
    /// OSLSR_EL1.OSLK: breakpoints and watchpoints are off.
    pub(crate) os_lock: u64,
    /// OSDLR_EL1: debug exceptions are off altogether.
    pub(crate) double_lock: u64,
    /// MDCCINT_EL1.
    pub(crate) communication_interrupt: u64,
    /// OSDTRRX_EL1 and OSDTRTX_EL1: what the communications channel holds.
    pub(crate) communication: [u64; 2],
    /// OSECCR_EL1.
    pub(crate) exception_catch: u64,
    /// The claim tags.
    pub(crate) claim: u64,
}

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

impl Debug {
    /// The state in which a vCPU starts: everything zero, the OS lock set as at a reset (Arm ARM, OSLSR_EL1).
    pub const RESET: Self = Self {
        breakpoints: [[0; 2]; MAX],
        watchpoints: [[0; 2]; MAX],
        os_lock: 1,
        double_lock: 0,
        communication_interrupt: 0,
        communication: [0; 2],
        exception_catch: 0,
        claim: 0,
    };

    /// Takes over what this core has.
    #[inline(never)]
    pub fn save(&mut self) {
        let features = Features::here();
        save_breakpoints(features.breakpoints, &mut self.breakpoints);
        save_watchpoints(features.watchpoints, &mut self.watchpoints);
        self.os_lock = read_sysreg!("s2_0_c1_c1_4") >> 1 & 1;
        if features.double_lock {
            self.double_lock = read_sysreg!("s2_0_c1_c3_4");
        }
        self.communication_interrupt = read_sysreg!("s2_0_c0_c2_0");
        self.claim = read_sysreg!("s2_0_c7_c9_6");
        // Locked from here on: these are for saving and loading only, and what the next vCPU's MDSCR_EL1 says is taken whole.
        lock(1);
        self.communication = [read_sysreg!("s2_0_c0_c0_2"), read_sysreg!("s2_0_c0_c3_2")];
        self.exception_catch = read_sysreg!("s2_0_c0_c6_2");
    }

    /// Gives this core what was saved.
    #[inline(never)]
    pub fn load(&self) {
        let features = Features::here();
        load_breakpoints(features.breakpoints, &self.breakpoints);
        load_watchpoints(features.watchpoints, &self.watchpoints);
        // Some can be written while the OS lock is set only.
        lock(1);
        // SAFETY: debug exceptions are taken at EL1 at the lowest, never by EL2 (MDCR_EL2.TDE is 0).
        unsafe {
            write_sysreg!("s2_0_c0_c6_2", self.exception_catch);
            if features.double_lock {
                write_sysreg!("s2_0_c1_c3_4", self.double_lock);
            }
            write_sysreg!("s2_0_c0_c2_0", self.communication_interrupt);
            write_sysreg!("s2_0_c0_c0_2", self.communication[0]);
            write_sysreg!("s2_0_c0_c3_2", self.communication[1]);
            write_sysreg!("s2_0_c7_c9_6", CLAIM_TAGS);
            write_sysreg!("s2_0_c7_c8_6", self.claim);
        }
        lock(self.os_lock);
    }
}

/// Writes OSLAR_EL1, which sets or clears OSLSR_EL1.OSLK.
fn lock(value: u64) {
    // SAFETY: as for breakpoints.
    unsafe {
        write_sysreg!("s2_0_c1_c0_4", value);
    }
    isb();
}

/// Whether a vCPU with these registers is being debugged, and has to have its debug registers before it goes on.
pub fn is_in_use(el1: &El1State) -> bool {
    el1.mdscr & IN_USE != 0
}

/// Has the guest's use of these registers trap on this core from now on, or not.
pub fn trap(traps: bool) {
    let others = MDCR_EL2.get() & !TRAPS;
    // SAFETY: what the guest may do; EL2 is not concerned.
    unsafe {
        govern(MDCR_EL2, if traps { others | TRAPS } else { others });
    }
}
