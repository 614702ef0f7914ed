//! Loads and stores of a guest to the emulated flash.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_devices::Device;
use portcullis_devices::flash::commands::{BANK, BLOCK, PIECE, READ_ARRAY, READ_STATUS, READY};
use portcullis_devices::flash::{BUFFER, Cells, Cfi};

/// Cells of which only one block's are kept; the others are as if they were erased.
struct Block {
    cells: Vec<u8>,
    /// Bytes that the present access has erased.
    erased: u64,
}

impl Cells for Block {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) {
        assert!(offset + bytes.len() as u64 <= BANK);
        (offset..).zip(bytes).for_each(|(at, byte)| *byte = self.cells.get(at as usize).copied().unwrap_or(0xff));
    }

    fn program(&mut self, offset: u64, bytes: &[u8]) {
        assert!(!bytes.is_empty() && offset + bytes.len() as u64 <= BANK);
        assert!(offset % BUFFER as u64 + bytes.len() as u64 <= BUFFER as u64, "over the edge of a window");
        (offset..)
            .zip(bytes)
            .for_each(|(at, byte)| self.cells.get_mut(at as usize).into_iter().for_each(|cell| *cell &= byte));
    }

    fn erase(&mut self, offset: u64, length: u64) {
        assert!(offset % length == 0 && offset + length <= BANK);
        self.erased += length;
        assert!(self.erased <= PIECE, "more than a piece at an access");
        (offset..offset + length)
            .for_each(|at| self.cells.get_mut(at as usize).into_iter().for_each(|cell| *cell = 0xff));
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(steps: &mut Unstructured) -> Result<()> {
    let (mut flash, mut cells) = (Cfi::new(), Block { cells: vec![0xff; BLOCK as usize], erased: 0 });
    while !steps.is_empty() {
        let offset =
            if steps.ratio(7, 8)? { u64::from(steps.arbitrary::<u16>()?) } else { steps.int_in_range(0..=BANK - 1)? };
        cells.erased = 0;
        let size = 1 << steps.int_in_range(0..=3)?;
        match steps.int_in_range(0..=7u8)? {
            0..=2 => flash.write(&mut cells, offset, size, steps.arbitrary::<u64>()?),
            3 | 4 => flash.write(&mut cells, offset, 4, u64::from(steps.arbitrary::<u8>()?) * 0x1_0001),
            5 => {
                let shown = flash.read(&mut cells, offset, size) as u8;
                let mut cell = [0];
                cells.read(offset, &mut cell);
                assert!(!flash.is_array() || shown == cell[0], "the cells are shown");
            }
            6 => {
                let mut restored = Cfi::new();
                assert_eq!(restored.restore(&flash.save()), Ok(()));
                assert_eq!(restored, flash, "what was saved goes on as before");
            }
            _ => flash.reset(),
        }
    }
    // Whatever it is in the middle of, it comes to an end: 512 stores fill the buffer, a few end an erasure.
    for _ in 0..2048 {
        cells.erased = 0;
        flash.write(&mut cells, 0, 4, u64::from(READ_STATUS));
    }
    assert_eq!(flash.read(&mut cells, 0, 1) as u8 & READY, READY);
    flash.write(&mut cells, 0, 4, u64::from(READ_ARRAY));
    assert!(flash.is_array());
    Ok(())
}
