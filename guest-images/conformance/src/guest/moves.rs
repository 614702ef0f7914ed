//! A run whose VM is saved and restored behind each case: the guest waits there until it was.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use guest_runtime::{console, counter, cpu, mmio};
use portcullis_abi::map::VM_CLOCK;

/// Each case is waited behind.
static AWAITED: AtomicBool = AtomicBool::new(false);
/// Microseconds until it is taken for one that nobody moves.
const PATIENCE: u64 = 20_000_000;

/// How often the VM was restored, as the page of its clock tells (Linux `include/uapi/linux/vmclock-abi.h`).
fn restores() -> u32 {
    mmio::read32(VM_CLOCK + 0x68)
}

/// Has the first vCPU wait behind each case from now on.
pub fn begin() {
    AWAITED.store(true, Relaxed);
}

/// Whether it does.
pub fn are_awaited() -> bool {
    AWAITED.load(Relaxed)
}

/// Waits for one restore, wherever this is.
pub fn once() {
    begin();
    wait();
    AWAITED.store(false, Relaxed);
}

/// Behind a case: waits for the next restore if that was asked for.
pub fn wait() {
    if !are_awaited() || cpu::index() != 0 {
        return;
    }
    let before = restores();
    // One that waits for an interrupt goes on behind that when it was restored, and at once if there is one.
    let is_moved = || {
        cpu::wait_for_interrupt();
        restores() != before
    };
    if !counter::wait_until(PATIENCE, is_moved) {
        AWAITED.store(false, Relaxed);
        console::line(format_args!("case moves: FAIL expected a restore got none"));
    }
}
