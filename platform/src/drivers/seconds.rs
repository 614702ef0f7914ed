//! Time of day from a clock whose register shows the whole seconds since 1970.

use core::ptr::NonNull;

use portcullis_arch::timer;
use portcullis_board::WallClock;
use safe_mmio::{UniqueMmioPointer, fields::ReadPure};
use spin::Mutex;

use super::edge::{Edge, Time};

/// A clock of whole seconds.
pub struct Seconds {
    /// Name of it in messages.
    name: &'static str,
    /// What every core reads, whenever a guest asks: without a lock.
    time: Time,
    /// What the core that ticks looks for.
    search: Mutex<Search>,
}

struct Search {
    register: UniqueMmioPointer<'static, ReadPure<u32>>,
    edge: Edge,
}

impl Seconds {
    /// Takes over the clock whose seconds are at `address`. The time is known to the second at once, and better as time passes.
    ///
    /// # Safety
    ///
    /// `address` must be that of such a register, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<ReadPure<u32>>, name: &'static str) -> Self {
        // SAFETY: passed on to the caller.
        let register = unsafe { UniqueMmioPointer::new(address) };
        let (second, count) = (register.read(), timer::count());
        let edge = Edge::new(u64::from(second), count, timer::frequency());
        Self { name, time: Time::new(&edge), search: Mutex::new(Search { register, edge }) }
    }
}

impl WallClock for Seconds {
    fn at(&self, count: u64) -> Option<u64> {
        Some(self.time.nanoseconds(count))
    }

    fn exact_at(&self, count: u64) -> Option<u64> {
        self.time.exact(count)
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn tick(&self, count: u64) -> Option<u64> {
        let mut search = self.search.lock();
        if search.edge.next_look(count).is_some() {
            let second = search.register.read();
            let count = timer::count();
            search.edge.look(u64::from(second), count);
            self.time.follow(&search.edge);
        }
        search.edge.next_look(count)
    }
}
