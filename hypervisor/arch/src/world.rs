//! All that a vCPU owns of a core besides its general registers and its interrupts, while another vCPU is on it.

use crate::el1::El1State;
use crate::optional::{Features, Optional};
use crate::simd::Simd;

/// System registers of EL1, and floating point.
#[derive(Debug)]
pub struct World {
    el1: El1State,
    optional: Optional,
    simd: Simd,
}

impl World {
    /// The state in which a vCPU starts.
    pub const fn new() -> Self {
        Self { el1: El1State::RESET, optional: Optional::RESET, simd: Simd::new() }
    }

    /// Takes over what this core has.
    pub fn save(&mut self, features: &Features) {
        self.el1.save();
        self.optional.save(features);
        self.simd.save();
    }

    /// Gives this core what was saved. Stage 2 must be that of the vCPU already, and its walks held:
    /// [`hold_walks`](crate::el1::hold_walks).
    pub fn load(&self, features: &Features) {
        self.simd.load();
        self.optional.load(features);
        self.el1.load();
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
    Optional::RESET.load(features);
    crate::simd::clear();
    El1State::RESET.load();
}
