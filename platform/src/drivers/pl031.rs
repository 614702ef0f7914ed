//! Time of day from an Arm PL031 real-time clock (DDI 0224).

use core::ptr::NonNull;

use portcullis_board::WallClock;
use spin::Once;

use super::seconds::Seconds;
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver = Driver { name: "a PL031", compatible: &[b"arm,pl031"], offer: Offer::WallClock(bind) };

/// RTCDR, the seconds since 1970, is its first register.
static CLOCK: Once<Seconds> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn WallClock> {
    let data = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(CLOCK.call_once(|| unsafe { Seconds::new(data, "PL031 and counter") }))
}
