//! Device registers, by single plain loads and stores, whose syndrome a hypervisor can decode.

use core::arch::asm;

/// Reads 32 bits at a device's address.
pub fn read32(address: u64) -> u32 {
    let value: u32;
    // SAFETY: device registers hold none of the program's memory.
    unsafe { asm!("ldr {:w}, [{}]", out(reg) value, in(reg) address, options(nostack)) };
    value
}

/// Writes 32 bits at a device's address.
pub fn write32(address: u64, value: u32) {
    // SAFETY: as in read32.
    unsafe { asm!("str {:w}, [{}]", in(reg) value, in(reg) address, options(nostack)) };
}
