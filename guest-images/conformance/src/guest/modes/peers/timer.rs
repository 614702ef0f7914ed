//! The two timers of EL1. Time is the machine's own: what counts as late does not hang on the host where that is the instructions'.

use core::arch::asm;

use guest_runtime::gic::{self, register::*};
use guest_runtime::{counter, cpu};
use portcullis_abi::map::{TIMER_PHYSICAL_INTID, TIMER_VIRTUAL_INTID};

use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::report;

const ENABLE: u64 = counter::CONTROL_ENABLE;
const MASK: u64 = counter::CONTROL_MASK;
const STATUS: u64 = counter::CONTROL_STATUS;
/// How far ahead a timer is set, and how late it may be, in microseconds.
const AHEAD: u64 = 10_000;
/// Far enough ahead never to come, in microseconds.
const MUCH_LATER: u64 = 100_000_000;

/// One of the timers.
struct Timer {
    name: &'static str,
    intid: u32,
    count: fn() -> u64,
    set_compare: fn(u64),
    set_value: fn(u64),
    value: fn() -> u64,
    set_control: fn(u64),
    control: fn() -> u64,
}

macro_rules! read {
    ($register:literal) => {
        || {
            let value: u64;
            // SAFETY: reads a register of a timer, without side effects.
            unsafe { asm!("isb", concat!("mrs {}, ", $register), out(reg) value, options(nostack)) };
            value
        }
    };
}

macro_rules! write {
    ($register:literal) => {
        |value: u64| {
            // SAFETY: a timer acts through its interrupt only.
            unsafe { asm!(concat!("msr ", $register, ", {}"), "isb", in(reg) value, options(nostack)) };
        }
    };
}

const TIMERS: [Timer; 2] = [
    Timer {
        name: "vtimer",
        intid: TIMER_VIRTUAL_INTID,
        count: counter::virtual_count,
        set_compare: write!("cntv_cval_el0"),
        set_value: write!("cntv_tval_el0"),
        value: read!("cntv_tval_el0"),
        set_control: write!("cntv_ctl_el0"),
        control: read!("cntv_ctl_el0"),
    },
    Timer {
        name: "ptimer",
        intid: TIMER_PHYSICAL_INTID,
        count: counter::physical_count,
        set_compare: write!("cntp_cval_el0"),
        set_value: write!("cntp_tval_el0"),
        value: read!("cntp_tval_el0"),
        set_control: write!("cntp_ctl_el0"),
        control: read!("cntp_ctl_el0"),
    },
];

/// The cases of both.
pub fn run() {
    for timer in &TIMERS {
        timer.pending();
        timer.busy_loop();
        timer.wait();
        (timer.set_control)(0);
        gic::disable(timer.intid);
    }
}

impl Timer {
    /// The interrupt is pending, in the interrupt controller too, exactly while the timer runs, is due and not masked.
    fn pending(&self) {
        let Self { name, intid, .. } = *self;
        let pending = || gic::is_set(ISPENDR, intid);
        let active = || gic::is_set(ISACTIVER, intid);
        interrupts::clear();
        gic::enable(intid);
        let now = (self.count)();
        (self.set_compare)(now + counter::ticks(MUCH_LATER));
        (self.set_control)(ENABLE);
        report::equal(format_args!("timer/{name} not pending before"), (false, false), (pending(), active()));
        gic::disable(intid);
        (self.set_compare)(now.wrapping_sub(1));
        report::equal(format_args!("timer/{name} interrupt signal pending"), (true, false), (pending(), active()));
        (self.set_control)(0);
        gic::enable(intid);
        cpu::with_interrupts(|| counter::delay(AHEAD));
        report::equal(format_args!("timer/{name} no interrupt when disabled"), 0, interrupts::total());
        report::equal(format_args!("timer/{name} interrupt signal no longer pending"), false, pending());
        (self.set_control)(ENABLE | MASK);
        cpu::with_interrupts(|| counter::delay(AHEAD));
        report::equal(format_args!("timer/{name} masked, not pending"), (0, false), (interrupts::total(), pending()));
        (self.set_control)(0);
    }

    /// CVAL, and a guest that looks at the condition all the time.
    fn busy_loop(&self) {
        interrupts::clear();
        let due = (self.count)() + counter::ticks(AHEAD);
        (self.set_compare)(due);
        (self.set_control)(ENABLE);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || (self.control)() & STATUS != 0));
        let late = (self.count)().wrapping_sub(due) as i64;
        let in_time = (0..counter::ticks(AHEAD) as i64).contains(&late);
        report::holds(
            format_args!("timer/{} busy loop, latency within 10 ms", self.name),
            in_time,
            "not early, and less than 10 ms late",
            &counter::microseconds(late.unsigned_abs()),
        );
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
        let got = (interrupts::total(), interrupts::count(0, self.intid));
        report::equal(format_args!("timer/{} busy loop, interrupt received", self.name), (1, 1), got);
        (self.set_control)(0);
    }

    /// TVAL, and a guest that waits for the interrupt. Should it never come, the other timer ends the wait.
    fn wait(&self) {
        let Some(other) = TIMERS.iter().find(|timer| timer.intid != self.intid) else { return };
        interrupts::clear();
        gic::enable(other.intid);
        (other.set_compare)((other.count)() + counter::ticks(PATIENCE));
        (other.set_control)(ENABLE);
        (self.set_value)(counter::ticks(AHEAD));
        (self.set_control)(ENABLE);
        // WFI may end for other reasons.
        while (self.control)() & STATUS == 0 && (other.control)() & STATUS == 0 {
            cpu::wait_for_interrupt();
        }
        let woken = (self.control)() & STATUS != 0 && (other.control)() & STATUS == 0;
        (other.set_control)(0);
        gic::disable(other.intid);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
        let left = (self.value)() as u32 as i32;
        let got = (woken, interrupts::total(), interrupts::count(0, self.intid));
        report::equal(format_args!("timer/{} interrupt received after TVAL/WFI", self.name), (true, 1, 1), got);
        report::holds(format_args!("timer/{} has expired", self.name), left <= 0, "no ticks left", &left);
        (self.set_control)(0);
    }
}
