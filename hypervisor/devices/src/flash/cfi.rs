//! The bank that takes commands: its state, and what accesses do to it.

use super::Cells;
use super::commands::*;
use super::query::{identification, query};

/// Mask of an offset that leads to the start of what the buffer stands for.
const WINDOW: u64 = !(BUFFER as u64 - 1);

/// Nothing of the buffer was filled.
pub(super) const NOTHING: (u32, u32) = (BUFFER as u32, 0);

/// What loads show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The cells.
    Array,
    /// The status register.
    Status,
    /// Manufacturer and device.
    Identification,
    /// The query table.
    Query,
}

/// What the next store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A command.
    Command,
    /// The confirmation of an erasure.
    Erase,
    /// What is to be programmed.
    Program,
    /// What is to become of a block's lock.
    Lock,
    /// How many stores fill the buffer, less one.
    Count,
    /// One of so many stores that fill the buffer.
    Data(u32),
    /// The confirmation that the buffer is to be programmed.
    Confirm,
    /// An erasure goes on; what is stored has no effect.
    Busy,
}

/// A CFI bank of two parts, which get every command together, as QEMU has it: the lowest byte of a store is the command.
///
/// An erasure is done a [piece](PIECE) at a time, one at each access that comes after its confirmation, however long that
/// access is: those that the guest makes to see whether it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cfi {
    pub(super) mode: Mode,
    pub(super) step: Step,
    /// The errors of the status register.
    pub(super) errors: u8,
    /// What is left to be erased of a block: from here to its end. Zero if no erasure is in progress.
    pub(super) erasing: u64,
    /// What the buffer stands for begins here.
    pub(super) window: u64,
    /// The part of the buffer that was filled, from the first to behind the last byte.
    pub(super) filled: (u32, u32),
    /// A store of the present filling was not within the window.
    pub(super) strayed: bool,
    /// What the buffer holds, a set bit where nothing is to be programmed.
    pub(super) buffer: [u8; BUFFER],
}

impl Cfi {
    /// A bank as it wakes up: it shows its cells.
    pub const fn new() -> Self {
        Self {
            mode: Mode::Array,
            step: Step::Command,
            errors: 0,
            erasing: 0,
            window: 0,
            filled: NOTHING,
            strayed: false,
            buffer: [0xff; BUFFER],
        }
    }

    /// The state after a reset, which ends what is in progress: a block that was being erased is left as far as that came.
    pub const fn reset(&mut self) {
        *self = Self::new();
    }

    /// Whether loads show the cells and nothing else, so that the guest may have them mapped.
    pub const fn is_array(&self) -> bool {
        matches!((self.mode, self.step), (Mode::Array, Step::Command))
    }

    /// The status register of either part.
    const fn status(&self) -> u8 {
        if matches!(self.step, Step::Busy) { self.errors } else { READY | self.errors }
    }

    /// Reads `size` bytes (1, 2, 4 or 8) at `offset` into the bank.
    pub fn read(&mut self, cells: &mut dyn Cells, offset: u64, size: u8) -> u64 {
        if self.step == Step::Busy {
            self.erase_piece(cells);
        }
        if self.mode == Mode::Array {
            let mut bytes = [0xff; 8];
            let length = u64::from(size).min(BANK.saturating_sub(offset));
            if let Some(bytes) = bytes.get_mut(..length as usize) {
                cells.read(offset, bytes);
            }
            return u64::from_le_bytes(bytes);
        }
        // Each part shows a byte in the lower half of its lane; a word has both.
        let word = |word: u64| {
            let shown = match self.mode {
                Mode::Identification => identification(word),
                Mode::Query => query(word),
                Mode::Array | Mode::Status => self.status(),
            };
            u64::from(shown) * 0x1_0001
        };
        let first = offset >> 2;
        (word(first.wrapping_add(1)) << 32 | word(first)) >> ((offset & 3) * 8)
    }

    /// Writes `value`, which is `size` bytes long, at `offset` into the bank. The bank is 32 bits wide: what is longer is two
    /// stores, both of them without effect if an erasure is in progress.
    pub fn write(&mut self, cells: &mut dyn Cells, offset: u64, size: u8, value: u64) {
        if self.step == Step::Busy {
            self.erase_piece(cells);
        } else if size > 4 {
            self.store(cells, offset, 4, value as u32);
            self.store(cells, offset.saturating_add(4), 4, (value >> 32) as u32);
        } else {
            self.store(cells, offset, size, value as u32);
        }
    }

