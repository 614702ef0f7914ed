//! The clock behind the seam, and its state as a plain structure.

use portcullis_abi::{map, state};

use super::pl031::Pl031;
use crate::{Description, Device, Frame, Trigger, Unfit};

impl Device for Pl031 {
    /// The time of day in seconds since 1970, modulo 2^32.
    type World<'a> = u32;
    type State = state::Pl031;

    const DESCRIPTION: Description = Description {
        node: "pl031@9010000",
        compatible: "arm,pl031\0arm,primecell",
        frames: &[Frame { start: map::RTC, size: map::RTC_SIZE }],
        interrupt: Some((map::RTC_INTID, Trigger::Level)),
        clock_names: "apb_pclk",
        clocks: 1,
        bank_width: None,
        gpio_cells: None,
    };

    fn read(&mut self, now: u32, offset: u64, _: u8) -> u64 {
        u64::from(Self::read(self, now, offset))
    }

    fn write(&mut self, now: u32, offset: u64, _: u8, value: u64) {
        Self::write(self, now, offset, value as u32);
    }

    fn level(&self) -> bool {
        self.irq_level()
    }

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn save(&self) -> state::Pl031 {
        state::Pl031 {
            version: state::Pl031::VERSION,
            offset: self.offset,
            load: self.load,
            alarm: self.alarm,
            mask: u32::from(self.enabled),
            raw: u32::from(self.raised),
            ahead: u32::from(self.ahead),
        }
    }

    fn restore(&mut self, state: &state::Pl031) -> Result<(), Unfit> {
        Unfit::check_version(state.version, state::Pl031::VERSION)?;
        let bit = |value: u32, part| if value <= 1 { Ok(value == 1) } else { Err(Unfit::Value(part)) };
        *self = Self {
            offset: state.offset,
            load: state.load,
            alarm: state.alarm,
            enabled: bit(state.mask, "RTCIMSC")?,
            raised: bit(state.raw, "RTCRIS")?,
            ahead: bit(state.ahead, "the alarm's mark")?,
        };
        Ok(())
    }
}
