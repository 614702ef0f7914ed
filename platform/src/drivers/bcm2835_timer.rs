//! The system timer of a BCM2835 or BCM2711, a free-running counter of microseconds (BCM2711 ARM Peripherals, section 10).

use core::ptr::NonNull;

use safe_mmio::{UniqueMmioPointer, field_shared, fields::ReadPure};
use spin::{Mutex, Once};

use crate::driver::{DrivenDevice, Driver, Offer};
use crate::drivers::rate::Reference;

/// This driver.
pub static DRIVER: Driver = Driver {
    name: "a BCM2835 system timer",
    compatible: &[b"brcm,bcm2835-system-timer"],
    offer: Offer::Reference(bind),
};

/// The registers that are used: CLO, the lower half of the counter.
#[repr(C)]
pub struct Registers {
    control: u32,
    low: ReadPure<u32>,
}

/// A system timer.
pub struct SystemTimer(Mutex<UniqueMmioPointer<'static, Registers>>);

static TIMER: Once<SystemTimer> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn Reference> {
    let registers = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(TIMER.call_once(|| SystemTimer(Mutex::new(unsafe { UniqueMmioPointer::new(registers) }))))
}

impl Reference for SystemTimer {
    fn microseconds(&self) -> u32 {
        field_shared!(self.0.lock(), low).read()
    }
}
