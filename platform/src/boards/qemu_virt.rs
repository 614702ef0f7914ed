//! QEMU's `virt` machine (QEMU, `docs/system/arm/virt.rst`, `hw/arm/virt.c`).

use super::{Definition, Entry, unknown::UNKNOWN};
use crate::driver::DrivenDevice;
use crate::drivers::pl011;

/// QEMU's `virt` machine: PL011, PL031, GIC and PSCI, all by its device tree.
pub const QEMU_VIRT: Definition =
    Definition { compatible: "linux,dummy-virt", last_resort: Some(last_resort), ..UNKNOWN };

/// Where the RAM starts.
const RAM: u64 = 0x4000_0000;

/// Images are loaded into RAM. No other board that we know has its RAM there.
unsafe fn last_resort(entry: &Entry<'_>) -> Option<DrivenDevice> {
    let uart = DrivenDevice { clock: Some(24_000_000), ..DrivenDevice::at(&pl011::DRIVER, 0x0900_0000, 0x1000) };
    (entry.image >= RAM).then_some(uart)
}
