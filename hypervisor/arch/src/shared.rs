//! Accesses of memory that a guest works on at the same time, on other cores.
//!
//! To the language these are data races if they are plain accesses. So they are atomic, or assembly of which the compiler knows only
//! that it reads and writes memory: neither is moved past a fence, nor left out.

use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// Copies `length` bytes from `from` to `to`.
///
/// # Safety
///
/// Both ranges must be mapped Normal memory, the one at `to` writable, and nothing of EL2's own may lie where a guest writes.
#[inline(always)]
pub unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    #[cfg(target_os = "none")]
    // SAFETY: the caller vouches for the ranges; memcpy (`memory.S`) keeps the procedure call standard.
    unsafe {
        core::arch::asm!(
            "bl {memcpy}",
            memcpy = sym memcpy,
            inout("x0") to => _,
            inout("x1") from => _,
            inout("x2") length => _,
            clobber_abi("C"),
        );
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: as above; on a host nobody else writes meanwhile.
    unsafe {
        core::ptr::copy(from, to, length);
    }
}

#[cfg(target_os = "none")]
unsafe extern "C" {
    fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8;
}

/// Loads 16 bits by one access.
///
/// # Safety
///
/// `at` must be a multiple of 2 and the address of two bytes of mapped memory.
#[inline(always)]
pub unsafe fn load(at: *const u16) -> u16 {
    // SAFETY: as the caller says.
    unsafe { AtomicU16::from_ptr(at.cast_mut()) }.load(Ordering::Relaxed)
}

/// Stores 16 bits by one access.
///
/// # Safety
///
/// As for [`load`], and the memory must be writable.
#[inline(always)]
pub unsafe fn store(at: *mut u16, value: u16) {
    // SAFETY: as the caller says.
    unsafe { AtomicU16::from_ptr(at) }.store(value, Ordering::Relaxed);
}

/// Stores 64 bits, little-endian, by two accesses.
///
/// # Safety
///
/// `at` must be a multiple of 4 and the address of eight bytes of mapped memory that is writable.
#[inline(always)]
pub unsafe fn store_halves(at: *mut u32, value: u64) {
    let halves = [value as u32, (value >> 32) as u32];
    // SAFETY: as the caller says.
    unsafe { AtomicU32::from_ptr(at) }.store(halves[0].to_le(), Ordering::Relaxed);
    // SAFETY: it is the second half.
    unsafe { AtomicU32::from_ptr(at.wrapping_add(1)) }.store(halves[1].to_le(), Ordering::Relaxed);
}
