//! A device that a driver knows, from its node.

use portcullis_board::Range;

use super::interrupt::{Decoder, Interrupts};
use super::list::List;
use crate::driver::{DrivenDevice, Driver, Layout};

/// Phandle and frequency in Hz of each fixed clock.
pub type Clocks = List<(u32, u32), 16>;

/// What a device's node says.
#[derive(Clone, Copy)]
pub struct DeviceNode<'a> {
    pub driver: &'static Driver,
    pub registers: Range,
    pub interrupts: Interrupts<'a>,
    pub clock: Option<u32>,
    pub clock_phandle: Option<u32>,
    pub layout: Layout,
}

impl DeviceNode<'_> {
    /// Looks up what the node refers to.
    pub fn finish(&self, decoder: &Decoder, clocks: &Clocks) -> DrivenDevice {
        let fixed = clocks.iter().find(|(phandle, _)| Some(*phandle) == self.clock_phandle);
        DrivenDevice {
            driver: self.driver,
            registers: self.registers,
            intid: decoder.intid(self.interrupts, 0),
            edge: decoder.is_edge(self.interrupts, 0),
            clock: self.clock.or(fixed.map(|(_, frequency)| *frequency)),
            layout: self.layout,
            inverter: decoder.inverter(self.interrupts, 0),
        }
    }
}
