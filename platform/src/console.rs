//! Which serial port is the console, by more than the device tree: what somebody has asked for, which pins a port has, and whether it
//! is there.

use portcullis_arch::probe;

use crate::assemble::BoardError;
use crate::boards;
use crate::driver::DrivenDevice;
use crate::facts::Facts;

/// What is asked of the hardware.
pub trait Hardware {
    /// Which port the pins of the board `compatible` lead to in place of the one at `told`: where its registers are.
    fn wired(&self, facts: &Facts, told: u64) -> Option<u64>;
    /// Whether a port is there.
    fn answers(&self, port: &DrivenDevice) -> bool;
}

/// The board itself.
pub struct Here {
    map: fn(u64),
}

impl Here {
    /// The board that the facts are of, whose devices `map` maps, a page at a time.
    ///
    /// # Safety
    ///
    /// What the facts say of serial ports must be true but for those that are not there, and the calling core must not have an anchor
    /// yet.
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
        // SAFETY: as `new` says; the driver says that a read of this register has no effect.
        port.status_register().is_none_or(|register| unsafe { probe::answers(register) })
    }
}

/// Chooses the console of the board: the port `wanted`, if there is one, else the one that the device tree names, or the one that its
/// pins lead to in place of that. One that is not there gives way to the next one that is.
///
/// # Errors
///
/// [`BoardError::Absent`]: the device tree's is not there.
pub fn choose(facts: &mut Facts, wanted: Option<DrivenDevice>, hardware: &impl Hardware) -> Result<(), BoardError> {
    let at =
        |facts: &Facts, address| facts.ports.iter().flatten().find(|port| port.registers.start == address).copied();
    if let Some(wanted) = wanted {
        // The device tree may know its interrupt.
        let known = at(facts, wanted.registers.start).filter(|port| port.driver == wanted.driver);
        facts.uart = Some(known.map_or(wanted, |port| DrivenDevice { layout: wanted.layout, ..port }));
        return Ok(());
    }
    let Some(told) = facts.uart else { return Ok(()) };
    let wired = hardware.wired(facts, told.registers.start).and_then(|address| at(facts, address));
    let chosen = wired.unwrap_or(told);
    facts.uart = Some(chosen);
    if hardware.answers(&chosen) {
        return Ok(());
    }
    let mut others = facts.ports.iter().flatten().filter(|port| port.registers.start != chosen.registers.start);
    facts.uart = others.find(|port| hardware.answers(port)).copied();
    Err(BoardError::Absent(chosen.driver.name, chosen.registers.start))
}

#[cfg(test)]
mod tests;
