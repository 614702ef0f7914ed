//! Stops the watchdog of Amlogic's Meson, from GXBB on (Linux, `drivers/watchdog/meson_gxbb_wdt.c`).

use super::watchdog::Stop;
use crate::driver::{Driver, Offer};

/// This driver.
pub static DRIVER: Driver = Driver {
    name: "a Meson watchdog",
    compatible: &[b"amlogic,meson-gxbb-wdt", b"amlogic,t7-wdt"],
    offer: Offer::Watchdog(STOP),
};

/// CTRL: bit 18 is EN; the others are its clock's and what it resets.
const STOP: Stop = Stop { control: 0, runs: 1 << 18, kept: !(1 << 18), key: 0, lock: None };

#[cfg(test)]
mod tests {
    use super::super::watchdog::{Found, tests::after};
    use super::*;

    #[test]
    fn it_is_switched_off_and_keeps_its_clock() {
        assert_eq!(after(&STOP, [0x0326_5dbf, 1]), (Some(Found::Stopped), [0x0322_5dbf, 1]));
        assert_eq!(after(&STOP, [0x0322_5dbf, 1]).0, Some(Found::Idle));
        assert!(DRIVER.drives(b"amlogic,meson-gxbb-wdt"));
    }
}
