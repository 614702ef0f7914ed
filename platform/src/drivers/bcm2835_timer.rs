//! The system timer of a BCM2835 or BCM2711, a free-running counter of microseconds (BCM2711 ARM Peripherals, section 10).

use core::ptr::NonNull;

use safe_mmio::{UniqueMmioPointer, field_shared, fields::ReadPure};

use crate::drivers::rate::Reference;
use crate::facts::Facts;

/// The registers that are used: CLO, the lower half of the counter.
#[repr(C)]
pub struct Registers {
    control: u32,
    low: ReadPure<u32>,
}

/// A system timer.
pub struct SystemTimer(UniqueMmioPointer<'static, Registers>);

/// The board's, if the device tree has one.
///
/// # Safety
///
/// What the facts say must be true, and the registers must be mapped.
pub unsafe fn find(facts: &Facts) -> Option<SystemTimer> {
    let registers = NonNull::new(facts.microseconds?.start as *mut _)?;
    // SAFETY: passed on to the caller; only the counter is read, which has no effect.
    Some(SystemTimer(unsafe { UniqueMmioPointer::new(registers) }))
}

impl Reference for SystemTimer {
    fn microseconds(&self) -> u32 {
        field_shared!(self.0, low).read()
    }
}
