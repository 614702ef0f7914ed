//! Stops the generic watchdog of Arm's Base System Architecture (DEN0094, appendix A).

use super::watchdog::Stop;
use crate::driver::{Driver, Offer};

/// This driver. The first registers of its node are those of the control frame (Linux, `arm,sbsa-gwdt.yaml`).
pub static DRIVER: Driver =
    Driver { name: "a generic watchdog", compatible: &[b"arm,sbsa-gwdt"], offer: Offer::Watchdog(STOP) };

/// WCS: bit 0 is EN; the others only tell, and a write is a refresh as well.
const STOP: Stop = Stop { control: 0, runs: 1, kept: 0, key: 0, lock: None };

#[cfg(test)]
mod tests {
    use super::super::watchdog::{Found, tests::after};
    use super::*;

    #[test]
    fn it_is_switched_off() {
        // Running, and once run out.
        assert_eq!(after(&STOP, [0b011, 0, 9]), (Some(Found::Stopped), [0, 0, 9]));
        assert_eq!(after(&STOP, [0b010, 0, 9]).0, Some(Found::Idle));
        assert!(DRIVER.drives(b"arm,sbsa-gwdt"));
    }
}
