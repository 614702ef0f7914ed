//! Pauses of the VM as its guest sees them: the virtual counter and what hangs on it stand still, the physical counter runs on,
//! the time of day is right, and no time is stolen.
//!
//! The control VM pauses this one [`PAUSES`] times while its first vCPU is busy and the others wait. A pause is seen as a jump of
//! the physical counter. The run is for a machine whose time is its instructions: nothing else makes that jump so far.

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, gic, mmio, power};
use portcullis_abi::function::{PSCI_CPU_SUSPEND, PV_TIME_ST, SMC64};
use portcullis_abi::map::{RTC_INTID, TIMER_PHYSICAL_INTID as PHYSICAL, TIMER_VIRTUAL_INTID as TIMER};

use super::steal::{nanoseconds, stolen_of};
use crate::guest::cases::ptp::Reading;
use crate::guest::cases::rtc;
use crate::guest::door::Door;
use crate::guest::{interrupts, report};

/// How often the VM is paused.
const PAUSES: u32 = 2;
/// The shortest of the pauses, in microseconds.
const SHORTEST: u64 = 1_500_000;
/// How far the virtual counter may go over a pause, and how late an interrupt may be: the turns of others.
const TURNS: u64 = 100_000;
/// When a life of the VM has not gone on for longer than it takes to begin, in microseconds of its counter.
const BEGINNING: u64 = 300_000;
/// When the first vCPU's timers fire, in microseconds from the start on: the virtual one after both pauses, the physical one
/// within the first.
const BUSY: u64 = 3_000_000;
/// When the timers of the others do: of one in WFI, and of one in CPU_SUSPEND.
const WAITS: [u64; 2] = [4_000_000, 2_500_000];
/// When the clock's alarm goes off, in seconds from the start on: within the first pause, though the board's clock may step
/// by a second before.
const ALARM: u32 = 4;
/// When the run ends, whatever came.
const PATIENCE: u64 = 12_000_000;
/// How far the time of day may be from the physical counter, in nanoseconds.
const STEP: u64 = 1_000_000;

/// The cases.
pub fn run(profile: &Profile) {
    let begun = counter::microseconds(counter::virtual_count());
    report::holds(format_args!("pause/the counter begins at zero"), begun < BEGINNING, "a short time", &begun);
    for vcpu in 1..profile.cpus.min(WAITS.len() + 1) {
        report::equal(format_args!("pause/start vCPU {vcpu}"), Ok(()), cpu::launch(vcpu, wait, 0));
    }
    let door = Door::new(power::conduit());
    let _ = door.call(PV_TIME_ST.into(), [0; 3]);
    interrupts::clear();
    gic::enable(TIMER);
    gic::enable(PHYSICAL);
    let before = readings(&door);
    let clock = rtc::is_there().then(|| {
        rtc::set_alarm(mmio::read32(rtc::DR).wrapping_add(ALARM));
        (mmio::read32(rtc::DR), counter::physical_count())
    });
    let deadline = counter::virtual_count() + counter::ticks(BUSY);
    counter::arm(counter::ticks(BUSY), counter::CONTROL_ENABLE);
    counter::arm_physical(counter::ticks(BUSY), counter::CONTROL_ENABLE);
    let seen = cpu::with_interrupts(|| watch(profile.cpus));
    counter::set_control(0);
    counter::set_physical_control(0);
    seen.report(deadline);
    if let Some((shown, count)) = clock {
        let passed = counter::microseconds(counter::physical_count() - count) / 1_000_000;
        let right = u64::from(mmio::read32(rtc::DR).wrapping_sub(shown)).abs_diff(passed) <= 2;
        report::holds(
            format_args!("pause/the clock shows the true time"),
            right,
            "what the physical counter says",
            &passed,
        );
        let name = format_args!("pause/an alarm of the pause comes when it is over, and once");
        report::equal(name, ((0, 1), 1), (seen.alarm, interrupts::count(0, RTC_INTID)));
        gic::disable(RTC_INTID);
    }
    if profile.has_ptp() {
        time_of_day(&before, &readings(&door));
    }
    for vcpu in 1..profile.cpus.min(WAITS.len() + 1) {
        report::equal(format_args!("pause/end vCPU {vcpu}"), true, cpu::join(vcpu, PATIENCE));
    }
}

/// What the busy vCPU saw, in ticks.
#[derive(Debug, Default)]
struct Seen {
    pauses: u32,
    /// Over the shortest pause the physical counter went so far.
    shortest: u64,
    /// Over all pauses both went so far.
    physical: u64,
    r#virtual: u64,
    /// So much was stolen over the pauses, in nanoseconds.
    stolen: u64,
    /// The virtual counter when the virtual timer's interrupt was seen.
    fired: u64,
    /// Interrupts of the physical timer before the first pause, and when it was over.
    physical_timer: (u32, u32),
    /// The same of the clock's alarm.
    alarm: (u32, u32),
}

