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
        // SAFETY: as the caller says. 128 bytes a turn, then single words and bytes; each is loaded once, so that what is summed
        // is what is stored.
        unsafe {
            core::arch::asm!(
                ".arch_extension crc",
                "subs {left}, {left}, #128",
                "b.lo 3f",
                "2:",
                // The first of both goes on by 128, and the others are reached from there.
                "ldp {a}, {b}, [{from}], #128",
                "ldp {c}, {d}, [{from}, #-112]",
                "crc32cx {sum:w}, {sum:w}, {a}",
                "crc32cx {sum:w}, {sum:w}, {b}",
                "stp {a}, {b}, [{to}], #128",
                "crc32cx {sum:w}, {sum:w}, {c}",
                "crc32cx {sum:w}, {sum:w}, {d}",
                "stp {c}, {d}, [{to}, #-112]",
                ".irp at, 96, 64, 32",
                "ldp {a}, {b}, [{from}, #-\\at]",
                "ldp {c}, {d}, [{from}, #-\\at + 16]",
                "crc32cx {sum:w}, {sum:w}, {a}",
                "crc32cx {sum:w}, {sum:w}, {b}",
                "stp {a}, {b}, [{to}, #-\\at]",
                "crc32cx {sum:w}, {sum:w}, {c}",
                "crc32cx {sum:w}, {sum:w}, {d}",
                "stp {c}, {d}, [{to}, #-\\at + 16]",
                ".endr",
                "subs {left}, {left}, #128",
                "b.hs 2b",
                "3:",
                "add {left}, {left}, #120",
                "tbnz {left}, #63, 5f",
                "4:",
                "ldr {a}, [{from}], #8",
                "crc32cx {sum:w}, {sum:w}, {a}",
                "str {a}, [{to}], #8",
                "subs {left}, {left}, #8",
                "b.hs 4b",
                "5:",
                "adds {left}, {left}, #8",
                "b.eq 7f",
                "6:",
                "ldrb {a:w}, [{from}], #1",
                "crc32cb {sum:w}, {sum:w}, {a:w}",
                "strb {a:w}, [{to}], #1",
                "subs {left}, {left}, #1",
                "b.ne 6b",
                "7:",
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

/// Makes a function that tells whether all of a range is alike: `fold` leaves a word of two in which a bit that is not so is as it
/// should not be, `across` does the same of neighbours, and what the last instruction makes of that is zero if none is.
macro_rules! uniform {
    ($(#[$about:meta])* $name:ident, $byte:literal, $fold:literal, $across:literal, $last:literal) => {
        $(#[$about])*
        ///
        /// By eight of the SIMD registers, which are the guest's and have its values again in the end: guests have no SVE, whose
        /// registers are wider.
        ///
        /// # Safety
        ///
        /// They must be mapped Normal memory.
        pub unsafe fn $name(from: *const u8, length: usize) -> bool {
            #[cfg(target_os = "none")]
            {
                let found: u64;
                let mut kept = [0u128; 8];
                // SAFETY: as the caller says; what is used is kept on the stack, and no Rust code of the hypervisor uses these
                // registers.
                unsafe {
                    core::arch::asm!(
                        ".arch_extension fp",
                        ".arch_extension simd",
                        "stp q0, q1, [{kept}]",
                        "stp q2, q3, [{kept}, #32]",
                        "stp q4, q5, [{kept}, #64]",
                        "stp q6, q7, [{kept}, #96]",
                        "2:",
                        "cbz {left}, 3f",
                        "ldp q0, q1, [{from}], #128",
                        "ldp q2, q3, [{from}, #-96]",
                        "ldp q4, q5, [{from}, #-64]",
                        "ldp q6, q7, [{from}, #-32]",
                        concat!($fold, " v0.16b, v0.16b, v1.16b"),
                        concat!($fold, " v2.16b, v2.16b, v3.16b"),
                        concat!($fold, " v4.16b, v4.16b, v5.16b"),
                        concat!($fold, " v6.16b, v6.16b, v7.16b"),
                        concat!($fold, " v0.16b, v0.16b, v2.16b"),
                        concat!($fold, " v4.16b, v4.16b, v6.16b"),
                        concat!($fold, " v0.16b, v0.16b, v4.16b"),
                        concat!($across, " v0.4s, v0.4s, v0.4s"),
                        "fmov {found}, d0",
                        "sub {left}, {left}, #128",
                        $last,
                        "cbz {found}, 2b",
                        "3:",
                        "ldp q0, q1, [{kept}]",
                        "ldp q2, q3, [{kept}, #32]",
                        "ldp q4, q5, [{kept}, #64]",
                        "ldp q6, q7, [{kept}, #96]",
                        ".arch_extension nosimd",
                        ".arch_extension nofp",
                        from = inout(reg) from => _,
                        left = inout(reg) length & !127 => _,
                        found = inout(reg) 0u64 => found,
                        kept = in(reg) kept.as_mut_ptr(),
                        options(nostack, preserves_flags),
                    );
                }
                found == 0
            }
            #[cfg(not(target_os = "none"))]
            // SAFETY: as above; on a host nobody else writes meanwhile.
            unsafe { core::slice::from_raw_parts(from, length) }.iter().all(|byte| *byte == $byte)
        }
    };
}

uniform!(
    /// Tells whether `length` bytes from `from` on are zero; `length` is a multiple of 128.
    is_zero, 0, "orr", "umaxp", ""
);
uniform!(
    /// Tells whether every bit of `length` bytes from `from` on is set; `length` is a multiple of 128.
    is_set, 0xff, "and", "uminp", "mvn {found}, {found}"
);

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

/// Loads three times 64 bits, which need not be aligned.
///
/// # Safety
///
/// `at` must be the address of 24 bytes of mapped Normal memory.
#[inline(always)]
pub unsafe fn load_three(at: *const u64) -> [u64; 3] {
    #[cfg(target_os = "none")]
    {
        let (first, second, third);
        // SAFETY: as in `load_pair`.
        unsafe {
            core::arch::asm!(
                "ldp {first}, {second}, [{at}]",
                "ldr {third}, [{at}, #16]",
                at = in(reg) at,
                first = out(reg) first,
                second = out(reg) second,
                third = out(reg) third,
                options(nostack, preserves_flags),
            );
        }
        [first, second, third]
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: as above; on a host nobody else writes meanwhile.
    unsafe {
        at.cast::<[u64; 3]>().read_unaligned()
    }
}

/// Stores three times 64 bits, which need not be aligned.
///
/// # Safety
///
/// As for [`load_three`], and the memory must be writable.
#[inline(always)]
pub unsafe fn store_three(at: *mut u64, words: [u64; 3]) {
    #[cfg(target_os = "none")]
    // SAFETY: as the caller says.
    unsafe {
        core::arch::asm!(
            "stp {first}, {second}, [{at}]",
            "str {third}, [{at}, #16]",
            at = in(reg) at,
            first = in(reg) words[0],
            second = in(reg) words[1],
            third = in(reg) words[2],
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: as above; on a host nobody else writes meanwhile.
    unsafe {
        at.cast::<[u64; 3]>().write_unaligned(words);
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
