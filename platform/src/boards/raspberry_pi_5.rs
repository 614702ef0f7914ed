//! Raspberry Pi 5: the BCM2712 (Linux, `bcm2712.dtsi`).

use portcullis_board::Range;

use super::{Definition, Entry, unknown::UNKNOWN};
use crate::driver::DrivenDevice;
use crate::drivers::pl011;

/// Raspberry Pi 5. GIC-400, cores, PSCI and the PL011 of the debug connector come from the device tree.
pub const RASPBERRY_PI_5: Definition = Definition {
    compatible: "brcm,bcm2712",
    // TF-A, which is part of the board's firmware.
    firmware_memory: &[Range::sized(0, 0x8_0000)],
    last_resort: Some(last_resort),
    ..UNKNOWN
};

/// With a device tree that names the chip but is wrong elsewhere. Firmware has set the port up: its clock is not needed.
unsafe fn last_resort(entry: &Entry<'_>) -> Option<DrivenDevice> {
    entry.is(RASPBERRY_PI_5.compatible).then(|| DrivenDevice::at(&pl011::DRIVER, 0x10_7d00_1000, 0x200))
}
