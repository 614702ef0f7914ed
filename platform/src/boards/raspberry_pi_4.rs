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
    wired: Some(wired),
    last_resort: Some(last_resort),
};

/// GPFSEL1 (section 5.2): what GPIO 14 is, the pin that both serial ports can send by.
const FUNCTION_SELECT_1: usize = 0xfe20_0004;
const GPIO_14_SHIFT: u32 = 12;
/// Its alternate functions 0, the PL011, and 5, the mini UART.
const ALTERNATE_0: u32 = 0b100;
const ALTERNATE_5: u32 = 0b010;
/// Registers of the PL011 and of the mini UART.
const PL011: u64 = 0xfe20_1000;
const MINI_UART: u64 = 0xfe21_5040;

/// What GPIO 14 is.
///
/// # Safety
///
/// This must be a BCM2711.
unsafe fn function(map: fn(u64)) -> Option<u32> {
    let select = NonNull::new(FUNCTION_SELECT_1 as *mut u32)?;
    map(select.as_ptr() as u64);
    // SAFETY: passed on to the caller; the register is mapped now, and reading it has no effect.
    Some(unsafe { select.read_volatile() } >> GPIO_14_SHIFT & 0b111)
}

/// Which of both ports the header has with this function of the pin.
const fn port(function: u32) -> Option<u64> {
    match function {
        ALTERNATE_0 => Some(PL011),
        ALTERNATE_5 => Some(MINI_UART),
        _ => None,
    }
}

/// Both ports can be on the header's pins, and the other one is Bluetooth's then: overlays move them, and not every tree's
/// `stdout-path` follows.
unsafe fn wired(told: u64, map: fn(u64)) -> Option<u64> {
    // SAFETY: passed on to the caller.
    if matches!(told, PL011 | MINI_UART) { port(unsafe { function(map)? }) } else { None }
}

/// With a device tree that names the chip but is wrong elsewhere, and without one where the firmware of a Raspberry Pi has
/// left its ATAGs for a Cortex-A72, which no other Pi has.
unsafe fn last_resort(entry: &Entry<'_>) -> Option<DrivenDevice> {
    let looks_like_it = entry.has_atags && cpu::is_cortex_a72();
    if !looks_like_it && !entry.is(RASPBERRY_PI_4.compatible) {
        return None;
    }
    // SAFETY: this is a BCM2711.
    let wired = port(unsafe { function(entry.map)? });
    let (driver, address, size): (&'static Driver, _, _) = match wired {
        Some(MINI_UART) => (&bcm2835_aux_uart::DRIVER, MINI_UART, 0x40),
        _ => (&pl011::DRIVER, PL011, 0x200),
    };
    Some(DrivenDevice { clock: RASPBERRY_PI_4.uart_clock, ..DrivenDevice::at(driver, address, size) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_says_which_port_it_is() {
        assert_eq!([0b100, 0b010].map(port), [Some(PL011), Some(MINI_UART)]);
        assert!([0b000, 0b001, 0b011, 0b101, 0b110, 0b111].iter().all(|function| port(*function).is_none()));
        // Another port is not looked at: this would be a read of the pin's register.
        // SAFETY: nothing is read.
        assert_eq!(unsafe { wired(0xfe20_1400, |_| panic!("it looks")) }, None);
    }
}
