//! The controller's state as a plain structure.

use portcullis_abi::state;

use super::pl061::Pl061;
use crate::Unfit;

impl Pl061 {
    /// Returns all that the controller remembers, the levels of its lines among it.
    pub const fn save(&self) -> state::Pl061 {
        state::Pl061 {
            version: state::Pl061::VERSION,
            direction: self.direction as u32,
            sense: self.sense as u32,
            both: self.both as u32,
            event: self.event as u32,
            mask: self.enabled as u32,
            alternate: self.alternate as u32,
            data: self.data as u32,
            edges: self.edges as u32,
            inputs: self.inputs as u32,
        }
    }

    /// Puts the controller into a state that was saved. Which lines are outputs stays as it is wired here.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the controller is as before.
    pub fn restore(&mut self, state: &state::Pl061) -> Result<(), Unfit> {
        Unfit::check_version(state.version, state::Pl061::VERSION)?;
        let lines = |value: u32, part| u8::try_from(value).map_err(|_| Unfit::Value(part));
        let restored = Self {
            wired_out: self.wired_out,
            direction: lines(state.direction, "GPIODIR")?,
            sense: lines(state.sense, "GPIOIS")?,
            both: lines(state.both, "GPIOIBE")?,
            event: lines(state.event, "GPIOIEV")?,
            enabled: lines(state.mask, "GPIOIE")?,
            alternate: lines(state.alternate, "GPIOAFSEL")?,
            data: lines(state.data, "GPIODATA")?,
            edges: lines(state.edges, "GPIORIS")?,
            inputs: lines(state.inputs, "the GPIO lines")?,
        };
        if restored.edges & restored.sense != 0 {
            return Err(Unfit::Value("GPIORIS"));
        }
        if (restored.inputs | restored.edges) & restored.wired_out != 0 {
            return Err(Unfit::Absent("GPIO inputs"));
        }
        *self = restored;
        Ok(())
    }
}
