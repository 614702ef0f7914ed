//! Stops Cadence's watchdog of Xilinx' Zynq and Zynq UltraScale+ (UG1085, chapter 14; its registers: UG1087, module SWDT).

use super::watchdog::Stop;
use crate::driver::{Driver, Offer};

/// This driver.
pub static DRIVER: Driver =
    Driver { name: "a Cadence watchdog", compatible: &[b"cdns,wdt-r1p2"], offer: Offer::Watchdog(STOP) };

/// MODE: bit 0 is WDEN; what it does when it runs out is left as it is. Bits 12 and up of a write are the key, and read as zero.
const STOP: Stop = Stop { control: 0, runs: 1, kept: 0xffe, key: 0xabc << 12, lock: None };

#[cfg(test)]
mod tests {
    use super::super::watchdog::{Found, tests::after};
    use super::*;

    #[test]
    fn it_is_switched_off_by_its_key() {
        assert_eq!(after(&STOP, [0x1c3, 0, 0, 0]), (Some(Found::Stopped), [0x00ab_c1c2, 0, 0, 0]));
        assert_eq!(after(&STOP, [0x1c2, 0, 0, 0]), (Some(Found::Idle), [0x1c2, 0, 0, 0]));
        assert!(DRIVER.drives(b"cdns,wdt-r1p2"));
    }
}