    fn store(&mut self, cells: &mut dyn Cells, offset: u64, size: u8, value: u32) {
        let command = value as u8;
        match self.step {
            // The second half of a store whose first one has confirmed an erasure.
            Step::Busy => {}
            Step::Command => self.command(command),
            Step::Erase if command == CONFIRM => {
                self.erasing = offset.min(BANK - 1) & !(BLOCK - 1);
                self.step = Step::Busy;
            }
            Step::Lock if matches!(command, CONFIRM | LOCK_BLOCK | LOCK_DOWN) => self.step = Step::Command,
            Step::Erase | Step::Lock => self.end(SEQUENCE_ERROR),
            Step::Program => {
                program(cells, offset, size, value);
                self.end(0);
            }
            Step::Count => match value & 0xffff {
                count if count < BUFFER as u32 / 4 => {
                    (self.filled, self.strayed) = (NOTHING, false);
                    self.buffer = [0xff; BUFFER];
                    self.step = Step::Data(count.saturating_add(1));
                }
                _ => self.end(SEQUENCE_ERROR),
            },
            Step::Data(left) => {
                self.fill(offset, size, value);
                self.step = if left > 1 { Step::Data(left - 1) } else { Step::Confirm };
            }
            Step::Confirm if command == CONFIRM && !self.strayed => {
                let (first, end) = self.filled;
                if let Some(bytes) = self.buffer.get(first as usize..end as usize) {
                    cells.program(self.window.saturating_add(u64::from(first)), bytes);
                }
                self.end(0);
            }
            Step::Confirm => self.end(SEQUENCE_ERROR),
        }
    }

    /// A store that is a command.
    fn command(&mut self, command: u8) {
        (self.mode, self.step) = match command {
            READ_STATUS => (Mode::Status, Step::Command),
            READ_ID => (Mode::Identification, Step::Command),
            QUERY => (Mode::Query, Step::Command),
            ERASE => (Mode::Status, Step::Erase),
            PROGRAM | PROGRAM_OTHER => (Mode::Status, Step::Program),
            BUFFERED => (Mode::Status, Step::Count),
            LOCK => (Mode::Status, Step::Lock),
            CLEAR_STATUS => {
                self.errors = 0;
                (Mode::Array, Step::Command)
            }
            // What other parts know, and what is no command, leads back to the cells: so do drivers that look for those.
            _ => (Mode::Array, Step::Command),
        };
    }

    /// A sequence of stores is over; `errors` says how. The status register is shown.
    const fn end(&mut self, errors: u8) {
        self.errors |= errors;
        self.step = Step::Command;
    }

    /// Takes a store into the buffer.
    fn fill(&mut self, offset: u64, size: u8, value: u32) {
        if self.filled == NOTHING {
            self.window = offset.min(BANK - 1) & WINDOW;
        }
        let place = offset.checked_sub(self.window).and_then(|first| usize::try_from(first).ok());
        let place = place.and_then(|first| Some((first, first.checked_add(size.into())?)));
        let room = place.and_then(|(first, end)| Some((first, end, self.buffer.get_mut(first..end)?)));
        let Some((first, end, room)) = room else {
            self.strayed = true;
            return;
        };
        room.iter_mut().zip(value.to_le_bytes()).for_each(|(cell, byte)| *cell &= byte);
        self.filled = (self.filled.0.min(first as u32), self.filled.1.max(end as u32));
    }

    /// Goes on with the erasure in progress.
    fn erase_piece(&mut self, cells: &mut dyn Cells) {
        cells.erase(self.erasing, PIECE);
        self.erasing = self.erasing.saturating_add(PIECE);
        if self.erasing.is_multiple_of(BLOCK) {
            self.erasing = 0;
            self.end(0);
        }
    }
}

/// Programs the `size` bytes of a store. One that is not aligned may go beyond the bank, or from one window to the next.
fn program(cells: &mut dyn Cells, offset: u64, size: u8, value: u32) {
    let bytes = value.to_le_bytes();
    let length = u64::from(size).min(BANK.saturating_sub(offset));
    let first = length.min((offset | !WINDOW).wrapping_add(1).wrapping_sub(offset));
    for (from, to) in [(0, first), (first, length)] {
        if let Some(part) = bytes.get(from as usize..to as usize).filter(|part| !part.is_empty()) {
            cells.program(offset.saturating_add(from), part);
        }
    }
}

impl Default for Cfi {
    fn default() -> Self {
        Self::new()
    }
}
