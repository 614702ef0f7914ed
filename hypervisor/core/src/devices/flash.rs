//! A VM's flash: two banks, as QEMU's virt has them.
//!
//! The first one is mapped read-only as far as its file goes. The second one is mapped read-only while it shows its cells;
//! from the first command on every access comes here, until it shows them again.

use portcullis_devices::flash::{Cells, Cfi, Rom};
use portcullis_devices::{Description, Device};
use spin::Mutex;

use super::emulated::Emulated;
use crate::vm::Vm;

/// A store to the first bank has no effect; like every access of a device it is counted.
impl Emulated for Rom {
    fn read(&self, _: &'static Vm, _: u64, _: u8) -> u64 {
        Self::read(*self)
    }

    fn write(&self, _: &'static Vm, _: u64, _: u8, _: u64) {}
}

/// The second bank of a VM.
#[derive(Debug)]
pub struct Flash {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bank: Cfi,
    /// The guest has the cells mapped.
    mapped: bool,
}

/// The cells of a VM's second bank.
struct Memory<'a>(&'a Vm);

impl Cells for Memory<'_> {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) {
        self.0.with_cells(offset, bytes.len() as u64, |cells| bytes.copy_from_slice(cells));
    }

    fn program(&mut self, offset: u64, bytes: &[u8]) {
        self.0.with_cells(offset, bytes.len() as u64, |cells| {
            cells.iter_mut().zip(bytes).for_each(|(cell, byte)| *cell &= byte);
        });
    }

    fn erase(&mut self, offset: u64, length: u64) {
        self.0.with_cells(offset, length, |cells| cells.fill(0xff));
    }
}

impl State {
    fn map(&mut self, vm: &Vm, on: bool) {
        if self.mapped != on {
            self.mapped = on;
            vm.map_cells(on);
        }
    }
}

impl Flash {
    /// A bank as it wakes up, whose cells are mapped.
    pub const fn new() -> Self {
        Self { state: Mutex::new(State { bank: Cfi::new(), mapped: true }) }
    }
}

impl Default for Flash {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulated for Flash {
    fn describe(&self) -> Option<&'static Description> {
        Some(&Cfi::DESCRIPTION)
    }

    fn read(&self, vm: &'static Vm, offset: u64, size: u8) -> u64 {
        self.state.lock().bank.read(&mut Memory(vm), offset, size)
    }

    fn write(&self, vm: &'static Vm, offset: u64, size: u8, value: u64) {
        let mut state = self.state.lock();
        // While the guest has the cells mapped they do not change.
        state.map(vm, false);
        state.bank.write(&mut Memory(vm), offset, size, value);
        let shown = state.bank.is_array();
        state.map(vm, shown);
    }

    fn reset(&self, vm: &Vm) {
        let mut state = self.state.lock();
        state.bank.reset();
        state.map(vm, true);
    }
}
