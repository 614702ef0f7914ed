//! The flash behind the seam, and its state as a plain structure.

use portcullis_abi::{map, state};

use super::cfi::{Mode, NOTHING, Step};
use super::commands::{BANK, PIECE, SEQUENCE_ERROR};
use super::{BUFFER, Cells, Cfi};
use crate::{Description, Device, Frame, Unfit};

/// How the steps are saved; the number of stores that fill the buffer is a field of its own.
const STEPS: [Step; 8] =
    [Step::Command, Step::Erase, Step::Program, Step::Lock, Step::Count, Step::Data(0), Step::Confirm, Step::Busy];
/// How the modes are saved.
const MODES: [Mode; 4] = [Mode::Array, Mode::Status, Mode::Identification, Mode::Query];

impl Cfi {
    /// Where the guest has the two banks. The first one is a [`Rom`](super::Rom).
    pub const BANKS: [Frame; 2] = [
        Frame { start: map::FLASH, size: map::FLASH_BANK },
        Frame { start: map::FLASH + map::FLASH_BANK, size: map::FLASH_BANK },
    ];
}

impl Device for Cfi {
    type World<'a> = &'a mut dyn Cells;
    type State = state::Flash;

    /// One node has both banks, as QEMU's virt has it.
    const DESCRIPTION: Description = Description {
        node: "flash@0",
        compatible: "cfi-flash",
        frames: &Self::BANKS,
        interrupt: None,
        clock_names: "",
        clocks: 0,
        bank_width: Some(4),
        gpio_cells: None,
    };

    fn read(&mut self, cells: &mut dyn Cells, offset: u64, size: u8) -> u64 {
        Self::read(self, cells, offset, size)
    }

    fn write(&mut self, cells: &mut dyn Cells, offset: u64, size: u8, value: u64) {
        Self::write(self, cells, offset, size, value);
    }

    /// It has no interrupt.
    fn level(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn save(&self) -> state::Flash {
        let left = if let Step::Data(left) = self.step { left } else { 0 };
        let step = STEPS.iter().position(|step| core::mem::discriminant(step) == core::mem::discriminant(&self.step));
        let mode = MODES.iter().position(|mode| *mode == self.mode);
        state::Flash {
            version: state::Flash::VERSION,
            mode: mode.unwrap_or(0) as u32,
            step: step.unwrap_or(0) as u32,
            left,
            errors: u32::from(self.errors),
            strayed: u32::from(self.strayed),
            first: self.filled.0,
            end: self.filled.1,
            erasing: self.erasing,
            window: self.window,
            buffer: self.buffer,
        }
    }

    fn restore(&mut self, state: &state::Flash) -> Result<(), Unfit> {
        /// What of it is within the bank, at a multiple of `unit`.
        const fn is_place(offset: u64, unit: u64) -> bool {
            offset < BANK && offset.is_multiple_of(unit)
        }
        Unfit::check_version(state.version, state::Flash::VERSION)?;
        let mode = *MODES.get(state.mode as usize).ok_or(Unfit::Value("the mode"))?;
        let step = match (STEPS.get(state.step as usize).ok_or(Unfit::Value("the step"))?, state.left) {
            (Step::Data(_), left @ 1..) if left <= BUFFER as u32 / 4 => Step::Data(left),
            (Step::Data(_), _) | (_, 1..) => return Err(Unfit::Value("the count")),
            // What comes in the middle of a sequence shows the status register, but for a command.
            (step, 0) => *step,
        };
        if step != Step::Command && mode != Mode::Status {
            return Err(Unfit::Value("the mode"));
        }
        if state.errors & !u32::from(SEQUENCE_ERROR) != 0 {
            return Err(Unfit::Value("the status register"));
        }
        if state.strayed > 1 {
            return Err(Unfit::Value("the mark of a store elsewhere"));
        }
        let filled = (state.first, state.end);
        if filled != NOTHING && (state.first >= state.end || state.end > BUFFER as u32) {
            return Err(Unfit::Value("what was filled"));
        }
        if !is_place(state.erasing, PIECE) || state.erasing != 0 && step != Step::Busy {
            return Err(Unfit::Value("the erasure"));
        }
        if !is_place(state.window, BUFFER as u64) {
            return Err(Unfit::Value("the buffer's place"));
        }
        *self = Self {
            mode,
            step,
            errors: state.errors as u8,
            erasing: state.erasing,
            window: state.window,
            filled,
            strayed: state.strayed == 1,
            buffer: state.buffer,
        };
        Ok(())
    }
}
