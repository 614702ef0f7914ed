//! A VM's flash: two banks, as QEMU's virt has them.
//!
//! The first one is mapped read-only as far as its file goes. The second one is mapped read-only while it shows its cells;
//! from the first command on every access comes here, until it shows them again.

use portcullis_abi::state::{self, Unfit};
use portcullis_devices::flash::{Cells, Cfi, Rom};
use portcullis_devices::{Description, Device, Memory, OutOfReach};
use spin::mutex::TicketMutex;

use super::emulated::Emulated;
use super::owner::Owner;
use crate::cpu::physical_core::Core;
use crate::memory::bank::Bank;
use crate::memory::guest::GuestMemory;

/// A store to the first bank has no effect; like every access of a device it is counted.
impl Emulated for Rom {
    fn read(&self, _: &dyn Owner, _: u64, _: u8) -> u64 {
        Self::read(*self)
    }

    fn write(&self, _: &dyn Owner, _: u64, _: u8, _: u64) {}
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

/// The cells of a bank, as the core on which this runs reaches them.
struct Here<'a>(&'a Bank);

impl Here<'_> {
    /// Does something with the cells. Beyond what memory there is nothing is done.
    fn reach(&self, work: impl FnOnce(&mut GuestMemory) -> Result<(), OutOfReach>) {
        // Nobody but a vCPU on its core gets here; a host has one core.
        let core = Core::current().map_or(0, |core| core.index);
        // SAFETY: this is the core.
        let Some(mut cells) = (unsafe { self.0.on(core) }) else { return };
        // The bank is as large as its memory; only a test's is smaller.
        let _ = work(&mut cells);
    }
}

impl Cells for Here<'_> {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) {
        self.reach(|cells| cells.copy_in(offset, bytes));
    }

    fn program(&mut self, offset: u64, bytes: &[u8]) {
        self.reach(|cells| cells.mask(offset, bytes));
    }

    fn erase(&mut self, offset: u64, length: u64) {
        self.reach(|cells| cells.fill(offset, length as usize, 0xff));
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

    fn read(&self, _: &dyn Owner, offset: u64, size: u8) -> u64 {
        let State { commands, cells, .. } = &mut *self.state.lock();
        commands.read(&mut Here(cells), offset, size)
    }

    fn write(&self, _: &dyn Owner, offset: u64, size: u8, value: u64) {
        let mut state = self.state.lock();
        // While the guest has the cells mapped they do not change.
        state.map(false);
        let State { commands, cells, .. } = &mut *state;
        commands.write(&mut Here(cells), offset, size, value);
        let shown = state.commands.is_array();
        state.map(shown);
    }

    fn reset(&self, _: &dyn Owner) {
        let mut state = self.state.lock();
        state.commands.reset();
        state.map(true);
    }

    fn save_flash(&self) -> Option<state::Flash> {
        Some(Device::save(&self.state.lock().commands))
    }

    fn restore_flash(&self, saved: &state::Flash) -> Result<(), Unfit> {
        let state = &mut *self.state.lock();
        Device::restore(&mut state.commands, saved)?;
        state.mapped = state.commands.is_array();
        state.cells.map_unseen(state.mapped);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use std::alloc::Layout;

    use portcullis_board::{Range, WallClock};
    use portcullis_devices::flash::commands::*;
    use spin::Mutex;

    use super::*;
    use crate::memory::stage2::{Access, Stage2};

    /// Where the guest has the bank, of which there is one block of memory here.
    const IPA: u64 = 0x0400_0000;
    const SIZE: u64 = 2 << 20;

    struct Nobody;

    impl Owner for Nobody {
        fn set_level(&self, _: u32, _: bool) {
            panic!("flash has no interrupt");
        }

        fn set_level_of(&self, _: usize, _: u32, _: bool) {
            panic!("flash has no wires");
        }

        fn wall_clock(&self) -> Option<&'static dyn WallClock> {
            None
        }
    }

    struct Bench {
        flash: Flash,
        tables: Arc<Mutex<Stage2>>,
    }

    impl Bench {
        /// A bank whose cells are all 5.
        fn new() -> Self {
            let layout = Layout::from_size_align(SIZE as usize, SIZE as usize).unwrap();
            // SAFETY: the layout has a size; what is there is written before it is read.
            let cells = unsafe {
                let cells = std::alloc::alloc(layout);
                cells.write_bytes(5, SIZE as usize);
                Range::sized(cells as u64, SIZE)
            };
            let mut tables = Stage2::new();
            tables.map(IPA, cells, Access::Rom).unwrap();
            let tables = Arc::new(Mutex::new(tables));
            // SAFETY: nobody else knows of this memory.
            let bank = unsafe { Bank::new(cells, IPA, tables.clone()) };
            Self { flash: Flash::new(bank), tables }
        }

        fn store(&self, offset: u64, value: u64) {
            self.flash.write(&Nobody, offset, 4, value);
        }

        fn load(&self, offset: u64) -> u32 {
            self.flash.read(&Nobody, offset, 4) as u32
        }

        fn is_mapped(&self) -> bool {
            let tables = self.tables.lock();
            let mapped = [0, SIZE / 2, SIZE - 0x1000].map(|offset| tables.is_mapped(IPA + offset));
            assert!(mapped.iter().all(|page| *page == mapped[0]), "all of it or nothing");
            mapped[0]
        }
    }

    #[test]
    fn it_is_mapped_while_it_shows_its_cells() {
        let bench = Bench::new();
        assert!(bench.is_mapped());
        for command in [READ_STATUS, READ_ID, QUERY, ERASE, PROGRAM, BUFFERED, LOCK] {
            bench.store(0, command.into());
            assert!(!bench.is_mapped(), "{command:#x}");
            bench.flash.reset(&Nobody);
            assert!(bench.is_mapped(), "{command:#x}, reset");
        }
        bench.store(0, READ_ARRAY.into());
        assert!(bench.is_mapped());
    }

    #[test]
    fn the_cells_are_memory() {
        let bench = Bench::new();
        assert_eq!(bench.load(SIZE - 4), 0x0505_0505);
        bench.store(BLOCK, ERASE.into());
        bench.store(BLOCK, CONFIRM.into());
        assert!((0..BLOCK / PIECE).any(|_| bench.load(0) as u8 & READY != 0));
        bench.store(BLOCK + 8, PROGRAM.into());
        bench.store(BLOCK + 8, 0x1234_5678);
        bench.store(0, READ_ARRAY.into());
        let words = [BLOCK - 4, BLOCK, BLOCK + 8, 2 * BLOCK - 4, 2 * BLOCK].map(|offset| bench.load(offset));
        assert_eq!(words, [0x0505_0505, u32::MAX, 0x1234_5678, u32::MAX, 0x0505_0505]);
    }

    /// The state machine thinks of a whole bank; nothing beyond the memory that there is is touched.
    #[test]
    fn nothing_behind_the_memory_is_touched() {
        let bench = Bench::new();
        bench.store(SIZE, ERASE.into());
        bench.store(SIZE, CONFIRM.into());
        (0..BLOCK / PIECE).for_each(|_| _ = bench.load(0));
        bench.store(0, READ_ARRAY.into());
        assert_eq!((bench.load(SIZE - 4), bench.load(SIZE), bench.load(BANK - 1)), (0x0505_0505, u32::MAX, u32::MAX));
    }

    #[test]
    fn the_first_bank_takes_nothing() {
        Emulated::write(&Rom, &Nobody, 0, 8, 0);
        assert_eq!((Emulated::read(&Rom, &Nobody, 0, 8), Emulated::describe(&Rom)), (u64::MAX, None));
    }
}
