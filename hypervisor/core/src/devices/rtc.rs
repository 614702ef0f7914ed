//! A VM's real-time clock: a PL031 that shows the machine's time of day.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use portcullis_abi::map;
use portcullis_abi::state::{self, Unfit};
use portcullis_arch::timer;
use portcullis_devices::{Description, Device, Line, rtc::Pl031};
use spin::mutex::TicketMutex;

use super::emulated::Emulated;
use super::owner::{Owner, drive};
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// A look that came too early, because the clock is not the counter, is followed by the next one after this part of a second
/// or later.
const AGAIN: u64 = 10_000;

/// The clock of a VM.
#[derive(Debug)]
pub struct Rtc {
    /// There is a time to show in this life of the VM.
    there: AtomicBool,
    /// The core whose timer is set for the alarm. Other cores do not look, whoever's they are.
    core: AtomicUsize,
    /// Fair: on a core that VMs share one of them can look while the other one's vCPUs read their clock as fast as they can.
    state: TicketMutex<State>,
}

#[derive(Debug)]
struct State {
    clock: Pl031,
    line: Line,
    /// The last time of day that could be told, in seconds.
    seconds: u32,
}

/// A moment, by the counter and by the clock on the wall.
#[derive(Clone, Copy, Debug)]
struct Moment {
    count: u64,
    /// Time of day in seconds since 1970, modulo 2^32, and the nanoseconds beyond them.
    seconds: u32,
    nanoseconds: u64,
}

impl Moment {
    /// The counter at the beginning of the second that comes in `seconds` seconds, with a counter of `frequency` Hz.
    fn in_seconds(self, seconds: u32, frequency: u64) -> u64 {
        let gone = self.nanoseconds.saturating_mul(frequency) / SECOND;
        let left = u64::from(seconds).saturating_mul(frequency).saturating_sub(gone);
        self.count.saturating_add(left.saturating_add(1).max(frequency / AGAIN))
    }
}

impl State {
    /// Now. While the time of day cannot be told, it stands still.
    fn now(&mut self, owner: &dyn Owner) -> Moment {
        let count = timer::count();
        match owner.wall_clock().and_then(|clock| clock.at(count)) {
            Some(time) => {
                self.seconds = (time / SECOND) as u32;
                Moment { count, seconds: self.seconds, nanoseconds: time % SECOND }
            }
            None => Moment { count, seconds: self.seconds, nanoseconds: 0 },
        }
    }

    /// Drives the interrupt line, and returns when the clock has to look again.
    fn settle(&mut self, owner: &dyn Owner, now: Moment) -> Option<u64> {
        drive(owner, &mut self.line, self.clock.irq_level());
        self.clock.due(now.seconds).map(|seconds| now.in_seconds(seconds, timer::frequency()))
    }

    /// Takes note of the time.
    fn look(&mut self, owner: &dyn Owner) -> Option<u64> {
        let now = self.now(owner);
        self.clock.look(now.seconds);
        self.settle(owner, now)
    }
}

impl Rtc {
    /// A clock as it wakes up, that is not there yet.
    pub const fn new() -> Self {
        let state = State { clock: Pl031::new(), line: Line::new(map::RTC_INTID), seconds: 0 };
        Self { there: AtomicBool::new(false), core: AtomicUsize::new(0), state: TicketMutex::new(state) }
    }

    /// What follows an access of the guest's, on the core of the vCPU that made it.
    fn settle_here(&self, state: &mut State, owner: &dyn Owner, now: Moment) {
        let next = state.settle(owner, now);
        if let Some((next, here)) = next.zip(Core::current()) {
            self.core.store(here.index, Ordering::Relaxed);
            here.arm_by(Timer::Device, next);
        }
    }
}

impl Default for Rtc {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulated for Rtc {
    fn is_there(&self) -> bool {
        self.there.load(Ordering::Relaxed)
    }

    fn begin(&self, owner: &dyn Owner) {
        self.there.store(owner.wall_clock().is_some(), Ordering::Relaxed);
    }

    fn describe(&self) -> Option<&'static Description> {
        self.is_there().then_some(&Pl031::DESCRIPTION)
    }

    fn read(&self, owner: &dyn Owner, offset: u64, size: u8) -> u64 {
        let mut state = self.state.lock();
        let now = state.now(owner);
        let value = Device::read(&mut state.clock, now.seconds, offset, size);
        self.settle_here(&mut state, owner, now);
        value
    }

    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        let mut state = self.state.lock();
        let now = state.now(owner);
        Device::write(&mut state.clock, now.seconds, offset, size, value);
        self.settle_here(&mut state, owner, now);
    }

    fn look(&self, owner: &dyn Owner, core: usize) -> Option<u64> {
        // It is written under the lock, by the core that it names then: this one sees what it has written itself.
        if self.core.load(Ordering::Relaxed) != core {
            return None;
        }
        let mut state = self.state.lock();
        let next = state.look(owner);
        next.filter(|_| self.core.load(Ordering::Relaxed) == core)
    }

    fn time_was_set(&self, owner: &dyn Owner, core: usize) -> Option<u64> {
        let mut state = self.state.lock();
        self.core.store(core, Ordering::Relaxed);
        state.look(owner)
    }

    fn reset(&self, owner: &dyn Owner) {
        let mut state = self.state.lock();
        Device::reset(&mut state.clock);
        drive(owner, &mut state.line, false);
    }

    fn renew(&self) {
        self.state.lock().clock = Pl031::new();
    }

    fn save_clock(&self) -> Option<state::Pl031> {
        self.is_there().then(|| self.state.lock().clock.save())
    }

    fn restore_clock(&self, saved: &state::Pl031) -> Result<(), Unfit> {
        if !self.is_there() {
            return Err(Unfit::Absent("a PL031"));
        }
        let mut state = self.state.lock();
        state.clock.restore(saved)?;
        // Its level is in the virtual GIC that is restored, too.
        let level = state.clock.irq_level();
        let _ = state.line.set(level);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_begins_when_the_nanoseconds_are_over() {
        let now = Moment { count: 1000, seconds: 7, nanoseconds: 250_000_000 };
        assert_eq!(now.in_seconds(1, 1_000_000), 1000 + 750_000 + 1);
        assert_eq!(now.in_seconds(3, 1_000_000), 1000 + 2_750_000 + 1);
        assert_eq!(Moment { nanoseconds: SECOND - 1, ..now }.in_seconds(1, 1_000_000), 1000 + 100);
        let late = Moment { count: u64::MAX - 5, ..now };
        assert_eq!(late.in_seconds(u32::MAX, 1_000_000_000), u64::MAX);
    }
}
