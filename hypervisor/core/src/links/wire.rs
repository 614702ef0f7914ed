//! What there is to know of a wire: its ends are lines of two VMs' controllers.

use portcullis_abi::{manage, map};

use super::report::{End, Link};
use crate::devices::gpio::Gpio;

/// A wire as it is laid.
pub struct Wire {
    /// Its name.
    pub name: &'static str,
    /// The line that drives it, and the one that sees it.
    pub ends: [(&'static Gpio, usize); 2],
}

impl Link for Wire {
    fn kind(&self) -> u64 {
        manage::LINK_WIRE
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn ends(&self) -> usize {
        self.ends.len()
    }

    fn end(&self, end: usize) -> Option<End> {
        let (controller, line) = self.ends.get(end)?;
        let drives = if end == 0 { manage::LINK_END_DRIVES } else { 0 };
        let up = controller.is_high(*line);
        Some(End { vm: controller.vm(), up, about: *line as u64 | drives, intid: map::GPIO_INTID })
    }

    fn counter(&self, end: usize, index: usize) -> Option<u64> {
        let (controller, line) = self.ends.get(end)?;
        [controller.edges(*line)].get(index).copied()
    }

    fn has(&self, vm: usize) -> bool {
        self.ends.iter().any(|(controller, _)| controller.vm() == vm)
    }
}
