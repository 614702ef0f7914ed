//! The controller behind the seam.

use portcullis_abi::{map, state};

use super::pl061::Pl061;
use crate::{Description, Device, Frame, Trigger, Unfit};

impl Device for Pl061 {
    /// What is at the other ends is told apart from accesses.
    type World<'a> = ();
    type State = state::Pl061;

    const DESCRIPTION: Description = Description {
        node: "pl061@9030000",
        compatible: "arm,pl061\0arm,primecell",
        frames: &[Frame { start: map::GPIO, size: map::GPIO_SIZE }],
        interrupt: Some((map::GPIO_INTID, Trigger::Level)),
        clock_names: "apb_pclk",
        clocks: 1,
        bank_width: None,
        gpio_cells: Some(2),
    };

    fn read(&mut self, (): (), offset: u64, _: u8) -> u64 {
        u64::from(Self::read(self, offset))
    }

    fn write(&mut self, (): (), offset: u64, _: u8, value: u64) {
        Self::write(self, offset, value as u32);
    }

    fn level(&self) -> bool {
        self.irq_level()
    }

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn save(&self) -> state::Pl061 {
        Self::save(self)
    }

    fn restore(&mut self, state: &state::Pl061) -> Result<(), Unfit> {
        Self::restore(self, state)
    }
}
