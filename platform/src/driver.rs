//! What a driver says of itself, and a device of the board that there is a driver for.

use core::fmt;

use portcullis_board::{Entropy, PowerControl, Range, SerialPort, WallClock};

use crate::drivers::rate::Reference;
use crate::drivers::watchdog::Stop;

/// A driver, as its file names it. `drivers/mod.rs` lists them all.
pub struct Driver {
    /// Name of such a device in messages, with its article.
    pub name: &'static str,
    /// The `compatible` strings of the nodes that it drives.
    pub compatible: &'static [&'static [u8]],
    /// What it offers, and what takes a device over for that.
    pub offer: Offer,
}

/// Takes over the device of a driver. `None`: it cannot be driven where it lies.
///
/// Safety: what [`DrivenDevice`] says must be true, and the pages of the registers must be mapped as device memory. A device that
/// was taken over stays with its driver: who asks again gets the same.
pub type Bind<T> = unsafe fn(&DrivenDevice) -> Option<&'static T>;

/// What a driver offers.
///
/// Whether a device is there is found out by reading its first register, which must not change anything. A serial port's first
/// one is its received data, so it has another one for that.
#[derive(Clone, Copy)]
pub enum Offer {
    /// A console, and where it has a register of 32 bits that can be read without any effect: bytes from its first one.
    Serial(Bind<dyn SerialPort>, u64),
    /// Power off and reset, where the firmware has no PSCI.
    Power(Bind<dyn PowerControl>),
    /// Random bits, where neither the firmware nor the CPU has any.
    Entropy(Bind<dyn Entropy>),
    /// Time of day, where the firmware does not tell it.
    WallClock(Bind<dyn WallClock>),
    /// A clock to measure the counter against.
    Reference(Bind<dyn Reference>),
    /// Nothing: a watchdog, which is stopped at boot and then left alone.
    Watchdog(Stop),
}

impl Driver {
    /// Whether it drives nodes with this `compatible` string.
    pub fn drives(&self, compatible: &[u8]) -> bool {
        self.compatible.contains(&compatible)
    }

    /// Whether its devices are clocks that are read and nothing else.
    pub const fn is_reference(&self) -> bool {
        matches!(self.offer, Offer::Reference(_))
    }

    /// What stops its devices if they are watchdogs.
    pub const fn watchdog(&self) -> Option<&Stop> {
        if let Offer::Watchdog(stop) = &self.offer { Some(stop) } else { None }
    }

    /// Whether its devices are consoles.
    pub const fn is_serial(&self) -> bool {
        matches!(self.offer, Offer::Serial(..))
    }
}

impl PartialEq for Driver {
    /// Each driver is there once.
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl Eq for Driver {}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A device that the board's tree lists and that a driver knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrivenDevice {
    /// Its driver.
    pub driver: &'static Driver,
    /// Its registers: the first range of them.
    pub registers: Range,
    /// Its first interrupt, an INTID, if it is wired to the GIC.
    pub intid: Option<u32>,
    /// That interrupt is a rising edge; else it follows its line.
    pub edge: bool,
    /// Its clock in Hz, if the tree tells.
    pub clock: Option<u32>,
    /// How its registers lie, if the tree tells.
    pub layout: Layout,
    /// What turns its interrupt round on the way to the GIC, if anything does.
    pub inverter: Option<Inverter>,
}

/// A bit that decides whether an interrupt comes to the GIC as it is or turned round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inverter {
    /// Where the 32-bit register is that has it.
    pub register: u64,
    /// Its number there.
    pub bit: u32,
    /// Whether it is to be turned round: low, or falling, is what the device means.
    pub invert: bool,
}

impl DrivenDevice {
    /// One of which only this is known.
    pub const fn at(driver: &'static Driver, address: u64, size: u64) -> Self {
        let (registers, layout) = (Range::sized(address, size), Layout { shift: None, width: None });
        Self { driver, registers, intid: None, edge: false, clock: None, layout, inverter: None }
    }
}

/// How the registers of a device lie whose kind does not say that (`serial/8250.yaml`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// `reg-shift`: register n is n times two to the power of this many bytes behind the first one.
    pub shift: Option<u32>,
    /// `reg-io-width`: the bytes of an access.
    pub width: Option<u32>,
}
