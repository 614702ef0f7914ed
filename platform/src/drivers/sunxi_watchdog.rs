//! Stops the watchdog of Allwinner's SoCs, from A31 on (Linux, `drivers/watchdog/sunxi_wdt.c`).

use super::watchdog::Stop;
use crate::driver::{Driver, Offer};

/// This driver. The 64-bit SoCs up to H616 have this one, behind a name of their own.
pub static DRIVER: Driver =
    Driver { name: "an Allwinner watchdog", compatible: &[b"allwinner,sun6i-a31-wdt"], offer: Offer::Watchdog(STOP) };

/// WDOG_MODE: bit 0 is its enable; bits 4 to 7 are its time.
const STOP: Stop = Stop { control: 0x18, runs: 1, kept: 0xf0, key: 0, lock: None };

#[cfg(test)]
mod tests {
    use super::super::watchdog::{Found, tests::after};
    use super::*;

    #[test]
    fn it_is_switched_off() {
        let found = after(&STOP, [0, 0, 0, 0, 0, 1, 0xb1, 0]);
        assert_eq!(found, (Some(Found::Stopped), [0, 0, 0, 0, 0, 1, 0xb0, 0]));
        assert!(DRIVER.drives(b"allwinner,sun6i-a31-wdt"));
    }
}
