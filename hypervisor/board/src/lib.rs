//! What the machine room needs of a board: traits that `platform` implements, and what both sides call things by.
//!
//! A board holds no policy, and the machine room names no board: both know this crate, and neither the other. It knows no
//! hardware and holds no `unsafe`.
//!
//! # Example
//!
//! ```
//! use portcullis_board::{Range, Regions, SerialPort};
//!
//! /// A serial line that nobody listens to.
//! struct Silent;
//!
//! impl SerialPort for Silent {
//!     fn has_room(&self) -> bool {
//!         true
//!     }
//!     fn put(&self, _byte: u8) {}
//!     fn send(&self, next: &mut dyn FnMut() -> Option<u8>) {
//!         while next().is_some() {}
//!     }
//!     fn is_idle(&self) -> bool {
//!         true
//!     }
//!     fn get(&self) -> Option<u8> {
//!         None
//!     }
//!     fn set_receive_interrupt(&self, _enabled: bool) {}
//!     fn set_transmit_interrupt(&self, _enabled: bool) {}
//!     fn interrupt(&self) -> Option<u32> {
//!         None
//!     }
//! }
//!
//! let serial: &dyn SerialPort = &Silent;
//! assert!(serial.has_room());
//!
//! // RAM at 1 GiB, of which a VM gets 2 MiB.
//! let mut free = Regions::new();
//! free.add(Range::sized(0x4000_0000, 0x1000_0000)).unwrap();
//! let vm = free.allocate(0x20_0000, 0x20_0000).unwrap();
//! assert_eq!(vm, Range { start: 0x4fe0_0000, end: 0x5000_0000 });
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod device;
mod range;
pub mod signal;
pub mod time;
pub mod vm_memory;

pub use self::range::{Range, Regions, TooManyRanges};

/// The board's one serial line.
pub trait SerialPort: Sync {
    /// Whether the transmit FIFO has room for a byte.
    fn has_room(&self) -> bool;
    /// Hands one byte to the transmitter. Without room it is lost; never waits.
    fn put(&self, byte: u8);
    /// Hands bytes to the transmitter while it has room and there is a `next` one; never waits.
    fn send(&self, next: &mut dyn FnMut() -> Option<u8>);
    /// Whether everything that was handed to the transmitter has left the port, the last stop bit included.
    fn is_idle(&self) -> bool;
    /// Takes one received byte.
    fn get(&self) -> Option<u8>;
    /// Whether the port interrupts when it has received something; it does from the start. While it does not, what comes stays
    /// where it is, and on a line with flow control the sender waits.
    fn set_receive_interrupt(&self, enabled: bool);
    /// Whether the port interrupts when its transmit FIFO has room again.
    fn set_transmit_interrupt(&self, enabled: bool);
    /// The port's interrupt: INTID of an SPI.
    fn interrupt(&self) -> Option<u32>;
    /// Takes the port from whoever is in the midst of using it, and will not go on: the machine comes to an end, and who says
    /// why must not wait for anybody. A port without a lock has nothing to do.
    fn seize(&self) {}
}

/// The physical interrupt controller, but for its CPU interface.
pub trait InterruptController: Sync {
    /// Makes the controller serve the calling core, number `core` of the board; false if it cannot.
    #[must_use = "a core without interrupts can run nothing"]
    fn init_core(&self, core: usize) -> bool;
    /// Enables or disables the private interrupt `intid` of the calling core, number `core`.
    fn enable_private(&self, core: usize, intid: u32, enabled: bool);
    /// Enables SPI `intid` and routes it to the core with the affinity given, which was initialised.
    fn enable_shared(&self, intid: u32, affinity: u64);
    /// Says whether SPI `intid`, which is disabled, is edge-triggered or follows its line.
    fn set_trigger(&self, intid: u32, edge: bool);
    /// Enables or disables SPI `intid`. When it returns from disabling it, no core takes it any more, but one that had it
    /// signalled already. Takes no lock.
    fn set_shared(&self, intid: u32, enabled: bool);
    /// Routes SPI `intid`, which is disabled, to the core with the affinity given, which was initialised. Takes no lock.
    fn route_shared(&self, intid: u32, affinity: u64);
    /// Makes SPI `intid` disabled, not pending and not active, whichever core has it.
    fn quiet_shared(&self, intid: u32);
    /// INTID of the maintenance interrupt of the virtual CPU interface.
    fn maintenance_interrupt(&self) -> u32;
    /// Where in memory the CPU interface for guests lies: GICV of a GICv2, whole pages. `None`: it is system registers.
    fn virtual_interface(&self) -> Option<Range> {
        None
    }
}

