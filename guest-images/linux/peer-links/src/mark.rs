//! Instructions that do nothing, by which QEMU's plugin (`scripts/xtask/plugins/count.c`) knows what it is to count.

use peer_links::{REPETITIONS, Work};

/// The plugin's FIRST_TEST.
const FIRST_TEST: u32 = 16;

/// Does the work of test `TEST` as often as it is counted.
pub fn test<const TEST: u32>(mut before: impl FnMut(), mut work: impl FnMut(), mut after: impl FnMut()) {
    for _ in 0..REPETITIONS {
        before();
        mark::<1>();
        work();
        mark::<2>();
        after();
    }
    end::<TEST>();
}

/// The number of a test.
pub const fn of(work: Work) -> u32 {
    work as u32
}

#[cfg(target_arch = "aarch64")]
fn mark<const NUMBER: u32>() {
    // SAFETY: it changes no register.
    unsafe { core::arch::asm!("sub xzr, xzr, xzr, lsl #{number}", number = const NUMBER, options(nostack)) };
}

/// Ends test `TEST`, whose windows were all marked.
#[cfg(target_arch = "aarch64")]
pub fn end<const TEST: u32>() {
    // SAFETY: it changes no register.
    unsafe { core::arch::asm!("sub xzr, xzr, xzr, lsl #{number}", number = const FIRST_TEST + TEST, options(nostack)) };
}

/// The build for the host is there for its lints alone.
#[cfg(not(target_arch = "aarch64"))]
fn mark<const NUMBER: u32>() {
    let _ = NUMBER;
}

#[cfg(not(target_arch = "aarch64"))]
pub fn end<const TEST: u32>() {
    let _ = FIRST_TEST + TEST;
}
