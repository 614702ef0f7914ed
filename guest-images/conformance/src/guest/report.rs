//! One line per case, and their sum.

use core::fmt::{Arguments, Debug};
use core::sync::atomic::{AtomicU32, Ordering};

use guest_runtime::console;

use super::moves;

static PASSED: AtomicU32 = AtomicU32::new(0);
static FAILED: AtomicU32 = AtomicU32::new(0);

/// Reports a case. Numbers are printed in hexadecimal.
#[inline(never)]
fn conclude(name: Arguments, passed: bool, expected: &dyn Debug, got: &dyn Debug) {
    if passed {
        PASSED.fetch_add(1, Ordering::Relaxed);
        console::line(format_args!("case {name}: ok"));
    } else {
        FAILED.fetch_add(1, Ordering::Relaxed);
        console::line(format_args!("case {name}: FAIL expected {expected:x?} got {got:x?}"));
    }
    moves::wait();
}

/// Reports a case that passed.
pub fn pass(name: Arguments) {
    conclude(name, true, &(), &());
}

/// Reports a case that failed.
pub fn fail(name: Arguments, expected: &dyn Debug, got: &dyn Debug) {
    conclude(name, false, expected, got);
}

/// A case that passes if `got` is `expected`.
#[inline(never)]
pub fn equal<T: PartialEq + Debug>(name: Arguments, expected: T, got: T) {
    conclude(name, got == expected, &expected, &got);
}

/// A case that passes if the condition holds; `expected` says it in words.
#[inline(never)]
pub fn holds(name: Arguments, condition: bool, expected: &str, got: &dyn Debug) {
    conclude(name, condition, &format_args!("{expected}"), got);
}

/// Prints the sum.
pub fn finish() {
    let (passed, failed) = (PASSED.load(Ordering::Relaxed), FAILED.load(Ordering::Relaxed));
    console::line(format_args!("cases: {passed} passed, {failed} failed"));
}
