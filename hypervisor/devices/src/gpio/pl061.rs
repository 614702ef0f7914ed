//! The controller's state and what register accesses and lines do to it.

use super::registers::*;

/// An emulated PL061 of eight lines. Edges that come before the guest has cleared the one before them are one, as on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pl061 {
    /// Lines that drive what is connected to them, whatever the direction register says; the others are driven.
    pub(super) wired_out: u8,
    /// DIR, IS, IBE, IEV, IE, AFSEL.
    pub(super) direction: u8,
    pub(super) sense: u8,
    pub(super) both: u8,
    pub(super) event: u8,
    pub(super) enabled: u8,
    pub(super) alternate: u8,
    /// What the guest has written to DATA of its outputs.
    pub(super) data: u8,
    /// Edges that came and were not cleared.
    pub(super) edges: u8,
    /// Levels of the lines that are driven.
    pub(super) inputs: u8,
}

impl Pl061 {
    /// A controller after its reset, whose lines `outputs` drive what is connected to them. All lines are low.
    pub const fn new(outputs: u8) -> Self {
        Self {
            wired_out: outputs,
            direction: 0,
            sense: 0,
            both: 0,
            event: 0,
            enabled: 0,
            alternate: 0,
            data: 0,
            edges: 0,
            inputs: 0,
        }
    }

    /// The state after the VM's reset. What drives its lines goes on to do so.
    pub const fn reset(&mut self) {
        *self = Self { inputs: self.inputs, ..Self::new(self.wired_out) };
    }

    /// Returns the lines that are outputs, a bit each, whatever its driver says.
    pub const fn wired_out(&self) -> u8 {
        self.wired_out
    }

    /// Levels of the lines that it drives; the others are 0.
    pub const fn outputs(&self) -> u8 {
        self.data & self.wired_out
    }

    /// Sets the levels of the lines that are driven; bits of others are ignored. Returns those that have changed.
    pub const fn set_inputs(&mut self, levels: u8) -> u8 {
        let levels = levels & !self.wired_out;
        let (rising, falling) = (levels & !self.inputs, self.inputs & !levels);
        let wanted = self.both & (rising | falling) | !self.both & (self.event & rising | !self.event & falling);
        self.edges |= wanted & !self.sense;
        self.inputs = levels;
        rising | falling
    }

    /// MIS: the lines that interrupt.
    pub const fn masked(&self) -> u8 {
        self.raw() & self.enabled
    }

    /// Whether the interrupt line is high: MIS is not zero.
    pub const fn irq_level(&self) -> bool {
        self.masked() != 0
    }

    /// Reads the register at `offset` bytes into the frame. Unknown, unaligned and write-only offsets read as zero.
    pub fn read(&self, offset: u64) -> u32 {
        u32::from(match offset {
            DATA..DIR if offset & 3 == 0 => (self.inputs | self.outputs()) & lines(offset),
            DIR => self.direction,
            IS => self.sense,
            IBE => self.both,
            IEV => self.event,
            IE => self.enabled,
            RIS => self.raw(),
            MIS => self.masked(),
            AFSEL => self.alternate,
            ID.. if offset & 3 == 0 => {
                let index = usize::try_from((offset - ID) >> 2).unwrap_or(usize::MAX);
                ID_VALUES.get(index).copied().unwrap_or(0)
            }
            _ => 0,
        })
    }

    /// Writes the register at `offset` bytes into the frame. Unknown, unaligned and read-only offsets ignore it. Data is taken for
    /// lines that the direction register has as outputs (DDI 0190, section 3.3.1).
    pub const fn write(&mut self, offset: u64, value: u32) {
        let value = value as u8;
        match offset {
            DATA..DIR if offset & 3 == 0 => {
                let lines = lines(offset) & self.direction;
                self.data = self.data & !lines | value & lines;
            }
            DIR => self.direction = value,
            IS => {
                // What is a level has no edges, and none comes of having been one.
                self.edges &= !(self.sense ^ value);
                self.sense = value;
            }
            IBE => self.both = value,
            IEV => self.event = value,
            IE => self.enabled = value,
            IC => self.edges &= !value,
            AFSEL => self.alternate = value,
            _ => {}
        }
    }

    /// RIS: edges, and levels that are what they should not be. A line that is driven from here interrupts nobody.
    const fn raw(&self) -> u8 {
        let levels = !(self.inputs ^ self.event) & self.sense & !self.wired_out;
        self.edges | levels
    }
}

/// The lines that an address of the data register means.
const fn lines(offset: u64) -> u8 {
    (offset >> 2) as u8
}