fn watch(cpus: usize) -> Seen {
    let mut seen = Seen { shortest: u64::MAX, ..Seen::default() };
    let mut last = (counter::virtual_count(), counter::physical_count(), stolen_of(0), (0, 0));
    counter::wait_until(PATIENCE, || {
        // Before the counters: a pause that begins in between is seen as such.
        let counts = || (interrupts::count(0, PHYSICAL), interrupts::count(0, RTC_INTID));
        let came = counts();
        let now = (counter::virtual_count(), counter::physical_count(), stolen_of(0), came);
        let physical = now.1 - last.1;
        if physical > counter::ticks(SHORTEST) / 2 {
            seen.shortest = seen.shortest.min(physical);
            seen.physical += physical;
            seen.r#virtual += now.0 - last.0;
            seen.stolen += now.2 - last.2;
            if seen.pauses == 0 {
                let (before, after) = (last.3, counts());
                (seen.physical_timer, seen.alarm) = ((before.0, after.0), (before.1, after.1));
            }
            seen.pauses += 1;
        }
        if seen.fired == 0 && interrupts::count(0, TIMER) != 0 {
            seen.fired = counter::virtual_count();
        }
        last = now;
        seen.fired != 0 && (1..cpus.min(WAITS.len() + 1)).all(cpu::is_done)
    });
    seen
}

impl Seen {
    fn report(&self, deadline: u64) {
        let still = counter::ticks(TURNS) * u64::from(PAUSES);
        report::equal(format_args!("pause/pauses"), PAUSES, self.pauses);
        let ran_on = self.shortest >= counter::ticks(SHORTEST);
        report::holds(format_args!("pause/the physical counter runs on"), ran_on, "each pause in full", self);
        report::holds(format_args!("pause/the virtual counter stands still"), self.r#virtual < still, "no pause", self);
        let in_time = (deadline..deadline + counter::ticks(TURNS)).contains(&self.fired);
        let name = format_args!("pause/the virtual timer fires when its counter is there");
        report::holds(name, in_time, "soon after the deadline", &(deadline, self.fired));
        let name = format_args!("pause/the physical timer runs on, and interrupts when the pause is over");
        report::equal(name, (0, 1), self.physical_timer);
        let little = self.stolen < nanoseconds(self.physical) / 20;
        report::holds(format_args!("pause/nothing is stolen"), little, "a twentieth of the pauses at the most", self);
    }
}

/// The time of day with the virtual and with the physical counter.
fn readings(door: &Door) -> [Reading; 2] {
    [Reading::take(door, 0, counter::virtual_count), Reading::take(door, 1, counter::physical_count)]
}

/// The time of day goes on over pauses as the physical counter does, whichever counter it is told with.
fn time_of_day(before: &[Reading; 2], after: &[Reading; 2]) {
    let ticks = after[1].count() - before[1].count();
    for (name, before, after) in [("virtual", before[0], after[0]), ("physical", before[1], after[1])] {
        let time = after.time().wrapping_sub(before.time());
        let right = time.abs_diff(nanoseconds(ticks)) < STEP;
        report::holds(
            format_args!("pause/PTP, {name}, tells the true time"),
            right,
            "what the physical counter says",
            &(time, ticks),
        );
        report::holds(
            format_args!("pause/PTP, {name}, counts as the guest does"),
            after.is_own(),
            "between two reads",
            &after,
        );
    }
}

/// A vCPU that waits for its virtual timer with pauses in between.
fn wait() {
    let vcpu = cpu::index();
    let length = WAITS[vcpu - 1];
    let door = Door::new(power::conduit());
    let _ = door.call(PV_TIME_ST.into(), [0; 3]);
    gic::init_cpu();
    gic::enable(TIMER);
    let (stolen, start) = (stolen_of(vcpu), (counter::virtual_count(), counter::physical_count()));
    counter::arm(counter::ticks(length), counter::CONTROL_ENABLE);
    while counter::control() & counter::CONTROL_STATUS == 0 {
        if vcpu == 1 {
            cpu::wait_for_interrupt();
        } else {
            let _ = door.call((PSCI_CPU_SUSPEND | SMC64).into(), [0; 3]);
        }
    }
    let waited = [counter::virtual_count() - start.0, counter::physical_count() - start.1].map(counter::microseconds);
    let growth = stolen_of(vcpu) - stolen;
    counter::set_control(0);
    let right = (length..length + TURNS).contains(&waited[0]) && waited[1] > length + SHORTEST;
    let name = format_args!("pause/vCPU {vcpu} waits as long as its counter says");
    report::holds(name, right, "its wait, and by the physical counter a pause more", &(length, waited));
    let name = format_args!("pause/vCPU {vcpu} a wait with a pause in it is not stolen");
    report::holds(name, growth < length * 1000 / 20, "growth by a twentieth of the wait at the most", &growth);
}
