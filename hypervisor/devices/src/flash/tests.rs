//! The bank against what drivers do with it, against a second opinion, and against hostile traffic.

use std::collections::BTreeMap;

use super::commands::*;
use super::{BUFFER, Cells, Cfi};
use crate::Device;

mod erasure;
mod identity;
mod programming;
mod saved;
mod traffic;

/// The most that may be erased at once: what a shared core allows itself of other long work.
const AT_ONCE: u64 = 32 << 10;

/// The cells of a bank, of which the blocks are there that were touched. The others are erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Blocks {
    blocks: BTreeMap<u64, Vec<u8>>,
    /// Bytes that were erased.
    erased: u64,
}

impl Blocks {
    fn cell(&mut self, offset: u64) -> &mut u8 {
        assert!(offset < BANK, "{offset:#x} is not in the bank");
        let block = self.blocks.entry(offset / BLOCK).or_insert_with(|| vec![0xff; BLOCK as usize]);
        &mut block[(offset % BLOCK) as usize]
    }

    fn word(&mut self, offset: u64) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|byte| *self.cell(offset + byte)))
    }

    fn set(&mut self, offset: u64, bytes: &[u8]) {
        (offset..).zip(bytes).for_each(|(at, byte)| *self.cell(at) = *byte);
    }
}

impl Cells for Blocks {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) {
        assert!(bytes.len() <= 8);
        (offset..).zip(bytes).for_each(|(at, byte)| *byte = *self.cell(at));
    }

    fn program(&mut self, offset: u64, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        assert!(offset % BUFFER as u64 + bytes.len() as u64 <= BUFFER as u64, "{offset:#x}: {} bytes", bytes.len());
        (offset..).zip(bytes).for_each(|(at, byte)| *self.cell(at) &= byte);
    }

    fn erase(&mut self, offset: u64, length: u64) {
        assert!(length <= AT_ONCE, "more than is done at once");
        assert_eq!(offset / BLOCK, (offset + length - 1) / BLOCK, "two blocks");
        self.erased += length;
        self.cell(offset);
        let block = self.blocks.get_mut(&(offset / BLOCK)).unwrap();
        block[(offset % BLOCK) as usize..][..length as usize].fill(0xff);
    }
}

/// A command to both parts, as drivers of 32-bit banks store it.
fn both(command: u8) -> u64 {
    u64::from(command) * 0x1_0001
}

#[derive(Default)]
struct Bank {
    flash: Cfi,
    cells: Blocks,
}

impl Bank {
    fn store(&mut self, offset: u64, value: u64) {
        self.flash.write(&mut self.cells, offset, 4, value);
    }

    fn command(&mut self, offset: u64, command: u8) {
        self.store(offset, both(command));
    }

    fn load(&mut self, offset: u64) -> u32 {
        self.flash.read(&mut self.cells, offset, 4) as u32
    }

    /// Waits as drivers do, and returns the status register of one part; both are the same.
    fn wait(&mut self) -> u8 {
        for _ in 0..8 {
            self.command(0, READ_STATUS);
            let status = self.load(0);
            assert_eq!(status & 0xffff, status >> 16);
            if status as u8 & READY != 0 {
                return status as u8;
            }
        }
        panic!("it is never ready");
    }

    fn erase(&mut self, offset: u64) -> u8 {
        self.command(offset, ERASE);
        self.command(offset, CONFIRM);
        self.wait()
    }

    fn program(&mut self, offset: u64, value: u32) -> u8 {
        self.command(offset, PROGRAM);
        self.store(offset, value.into());
        self.wait()
    }

    fn buffered(&mut self, offset: u64, words: &[u32]) -> u8 {
        self.command(offset, BUFFERED);
        assert_eq!(self.load(offset) & 0x80_0080, 0x80_0080, "the buffer is there");
        self.store(offset, (words.len() as u64 - 1) * 0x1_0001);
        (offset..).step_by(4).zip(words).for_each(|(at, word)| self.store(at, (*word).into()));
        self.command(offset, CONFIRM);
        self.wait()
    }
}
