//! All that a vCPU owns of a core besides its general registers and its interrupts, while another vCPU is on it.

use crate::barrier;
use crate::debug::{self, Debug};
use crate::el1::{self, El1State};
use crate::optional::{Features, Optional};
use crate::simd::Simd;
use crate::{system_error, timer};

/// System registers of EL1, and floating point.
#[derive(Debug)]
pub struct World {
    pub(crate) el1: El1State,
    pub(crate) optional: Optional,
    pub(crate) simd: Simd,
    pub(crate) debug: Debug,
    /// The core has its debug registers, and does not trap them.
    has_debug: bool,
}

impl World {
    /// The state in which a vCPU starts.
    pub const fn new() -> Self {
        Self {
            el1: El1State::RESET,
            optional: Optional::RESET,
            simd: Simd::new(),
            debug: Debug::RESET,
            has_debug: false,
        }
    }

    /// Takes over what this core has, whose guest timers are off then. Whether there is an SError to [take](system_error::take)
    /// in the name of the vCPU.
    #[must_use]
    #[inline(always)]
    pub fn save(&mut self, features: &Features) -> bool {
        // What the guest has stored is to have ended before the core is another one's: with an error, perhaps.
        barrier::dsb_sy();
        self.el1.save();
        self.simd.save();
        if self.has_debug {
            self.debug.save();
            self.keep_debug();
        }
        timer::stop_guest_timers();
        self.optional.save(features);
        system_error::is_pending(features)
    }

    /// Gives this core what was saved. Stage 2 must be that of the vCPU already, and its walks held:
    /// [`hold_walks`](crate::el1::hold_walks).
    pub fn load(&mut self, features: &Features) {
        self.simd.load();
        self.optional.load(features);
        self.el1.load();
        // After MDSCR_EL1, of which some bits can be written only while the OS lock is set: nobody leaves it cleared.
        if debug::is_in_use(&self.el1) {
            self.give_debug();
        }
    }

    /// Gives this core the debug registers too, which the guest wants to use. False if it has them already.
    #[cold]
    pub fn give_debug(&mut self) -> bool {
        let gives = !self.has_debug;
        if gives {
            self.debug.load();
            debug::trap(false);
            self.has_debug = true;
        }
        gives
    }

    /// The vCPU that had this core has gone off: its debug registers are what a start finds, and nobody else finds them.
    pub fn forget_debug(&mut self) {
        self.debug = Debug::RESET;
        if self.has_debug {
            self.debug.load();
            self.keep_debug();
        }
    }

    #[cold]
    fn keep_debug(&mut self) {
        debug::trap(true);
        self.has_debug = false;
    }

    /// Has the physical timer fire so many ticks later.
    pub const fn delay_physical_timer(&mut self, ticks: u64) {
        self.el1.cntp_cval = self.el1.cntp_cval.wrapping_add(ticks);
    }

    /// The EL1 system registers that every CPU has.
    pub const fn el1(&self) -> &El1State {
        &self.el1
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Brings a core into the state in which a vCPU starts, and leaves nothing of a former one in it.
pub fn reset(features: &Features) {
    el1::hold_walks();
    Optional::RESET.load(features);
    Debug::RESET.load();
    crate::simd::clear();
    El1State::RESET.load();
}
