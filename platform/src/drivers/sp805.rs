//! Stops Arm's watchdog SP805 (DDI 0270, chapter 3).

use super::watchdog::Stop;
use crate::driver::{Driver, Offer};

/// This driver.
pub static DRIVER: Driver = Driver { name: "an SP805", compatible: &[b"arm,sp805"], offer: Offer::Watchdog(STOP) };

/// WdogControl: INTEN lets it count, RESEN reset. WdogLock: a certain value lets writes in, any other one keeps them out.
const STOP: Stop = Stop { control: 0x8, runs: 0b11, kept: 0, key: 0, lock: Some((0xc00, [0x1acc_e551, 1])) };

#[cfg(test)]
mod tests {
    use super::super::watchdog::{Found, tests::after};
    use super::*;

    #[test]
    fn it_is_unlocked_switched_off_and_locked() {
        let mut block = [0u32; 0x400];
        block[2] = 0b11;
        let (found, block) = after(&STOP, block);
        assert_eq!((found, block[2], block[0x300]), (Some(Found::Stopped), 0, 1));
        assert!(DRIVER.drives(b"arm,sp805"));
    }
}
