//! Time of day, set by the control VM on a board that does not know it.

use portcullis_abi::manage;
use portcullis_arch::timer;
use portcullis_board::WallClock;
use portcullis_board::time::nanoseconds;
use spin::mutex::TicketMutex;

use super::status::Status;
use super::{Answer, DONE};
use crate::devices;
use crate::machine::Machine;
use crate::vm::vcpu::Vcpu;

/// A moment: time of day and physical counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    nanoseconds: u64,
    count: u64,
}

impl Moment {
    /// The time of day at `count`, with a counter of `frequency` Hz. Before the moment time stands still.
    fn at(self, count: u64, frequency: u64) -> u64 {
        self.nanoseconds.saturating_add(nanoseconds(count.saturating_sub(self.count), frequency))
    }
}

/// The clock that `CLOCK_SET` sets.
#[derive(Debug, Default)]
pub struct ManagedClock(TicketMutex<Option<Moment>>);

impl ManagedClock {
    /// A clock that knows nothing.
    pub const fn new() -> Self {
        Self(TicketMutex::new(None))
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.lock().is_some()
    }

    #[cfg(test)]
    /// Forgets the time, for the next test.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}

impl WallClock for ManagedClock {
    fn at(&self, count: u64) -> Option<u64> {
        let moment = *self.0.lock();
        moment.map(|moment| moment.at(count, timer::frequency()))
    }

    fn tick(&self, _: u64) -> Option<u64> {
        None
    }

    fn name(&self) -> &'static str {
        "set by the control VM"
    }
}

/// `CLOCK_SET`.
pub fn set(machine: &Machine, caller: &Vcpu, nanoseconds: u64, count: u64) -> Answer {
    if machine.board.wall_clock.is_some() {
        return Err(Status::NotPermitted);
    }
    let count = count.wrapping_add(caller.vm.counter_offset());
    // The PTP call has no sign for times after 2262, and nobody has read a counter in the future.
    if nanoseconds > i64::MAX.cast_unsigned() || count > timer::count() {
        return Err(Status::BadArgument);
    }
    *machine.clock.0.lock() = Some(Moment { nanoseconds, count });
    devices::time_was_set(machine.vms);
    DONE
}

/// `CLOCK_GET`.
pub fn get(machine: &Machine, caller: &Vcpu) -> Answer {
    let now = timer::count();
    let source = match machine.board.wall_clock {
        Some(_) => manage::CLOCK_BOARD,
        None if machine.clock.is_set() => manage::CLOCK_CALL,
        None => manage::CLOCK_UNKNOWN,
    };
    let time = machine.wall_clock().and_then(|clock| clock.at(now)).unwrap_or(0);
    Ok([time, now.wrapping_sub(caller.vm.counter_offset()), source])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_the_counter_and_saturates() {
        let moment = Moment { nanoseconds: 1_000, count: 50 };
        assert_eq!(moment.at(50, 1_000_000), 1_000);
        assert_eq!(moment.at(53, 1_000_000), 4_000);
        assert_eq!(moment.at(0, 1_000_000), 1_000);
        assert_eq!(moment.at(u64::MAX, 1), u64::MAX);
    }
}
