//! Which serial port is the console, by more than the device tree: what somebody has asked for, which pins a port has, and
//! whether it is there.

use core::hint::spin_loop;

use portcullis_arch::{probe, timer};

use crate::assemble::BoardError;
use crate::boards;
use crate::driver::{DrivenDevice, Offer};
use crate::drivers::ns16550;
use crate::facts::{Facts, List, PORTS};

/// What is asked of the hardware.
pub trait Hardware {
    /// Which port the pins of the board `compatible` lead to in place of the one at `told`: where its registers are.
    fn wired(&self, facts: &Facts, told: u64) -> Option<u64>;
    /// Whether a port is there.
    fn answers(&self, port: &DrivenDevice) -> bool;
}

/// Part of a second for which a port may have nothing to say. Each kind has a bit for an empty transmitter: what firmware has
/// last sent is out by then, and on a bus that answers for nobody the register stays zero.
const PATIENCE: u64 = 20;

/// The board itself.
pub struct Here {
    map: fn(u64),
}

impl Here {
    /// The board that the facts are of, whose devices `map` maps, a page at a time.
    ///
    /// # Safety
    ///
    /// What the facts say of serial ports must be true but for those that are not there, and the calling core must not have an
    /// anchor yet.
    pub const unsafe fn new(map: fn(u64)) -> Self {
        Self { map }
    }
}

impl Hardware for Here {
    fn wired(&self, facts: &Facts, told: u64) -> Option<u64> {
        // SAFETY: the board was recognised, and `map` maps what it looks at.
        unsafe { boards::find(&facts.compatible).wired?(told, self.map) }
    }

    fn answers(&self, port: &DrivenDevice) -> bool {
        (self.map)(port.registers.start);
        let Some(register) = status_register(port) else { return true };
        let end = timer::count().saturating_add(timer::frequency() / PATIENCE);
        loop {
            // SAFETY: as `new` says; the driver says that a read of this register has no effect.
            match unsafe { probe::read(register) } {
                None | Some(u32::MAX) => return false,
                Some(0) if timer::count() < end => spin_loop(),
                Some(status) => return status != 0,
            }
        }
    }
}

/// Where a read tells whether a serial port is there, and does nothing else; none where its registers are no words.
pub fn status_register(port: &DrivenDevice) -> Option<u64> {
    let Offer::Serial(_, offset) = port.driver.offer else { return None };
    if !ns16550::has_words(port.driver, port.layout) {
        return None;
    }
    port.registers.start.checked_add(offset).filter(|address| address.is_multiple_of(4))
}

/// A board's serial ports, in the order of its device tree.
pub type Ports = List<Option<DrivenDevice>, PORTS>;

/// Chooses the console of the board: the port `wanted`, if there is one, else the one that the device tree names, or the one
/// that its pins lead to in place of that. One that is not there gives way to the next one that is.
///
/// # Errors
///
/// [`BoardError::Absent`]: the device tree's is not there.
pub fn choose(
    facts: &mut Facts,
    ports: &Ports,
    wanted: Option<DrivenDevice>,
    hardware: &impl Hardware,
) -> Result<(), BoardError> {
    let at = |address| ports.iter().flatten().find(|port| port.registers.start == address).copied();
    if let Some(wanted) = wanted {
        // The device tree may know its interrupt.
        let known = at(wanted.registers.start).filter(|port| port.driver == wanted.driver);
        facts.uart = Some(known.map_or(wanted, |port| DrivenDevice { layout: wanted.layout, ..port }));
        return Ok(());
    }
    let Some(told) = facts.uart else { return Ok(()) };
    let several = ports.len() > 1;
    let wired = || at(hardware.wired(facts, told.registers.start)?);
    let chosen = several.then(wired).flatten().unwrap_or(told);
    facts.uart = Some(chosen);
    if hardware.answers(&chosen) {
        return Ok(());
    }
    let mut others = ports.iter().flatten().filter(|port| port.registers.start != chosen.registers.start);
    facts.uart = others.find(|port| hardware.answers(port)).copied();
    Err(BoardError::Absent(chosen.driver.name, chosen.registers.start))
}

#[cfg(test)]
mod tests;
