//! The board's watchdogs: all of them, as each one that a boot loader has left running would reset the machine.

use portcullis_board::Range;

use super::list::List;
use crate::driver::Driver;

/// Watchdogs that there is room for. NXP's Layerscape has one for each of up to eight cores.
pub const WATCHDOGS: usize = 16;

/// A watchdog that a driver knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// Its driver.
    pub driver: &'static Driver,
    /// Its registers: the first range of them.
    pub registers: Range,
}

/// Those that the device tree lists and does not disable, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watchdogs {
    noted: List<Option<Watchdog>, WATCHDOGS>,
    /// How many more there are, for which there was no room.
    pub more: usize,
}

impl Watchdogs {
    /// Notes one, or that there is one more.
    pub fn note(&mut self, watchdog: Watchdog) {
        if !self.noted.push(Some(watchdog)) {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Those that there was room for.
    pub fn iter(&self) -> impl Iterator<Item = &Watchdog> {
        self.noted.iter().flatten()
    }
}
