//! Raspberry Pi 4 Model B, and QEMU's `raspi4b`: the BCM2711 (BCM2711 ARM Peripherals; Linux, `bcm2711.dtsi`).

use core::ptr::NonNull;

use portcullis_arch::cpu;
use portcullis_board::Range;

use super::{Definition, Entry};
use crate::driver::{DrivenDevice, Driver};
use crate::drivers::{bcm2835_aux_uart, pl011};

/// Raspberry Pi 4. GIC-400, cores and PSCI come from the device tree.
pub const RASPBERRY_PI_4: Definition = Definition {
    compatible: "brcm,bcm2711",
    // The stub that all cores start in, and TF-A where that is the stub; only TF-A says so in the tree.
    firmware_memory: &[Range::sized(0, 0x8_0000)],
    uart_clock: Some(48_000_000),
    last_resort: Some(last_resort),
};

/// GPFSEL1 (section 5.2): what GPIO 14 is, the pin that both serial ports can send by.
const FUNCTION_SELECT_1: usize = 0xfe20_0004;
const GPIO_14_SHIFT: u32 = 12;
/// Its alternate function 5: the mini UART. Function 0 is the PL011.
const ALTERNATE_5: u32 = 0b010;

/// With a device tree that names the chip but is wrong elsewhere, and without one where the firmware of a Raspberry Pi has
/// left its ATAGs for a Cortex-A72, which no other Pi has.
unsafe fn last_resort(entry: &Entry<'_>) -> Option<DrivenDevice> {
    let looks_like_it = entry.has_atags && cpu::is_cortex_a72();
    if !looks_like_it && !entry.is(RASPBERRY_PI_4.compatible) {
        return None;
    }
    let select = NonNull::new(FUNCTION_SELECT_1 as *mut u32)?;
    (entry.map)(select.as_ptr() as u64);
    // SAFETY: this is a BCM2711, the register is mapped now, and reading it has no effect.
    let function = unsafe { select.read_volatile() } >> GPIO_14_SHIFT & 0b111;
    let (driver, address, size): (&'static Driver, _, _) = match function {
        ALTERNATE_5 => (&bcm2835_aux_uart::DRIVER, 0xfe21_5040, 0x40),
        _ => (&pl011::DRIVER, 0xfe20_1000, 0x200),
    };
    Some(DrivenDevice { clock: RASPBERRY_PI_4.uart_clock, ..DrivenDevice::at(driver, address, size) })
}
