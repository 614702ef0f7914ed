//! Time of day from an Arm PL031 real-time clock (DDI 0224), which shows whole seconds.

use core::ptr::NonNull;

use portcullis_arch::timer;
use portcullis_board::WallClock;
use safe_mmio::{UniqueMmioPointer, field_shared, fields::ReadPure};
use spin::{Mutex, Once};

use crate::driver::{DrivenDevice, Driver, Offer};
use crate::drivers::edge::{Edge, Time};

/// This driver.
pub static DRIVER: Driver = Driver { name: "a PL031", compatible: &[b"arm,pl031"], offer: Offer::WallClock(bind) };

/// The registers that are used: RTCDR, the seconds since 1970.
#[repr(C)]
pub struct Registers {
    data: ReadPure<u32>,
}

/// A PL031.
pub struct Pl031 {
    /// What every core reads, whenever a guest asks: without a lock.
    time: Time,
    /// What the core that ticks looks for.
    search: Mutex<Search>,
}

struct Search {
    registers: UniqueMmioPointer<'static, Registers>,
    edge: Edge,
}

static CLOCK: Once<Pl031> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn WallClock> {
    let registers = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(CLOCK.call_once(|| unsafe { Pl031::new(registers) }))
}

impl Pl031 {
    /// Takes over the PL031 at `address`. The time is known to the second at once, and better as time passes.
    ///
    /// # Safety
    ///
    /// `address` must be that of a PL031's registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<Registers>) -> Self {
        // SAFETY: passed on to the caller.
        let registers = unsafe { UniqueMmioPointer::new(address) };
        let (second, count) = (field_shared!(registers, data).read(), timer::count());
        let edge = Edge::new(u64::from(second), count, timer::frequency());
        Self { time: Time::new(&edge), search: Mutex::new(Search { registers, edge }) }
    }
}

impl WallClock for Pl031 {
    fn at(&self, count: u64) -> Option<u64> {
        Some(self.time.nanoseconds(count))
    }

    fn exact_at(&self, count: u64) -> Option<u64> {
        self.time.exact(count)
    }

    fn name(&self) -> &'static str {
        "PL031 and counter"
    }

    fn tick(&self, count: u64) -> Option<u64> {
        let mut search = self.search.lock();
        if search.edge.next_look(count).is_some() {
            let second = field_shared!(search.registers, data).read();
            let count = timer::count();
            search.edge.look(u64::from(second), count);
            self.time.follow(&search.edge);
        }
        search.edge.next_look(count)
    }
}
