//! The floor of all that is copied: one copy by `ldp` and `stp` of general registers, 64 bytes a turn, the rest by 16 and 4.

use std::io;

use peer_links::{REPETITIONS, Work};

use crate::mark;

/// Bytes of the longest copy.
const MIB: usize = 1 << 20;

/// Copies as much as each of the works says, as often as it is counted.
pub fn all() -> io::Result<()> {
    let from = vec![1_u8; MIB];
    let mut to = vec![2_u8; MIB];
    test::<{ mark::of(Work::CopyNothing) }>(&from, &mut to, 0);
    test::<{ mark::of(Work::CopyShort) }>(&from, &mut to, 64);
    test::<{ mark::of(Work::CopyLong) }>(&from, &mut to, 1500);
    test::<{ mark::of(Work::CopyPage) }>(&from, &mut to, 4096);
    test::<{ mark::of(Work::CopyPiece) }>(&from, &mut to, 64 << 10);
    test::<{ mark::of(Work::CopyMib) }>(&from, &mut to, MIB);
    if from == to { Ok(()) } else { Err(io::Error::other("a copy that is none")) }
}

fn test<const TEST: u32>(from: &[u8], to: &mut [u8], length: usize) {
    for _ in 0..REPETITIONS {
        marked(&from[..length], &mut to[..length]);
    }
    mark::end::<TEST>();
}

/// Copies between the two marks of a window; with nothing to copy there is nothing between them.
#[cfg(target_arch = "aarch64")]
fn marked(from: &[u8], to: &mut [u8]) {
    assert!(from.len() == to.len() && from.len().is_multiple_of(4), "the copy goes by words");
    if from.is_empty() {
        // SAFETY: it changes no register.
        unsafe { core::arch::asm!("sub xzr, xzr, xzr, lsl #1", "sub xzr, xzr, xzr, lsl #2", options(nostack)) };
        return;
    }
    // SAFETY: both slices have as many bytes as are copied, and what is written is nobody else's.
    unsafe {
        core::arch::asm!(
            "sub    xzr, xzr, xzr, lsl #1",
            "subs   {left}, {left}, #64",
            "b.lo   3f",
            "2:",
            "ldp    {a}, {b}, [{from}]",
            "ldp    {c}, {d}, [{from}, #16]",
            "ldp    {e}, {f}, [{from}, #32]",
            "ldp    {g}, {h}, [{from}, #48]",
            "stp    {a}, {b}, [{to}]",
            "stp    {c}, {d}, [{to}, #16]",
            "stp    {e}, {f}, [{to}, #32]",
            "stp    {g}, {h}, [{to}, #48]",
            "add    {from}, {from}, #64",
            "add    {to}, {to}, #64",
            "subs   {left}, {left}, #64",
            "b.hs   2b",
            "3:",
            "adds   {left}, {left}, #64",
            "b.eq   7f",
            "4:",
            "subs   {left}, {left}, #16",
            "b.lo   5f",
            "ldp    {a}, {b}, [{from}], #16",
            "stp    {a}, {b}, [{to}], #16",
            "b      4b",
            "5:",
            "adds   {left}, {left}, #16",
            "b.eq   7f",
            "6:",
            "ldr    {a:w}, [{from}], #4",
            "str    {a:w}, [{to}], #4",
            "subs   {left}, {left}, #4",
            "b.hi   6b",
            "7:",
            "sub    xzr, xzr, xzr, lsl #2",
            from = inout(reg) from.as_ptr() => _,
            to = inout(reg) to.as_mut_ptr() => _,
            left = inout(reg) from.len() => _,
            a = out(reg) _,
            b = out(reg) _,
            c = out(reg) _,
            d = out(reg) _,
            e = out(reg) _,
            f = out(reg) _,
            g = out(reg) _,
            h = out(reg) _,
            options(nostack),
        );
    }
}

/// The build for the host is there for its lints alone.
#[cfg(not(target_arch = "aarch64"))]
fn marked(from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
}
