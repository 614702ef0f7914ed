//! The end of a wire: line 0 of a PL061 (Arm DDI 0190, chapter 3), where QEMU's virt has that.

use guest_mmio::{read32, write32};

/// Its interrupt.
pub const INTERRUPT: u32 = 39;

const GPIO: u64 = 0x0903_0000;
/// GPIODATA with the mask of line 0 in its address.
const DATA: u64 = GPIO + 4;
const DIR: u64 = GPIO + 0x400;
const IBE: u64 = GPIO + 0x408;
const IE: u64 = GPIO + 0x410;
const MIS: u64 = GPIO + 0x418;
const IC: u64 = GPIO + 0x41c;

/// Makes the line an output.
pub fn drive() {
    write32(DIR, 1);
}

/// Has both edges of the line interrupt.
pub fn listen() {
    write32(IBE, 1);
    write32(IC, 1);
    write32(IE, 1);
}

/// Sets the line.
pub fn set(level: bool) {
    write32(DATA, u32::from(level));
}

/// Looks whether the line has interrupted, and acknowledges that.
pub fn serve() -> bool {
    let lines = read32(MIS);
    if lines != 0 {
        write32(IC, lines);
    }
    lines != 0
}
