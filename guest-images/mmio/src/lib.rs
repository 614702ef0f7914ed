//! Device registers. The accesses are single plain loads and stores, whose syndrome a hypervisor can decode; a compiler
//! might choose a form with write-back for a volatile access.
//!
//! A crate of its own, as the measuring guests have nothing else of the runtime.
#![no_std]
#![cfg(target_os = "none")]

use core::arch::asm;

/// Reads 32 bits at a device's address.
#[inline]
pub fn read32(address: u64) -> u32 {
    let value: u32;
    // SAFETY: devices are identity-mapped and hold none of the program's memory.
    unsafe { asm!("ldr {:w}, [{}]", out(reg) value, in(reg) address, options(nostack)) };
    value
}

/// Writes 32 bits at a device's address.
#[inline]
pub fn write32(address: u64, value: u32) {
    // SAFETY: as in read32.
    unsafe { asm!("str {:w}, [{}]", in(reg) value, in(reg) address, options(nostack)) };
}

/// Reads 64 bits at a device's address.
#[inline]
pub fn read64(address: u64) -> u64 {
    let value: u64;
    // SAFETY: as in read32.
    unsafe { asm!("ldr {}, [{}]", out(reg) value, in(reg) address, options(nostack)) };
    value
}

/// Writes 64 bits at a device's address.
#[inline]
pub fn write64(address: u64, value: u64) {
    // SAFETY: as in read32.
    unsafe { asm!("str {}, [{}]", in(reg) value, in(reg) address, options(nostack)) };
}

/// Writes 8 bits at a device's address.
#[inline]
pub fn write8(address: u64, value: u8) {
    // SAFETY: as in read32.
    unsafe { asm!("strb {:w}, [{}]", in(reg) u32::from(value), in(reg) address, options(nostack)) };
}

/// Reads 8 bits at a device's address.
#[inline]
pub fn read8(address: u64) -> u8 {
    let value: u32;
    // SAFETY: as in read32.
    unsafe { asm!("ldrb {:w}, [{}]", out(reg) value, in(reg) address, options(nostack)) };
    value as u8
}
