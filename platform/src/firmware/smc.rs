//! The firmware that is really there, by SMC.

use portcullis_arch::{smc, timer};
use portcullis_board::Firmware;

use super::El3;

/// EL3. To be used only where the device tree says that it answers SMCs.
#[derive(Clone, Copy, Debug)]
pub struct Smc {
    /// Results may stand in x4 to x7.
    pub wide: bool,
}

impl El3 for Smc {
    fn call(&self, x: [u64; 8]) -> [u64; 8] {
        smc::call(x)
    }

    fn count(&self) -> u64 {
        timer::count()
    }
}

impl Firmware for Smc {
    fn call(&self, x: &mut [u64; 18]) {
        smc::forward(x);
    }

    fn is_wide(&self) -> bool {
        self.wide
    }
}
