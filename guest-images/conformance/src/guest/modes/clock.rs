//! The machine's time of day is set anew by the control VM, beyond an alarm of this VM's clock.

use guest_runtime::{counter, cpu, mmio};
use portcullis_abi::map::RTC_INTID;

use crate::guest::cases::rtc;
use crate::guest::{interrupts, report};

/// How far ahead the alarm is, in seconds.
const AHEAD: u32 = 3_600;
/// When the time should have been set, in microseconds.
const PATIENCE: u64 = 60_000_000;

/// Waits for the alarm, which only the new time can bring.
pub fn run() {
    report::equal(format_args!("clock/is there"), true, rtc::is_there());
    if !rtc::is_there() {
        return;
    }
    interrupts::clear();
    let shown = mmio::read32(rtc::DR);
    rtc::set_alarm(shown.wrapping_add(AHEAD));
    let comes = || interrupts::count(0, RTC_INTID) != 0;
    let came = cpu::with_interrupts(|| counter::wait_until(PATIENCE, comes));
    let ahead = mmio::read32(rtc::DR).wrapping_sub(shown);
    report::equal(format_args!("clock/an alarm comes when the time is set beyond it"), true, came);
    report::holds(format_args!("clock/shows the new time"), ahead >= AHEAD, "an hour later", &ahead);
    cpu::with_interrupts(|| counter::delay(1_500_000));
    report::equal(format_args!("clock/the alarm comes once"), 1, interrupts::count(0, RTC_INTID));
}
