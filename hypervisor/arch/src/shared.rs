//! Accesses of memory that a guest works on at the same time, on other cores.
//!
//! To the language these are data races if they are plain accesses. So they are atomic, or assembly of which the compiler knows
//! only that it reads and writes memory: neither is moved past a fence, nor left out.

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

/// Copies `length` bytes from `from` to `to`, and returns `sum`, a CRC-32C in the making, with them taken in.
///
/// # Safety
///
/// As for [`copy`], and the ranges must not overlap.
pub unsafe fn copy_summed(to: *mut u8, from: *const u8, length: usize, sum: u32) -> u32 {
    #[cfg(target_os = "none")]
    {
        let result: u32;
        // SAFETY: as the caller says. Whole lines of 64 bytes first, then single bytes; each is loaded once, so that what is
        // summed is what is stored.
        unsafe {
            core::arch::asm!(
                ".arch_extension crc",
                "subs {left}, {left}, #64",
                "b.lo 3f",
                "2:",
                "ldp {a}, {b}, [{from}]",
                "ldp {c}, {d}, [{from}, #16]",
                "crc32cx {sum:w}, {sum:w}, {a}",
                "crc32cx {sum:w}, {sum:w}, {b}",
                "stp {a}, {b}, [{to}]",
                "crc32cx {sum:w}, {sum:w}, {c}",
                "crc32cx {sum:w}, {sum:w}, {d}",
                "stp {c}, {d}, [{to}, #16]",
                "ldp {a}, {b}, [{from}, #32]",
                "ldp {c}, {d}, [{from}, #48]",
                "crc32cx {sum:w}, {sum:w}, {a}",
                "crc32cx {sum:w}, {sum:w}, {b}",
                "stp {a}, {b}, [{to}, #32]",
                "crc32cx {sum:w}, {sum:w}, {c}",
                "crc32cx {sum:w}, {sum:w}, {d}",
                "stp {c}, {d}, [{to}, #48]",
                "add {from}, {from}, #64",
                "add {to}, {to}, #64",
                "subs {left}, {left}, #64",
                "b.hs 2b",
                "3:",
                "adds {left}, {left}, #64",
                "b.eq 5f",
                "4:",
                "ldrb {a:w}, [{from}], #1",
                "crc32cb {sum:w}, {sum:w}, {a:w}",
                "strb {a:w}, [{to}], #1",
                "subs {left}, {left}, #1",
                "b.ne 4b",
                "5:",
                from = inout(reg) from => _,
                to = inout(reg) to => _,
                left = inout(reg) length => _,
                sum = inout(reg) sum => result,
                a = out(reg) _,
                b = out(reg) _,
                c = out(reg) _,
                d = out(reg) _,
                options(nostack),
            );
        }
        result
    }
    #[cfg(not(target_os = "none"))]
    {
        // SAFETY: as the caller says; on a host nobody else writes meanwhile.
        let bytes = unsafe {
            core::ptr::copy(from, to, length);
            core::slice::from_raw_parts(to, length)
        };
        crate::checksum::crc32c(sum, bytes)
    }
}

/// Tells whether `length` bytes from `from` on are zero; `length` is a multiple of 64.
///
/// # Safety
///
/// They must be mapped Normal memory.
pub unsafe fn is_zero(from: *const u8, length: usize) -> bool {
    #[cfg(target_os = "none")]
    {
        let found: u64;
        // SAFETY: as the caller says; whole lines of 64 bytes are loaded.
        unsafe {
            core::arch::asm!(
                "2:",
                "cbz {left}, 3f",
                "ldp {a}, {b}, [{from}]",
                "ldp {c}, {d}, [{from}, #16]",
                "orr {found}, {a}, {b}",
                "orr {c}, {c}, {d}",
                "ldp {a}, {b}, [{from}, #32]",
                "orr {found}, {found}, {c}",
                "ldp {c}, {d}, [{from}, #48]",
                "orr {a}, {a}, {b}",
                "orr {c}, {c}, {d}",
                "orr {found}, {found}, {a}",
                "orr {found}, {found}, {c}",
                "add {from}, {from}, #64",
                "sub {left}, {left}, #64",
                "cbz {found}, 2b",
                "3:",
                from = inout(reg) from => _,
                left = inout(reg) length & !63 => _,
                found = inout(reg) 0u64 => found,
                a = out(reg) _,
                b = out(reg) _,
                c = out(reg) _,
                d = out(reg) _,
                options(nostack, preserves_flags, readonly),
            );
        }
        found == 0
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: as above; on a host nobody else writes meanwhile.
    unsafe { core::slice::from_raw_parts(from, length) }.iter().all(|byte| *byte == 0)
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

/// Loads two times 64 bits, which need not be aligned, by one instruction.
///
/// # Safety
///
/// `at` must be the address of 16 bytes of mapped Normal memory.
#[inline(always)]
pub unsafe fn load_pair(at: *const u64) -> [u64; 2] {
    #[cfg(target_os = "none")]
    {
        let (first, second);
        // SAFETY: as the caller says. Memory may be read by others' stores meanwhile, so that it is not `pure`.
        unsafe {
            core::arch::asm!(
                "ldp {first}, {second}, [{at}]",
                at = in(reg) at,
                first = out(reg) first,
                second = out(reg) second,
                options(nostack, preserves_flags),
            );
        }
        [first, second]
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: as above; on a host nobody else writes meanwhile.
    unsafe {
        at.cast::<[u64; 2]>().read_unaligned()
    }
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