/// Cores on and off, and the machine as a whole.
pub trait PowerControl: Sync {
    /// Starts a core at physical address `entry` with `argument` in x0, at EL2 with the MMU off.
    ///
    /// # Errors
    ///
    /// The firmware's code, a PSCI error (DEN0022, section 5.2.2).
    fn start_core(&self, affinity: u64, entry: u64, argument: u64) -> Result<(), i64>;
    /// Switches the machine off, or stops this core where that is not possible.
    fn power_off(&self) -> !;
    /// Resets the machine, or stops this core where that is not possible.
    fn reset(&self) -> !;
}

/// What names a SoC (DEN0028 section 7.4). Bit 31 of both is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocId {
    /// JEP-106 bank and code of the provider in bits 30:16, its number of the SoC in 15:0.
    pub version: u32,
    /// The SoC's revision.
    pub revision: u32,
}

/// Firmware at EL3 that takes guests' calls.
pub trait Firmware: Sync {
    /// Makes an SMC with x0 to x17 as in `x`, which then has what EL3 leaves there.
    fn call(&self, x: &mut [u64; 18]);
    /// Whether results of an SMC64 call may stand in x4 to x17 too, and these are kept otherwise: SMCCC 1.2 and later
    /// (DEN0028).
    fn is_wide(&self) -> bool;
}

/// A source of entropy that may be handed to guests.
pub trait Entropy: Sync {
    /// Fills `words` with fresh bits, each given out once; false when there are not enough within a bounded time.
    fn draw(&self, words: &mut [u64]) -> bool;
    /// The four words of the UUID that names this backend (DEN0098, TRNG_GET_UUID).
    fn uuid(&self) -> [u32; 4];
    /// Its name for messages.
    fn name(&self) -> &'static str;
}

/// A clock that knows the time of day.
pub trait WallClock: Sync {
    /// Time of day at the moment when the physical counter stood at `count`, in nanoseconds since 1970-01-01 UTC; `None`
    /// if it cannot be told now. It does not decrease as `count` grows, unless somebody who owns the clock sets it back.
    fn at(&self, count: u64) -> Option<u64>;
    /// The same of a clock that has found where its seconds begin, if it has to look for that: what is told then never steps, so
    /// the first time is as right as any later one. `None` until it has.
    fn exact_at(&self, count: u64) -> Option<u64> {
        self.at(count)
    }
    /// Lets the clock look at its hardware; `count` is the physical counter now. Returns when it wants to be called next.
    fn tick(&self, count: u64) -> Option<u64>;
    /// Its name for messages.
    fn name(&self) -> &'static str;
}

/// Maps a page of RAM at EL2 as writable memory while `work` runs; false if it cannot be mapped, and `work` did not run.
///
/// To call it is safe if nothing at EL2 has mapped the page for anything else.
pub type WithPage = unsafe fn(page: Range, work: &mut dyn FnMut()) -> bool;

/// A board.
pub struct Board {
    /// Name for messages, from the device tree's root.
    pub name: &'static str,
    /// The serial line.
    pub serial: Option<&'static dyn SerialPort>,
    /// The interrupt controller.
    pub interrupts: &'static dyn InterruptController,
    /// Cores and power.
    pub power: &'static dyn PowerControl,
    /// Firmware to forward calls to, if there is any.
    pub firmware: Option<&'static dyn Firmware>,
    /// Entropy, if the board has any.
    pub entropy: Option<&'static dyn Entropy>,
    /// Time of day, if the board knows it.
    pub wall_clock: Option<&'static dyn WallClock>,
    /// What the firmware says of the SoC, if it does.
    pub soc: Option<SocId>,
}
