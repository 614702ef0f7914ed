//! A VM's flash: two banks, as QEMU's virt has them.
//!
//! The first one is mapped read-only as far as its file goes. The second one is mapped read-only while it shows its cells;
//! from the first command on every access comes here, until it shows them again.

use portcullis_devices::flash::{Cells, Cfi, Rom};
use portcullis_devices::{Description, Device};
use spin::mutex::TicketMutex;

use super::emulated::Emulated;
use crate::memory::bank::Bank;
use crate::vm::Vm;

/// A store to the first bank has no effect; like every access of a device it is counted.
impl Emulated for Rom {
    fn read(&self, _: &'static Vm, _: u64, _: u8) -> u64 {
        Self::read(*self)
    }

    fn write(&self, _: &'static Vm, _: u64, _: u8, _: u64) {}
}

/// The second bank of a VM.
pub struct Flash {
    state: TicketMutex<State>,
}

struct State {
    commands: Cfi,
    cells: Bank,
    /// The guest has the cells mapped.
    mapped: bool,
}

impl Cells for Bank {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) {
        self.with_cells(offset, bytes.len() as u64, |cells| bytes.copy_from_slice(cells));
    }

    fn program(&mut self, offset: u64, bytes: &[u8]) {
        self.with_cells(offset, bytes.len() as u64, |cells| {
            cells.iter_mut().zip(bytes).for_each(|(cell, byte)| *cell &= byte);
        });
    }

    fn erase(&mut self, offset: u64, length: u64) {
        self.with_cells(offset, length, |cells| cells.fill(0xff));
    }
}

impl State {
    fn map(&mut self, on: bool) {
        if self.mapped != on {
            self.mapped = on;
            self.cells.map(on);
        }
    }
}

impl Flash {
    /// A bank as it wakes up, whose cells are mapped.
    pub fn new(cells: Bank) -> Self {
        Self { state: TicketMutex::new(State { commands: Cfi::new(), cells, mapped: true }) }
    }
}

impl Emulated for Flash {
    fn describe(&self) -> Option<&'static Description> {
        Some(&Cfi::DESCRIPTION)
    }

    fn read(&self, _: &'static Vm, offset: u64, size: u8) -> u64 {
        let State { commands, cells, .. } = &mut *self.state.lock();
        commands.read(cells, offset, size)
    }

    fn write(&self, _: &'static Vm, offset: u64, size: u8, value: u64) {
        let mut state = self.state.lock();
        // While the guest has the cells mapped they do not change.
        state.map(false);
        let State { commands, cells, .. } = &mut *state;
        commands.write(cells, offset, size, value);
        let shown = state.commands.is_array();
        state.map(shown);
    }

    fn reset(&self, _: &Vm) {
        let mut state = self.state.lock();
        state.commands.reset();
        state.map(true);
    }
}
