//! Time of day from the real-time clock of Xilinx' Zynq UltraScale+ and Versal (UG1085, chapter 7; its registers: UG1087,
//! module RTC).

use core::ptr::NonNull;

use portcullis_board::WallClock;
use spin::Once;

use super::seconds::Seconds;
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver =
    Driver { name: "a ZynqMP RTC", compatible: &[b"xlnx,zynqmp-rtc"], offer: Offer::WallClock(bind) };

/// CURRENT_TIME. What somebody writes as a new time is there a second later; nobody does while the hypervisor has the clock.
const CURRENT_TIME: u64 = 0x10;

static CLOCK: Once<Seconds> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn WallClock> {
    let current = NonNull::new(device.registers.start.checked_add(CURRENT_TIME)? as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(CLOCK.call_once(|| unsafe { Seconds::new(current, "ZynqMP RTC and counter") }))
}

#[cfg(test)]
mod tests {
    use portcullis_board::Range;

    use super::*;

    #[test]
    fn the_second_is_the_fifth_register() {
        static BLOCK: [u32; 17] = {
            let mut block = [1; 17];
            block[4] = 1_764_500_000;
            block
        };
        let registers = Range::sized(BLOCK.as_ptr() as u64, size_of_val(&BLOCK) as u64);
        let device = DrivenDevice { registers, ..DrivenDevice::at(&DRIVER, 0, 0) };
        // SAFETY: the block is a register block in memory that stays.
        let clock = unsafe { bind(&device) }.unwrap();
        let second = clock.at(portcullis_arch::timer::count()).map(|time| time / 1_000_000_000);
        assert!(matches!(second, Some(1_764_500_000..1_764_500_010)), "{second:?}");
        assert_eq!(clock.name(), "ZynqMP RTC and counter");
        assert!(DRIVER.drives(b"xlnx,zynqmp-rtc"));
    }
}
