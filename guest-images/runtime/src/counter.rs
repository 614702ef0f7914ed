//! The generic timer: counters, waiting, and the EL1 virtual timer.

use core::arch::asm;

/// CNTVCT_EL0: the virtual count.
pub fn virtual_count() -> u64 {
    let count;
    // SAFETY: reads a counter; the ISB keeps the read in program order.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) count, options(nostack)) };
    count
}

/// CNTPCT_EL0: the physical count.
pub fn physical_count() -> u64 {
    let count;
    // SAFETY: as in virtual_count.
    unsafe { asm!("isb", "mrs {}, cntpct_el0", out(reg) count, options(nostack)) };
    count
}

/// CNTFRQ_EL0: ticks per second.
pub fn frequency() -> u64 {
    let hertz;
    // SAFETY: reads a constant.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) hertz, options(nomem, nostack)) };
    hertz
}

/// Ticks in `microseconds`.
pub fn ticks(microseconds: u64) -> u64 {
    (u128::from(microseconds) * u128::from(frequency()) / 1_000_000) as u64
}

/// Microseconds in `ticks`.
pub fn microseconds(ticks: u64) -> u64 {
    (u128::from(ticks) * 1_000_000 / u128::from(frequency())) as u64
}

/// Waits, busily, until `condition` holds or the time is over; says whether it holds.
pub fn wait_until(microseconds: u64, mut condition: impl FnMut() -> bool) -> bool {
    let start = virtual_count();
    let limit = ticks(microseconds);
    loop {
        if condition() {
            return true;
        }
        if virtual_count().wrapping_sub(start) > limit {
            return condition();
        }
        core::hint::spin_loop();
    }
}

/// Waits, busily.
pub fn delay(microseconds: u64) {
    wait_until(microseconds, || false);
}

/// CNTV_CTL_EL0 bit 0: the timer runs.
pub const CONTROL_ENABLE: u64 = 1;
/// CNTV_CTL_EL0 bit 1: its interrupt is masked.
pub const CONTROL_MASK: u64 = 2;
/// CNTV_CTL_EL0 bit 2: its condition is met.
pub const CONTROL_STATUS: u64 = 4;

/// Lets the virtual timer fire after so many ticks; `control` is CNTV_CTL_EL0.
pub fn arm(ticks: u64, control: u64) {
    let at = virtual_count().wrapping_add(ticks);
    // SAFETY: the timer acts through its interrupt only.
    unsafe {
        asm!("msr cntv_cval_el0, {}", "msr cntv_ctl_el0, {}", "isb", in(reg) at, in(reg) control, options(nostack))
    };
}

/// Sets CNTV_CTL_EL0.
pub fn set_control(control: u64) {
    // SAFETY: as in arm.
    unsafe { asm!("msr cntv_ctl_el0, {}", "isb", in(reg) control, options(nostack)) };
}

/// Lets the physical timer fire after so many ticks; `control` is CNTP_CTL_EL0.
pub fn arm_physical(ticks: u64, control: u64) {
    let at = physical_count().wrapping_add(ticks);
    // SAFETY: the timer acts through its interrupt only.
    unsafe {
        asm!("msr cntp_cval_el0, {}", "msr cntp_ctl_el0, {}", "isb", in(reg) at, in(reg) control, options(nostack))
    };
}

/// Sets CNTP_CTL_EL0.
pub fn set_physical_control(control: u64) {
    // SAFETY: as in arm_physical.
    unsafe { asm!("msr cntp_ctl_el0, {}", "isb", in(reg) control, options(nostack)) };
}

/// CNTV_CTL_EL0.
pub fn control() -> u64 {
    let control;
    // SAFETY: reads a register without side effects.
    unsafe { asm!("isb", "mrs {}, cntv_ctl_el0", out(reg) control, options(nostack)) };
    control
}
