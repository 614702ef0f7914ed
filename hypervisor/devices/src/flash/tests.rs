//! The bank against what drivers do with it, against a second opinion, and against hostile traffic.

use std::collections::BTreeMap;

use portcullis_abi::state;

use super::commands::*;
use super::{BUFFER, Cells, Cfi, Rom};
use crate::{Device, Unfit};

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
        assert!(length <= 64 << 10, "more than is done at once");
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

#[test]
fn the_query_is_what_linux_and_u_boot_make_a_bank_of() {
    let mut bank = Bank::default();
    bank.command(0x55 * 4, QUERY);
    assert!(!bank.flash.is_array());
    let mut table = |word: u64| {
        let both = bank.load(word * 4);
        assert_eq!(both & 0xffff, both >> 16, "both parts");
        both & 0xffff
    };
    assert_eq!([0x10, 0x11, 0x12].map(&mut table), [b'Q', b'R', b'Y'].map(u32::from));
    assert_eq!((table(0x13), table(0x15)), (1, 0x31), "Intel's commands");
    let (size, regions) = (1u64 << table(0x27), table(0x2c));
    let (blocks, block) = (table(0x2d) + (table(0x2e) << 8) + 1, (table(0x2f) + (table(0x30) << 8)) * 256);
    assert_eq!((size * 2, regions), (BANK, 1));
    assert_eq!((u64::from(blocks) * u64::from(block), u64::from(block) * 2), (size, BLOCK));
    assert_eq!(2usize << table(0x2a), BUFFER);
    assert_eq!([0x31, 0x32, 0x33, 0x34, 0x35].map(&mut table), [b'P', b'R', b'I', b'1', b'0'].map(u32::from));
    // No suspension, no lock: what a driver is not told of it does not use.
    assert_eq!([0x36, 0x37, 0x38, 0x39, 0x3a].map(&mut table), [0; 5]);
    assert_eq!([0, 0xf, 0x40, 0x100_0000].map(&mut table), [0; 4]);
    assert_eq!(bank.flash.read(&mut bank.cells, 0x40, 8), 0x52_0052_0051_0051);
    assert_eq!(bank.flash.read(&mut bank.cells, 0x46, 2) as u16, 0x52);
    bank.command(0, READ_ARRAY);
    assert!(bank.flash.is_array());
}

#[test]
fn the_parts_are_intel_s() {
    let mut bank = Bank::default();
    bank.command(0, READ_ID);
    assert_eq!([0, 4, 8].map(|offset| bank.load(offset)), [0x89_0089, 0x18_0018, 0]);
    bank.command(0, CLEAR_STATUS);
    assert!(bank.flash.is_array());
}

#[test]
fn an_erased_block_is_all_ones_and_no_other_is() {
    let mut bank = Bank::default();
    for offset in [BLOCK - 4, BLOCK, 2 * BLOCK - 4, 2 * BLOCK, BANK - 4] {
        assert_eq!(bank.program(offset, 0x1234_5678), READY);
    }
    assert_eq!(bank.erase(BLOCK + 0x1234), READY);
    assert_eq!(bank.cells.erased, BLOCK);
    bank.command(0, READ_ARRAY);
    let words = [BLOCK - 4, BLOCK, 2 * BLOCK - 4, 2 * BLOCK, BANK - 4].map(|offset| bank.load(offset));
    assert_eq!(words, [0x1234_5678, u32::MAX, u32::MAX, 0x1234_5678, 0x1234_5678]);
}

#[test]
fn an_erasure_is_done_in_pieces_and_ends() {
    let mut bank = Bank::default();
    bank.program(0, 0);
    bank.program(BLOCK - 4, 0);
    bank.command(0, ERASE);
    bank.command(0, CONFIRM);
    let mut reads = 0;
    while bank.load(0) & 0x80_0080 != 0x80_0080 {
        reads += 1;
        assert!(bank.cells.erased < BLOCK && !bank.flash.is_array());
    }
    assert_eq!((bank.cells.erased, reads), (BLOCK, 2));
    assert_eq!(bank.load(0), 0x80_0080);
    // Until then no command has an effect.
    bank.command(0, ERASE);
    bank.command(0, CONFIRM);
    bank.command(0, READ_ARRAY);
    assert!(!bank.flash.is_array());
    assert_eq!(bank.wait(), READY);
    bank.command(0, READ_ARRAY);
    assert_eq!((bank.flash.is_array(), bank.load(BLOCK - 4)), (true, u32::MAX));
}

#[test]
fn programming_clears_bits_and_sets_none() {
    let mut bank = Bank::default();
    assert_eq!((bank.program(8, 0xffff_00ff), bank.program(8, 0x0fff_ffff)), (READY, READY));
    assert_eq!(bank.load(8), 0x80_0080, "the status register is shown until it is told otherwise");
    bank.command(0, READ_ARRAY);
    assert_eq!((bank.load(8), bank.load(12)), (0x0fff_00ff, u32::MAX));
    // One byte, one half, and two words at once.
    for (offset, size, value) in [(0x101u64, 1, 0x11u64), (0x106, 2, 0x2222), (0x108, 8, 0x4444_4444_3333_3333)] {
        bank.flash.write(&mut bank.cells, 0, 1, PROGRAM_OTHER.into());
        bank.flash.write(&mut bank.cells, offset, size, value);
        bank.command(0, READ_ARRAY);
    }
    let expected = [0xffff_11ff, 0x2222_ffff, 0x3333_3333, u32::MAX];
    assert_eq!([0x100, 0x104, 0x108, 0x10c].map(|offset| bank.load(offset)), expected, "a bank has 32 bits");
    // Over the edge of a window, and over that of the bank.
    for offset in [BUFFER as u64 - 2, BANK - 2] {
        bank.program(offset, 0x5555_6666);
        bank.command(0, READ_ARRAY);
        assert_eq!(bank.load(offset & !3), 0x6666_ffff);
    }
    assert_eq!(bank.cells.word(BUFFER as u64), 0xffff_5555);
    assert_eq!(bank.flash.read(&mut bank.cells, BANK - 2, 4), 0xffff_ffff_ffff_6666);
}

#[test]
fn the_buffer_is_programmed_when_it_is_confirmed() {
    let mut bank = Bank::default();
    let words: Vec<u32> = (0..512).map(|word: u32| word.wrapping_mul(0x0123_4567)).collect();
    assert_eq!(bank.buffered(0x3_0000, &words), READY);
    assert_eq!(bank.buffered(0x4_0ff0, &words[..4]), READY);
    bank.command(0, READ_ARRAY);
    assert!((0..512).all(|word| bank.load(0x3_0000 + word * 4) == words[word as usize]));
    assert_eq!([0x4_0fec, 0x4_0ff4, 0x4_1000].map(|offset| bank.load(offset)), [u32::MAX, words[1], u32::MAX]);
}

#[test]
fn a_sequence_that_is_none_is_told_and_changes_nothing() {
    type Sequence<'a> = &'a [(u64, u64)];
    let sequences: [Sequence<'_>; 7] = [
        &[(0, both(ERASE)), (0, both(READ_ARRAY))],
        &[(0, both(ERASE)), (0, both(ERASE))],
        &[(0, both(LOCK)), (0, both(READ_STATUS))],
        // A word more than the buffer has.
        &[(0, both(BUFFERED)), (0, 0x200_0200)],
        // No confirmation.
        &[(0, both(BUFFERED)), (0, 0), (0, 0), (0, both(READ_ARRAY))],
        // A word elsewhere.
        &[(0, both(BUFFERED)), (0, 0x1_0001), (0xffc, 0), (0x1000, 0), (0, both(CONFIRM))],
        &[(0, both(BUFFERED)), (0, 0x1_0001), (0x1000, 0), (0xffc, 0), (0, both(CONFIRM))],
    ];
    for sequence in sequences {
        let mut bank = Bank::default();
        sequence.iter().for_each(|&(offset, value)| bank.store(offset, value));
        assert_eq!((bank.load(0), bank.wait()), (0xb0_00b0, READY | SEQUENCE_ERROR), "{sequence:x?}");
        assert_eq!(bank.cells, Blocks::default(), "{sequence:x?}");
        // It stays until it is cleared, whatever goes well in between.
        assert_eq!(bank.program(0, u32::MAX), READY | SEQUENCE_ERROR);
        bank.command(0, CLEAR_STATUS);
        assert_eq!(bank.wait(), READY);
    }
}

#[test]
fn locks_are_taken_and_hold_nothing() {
    let mut bank = Bank::default();
    for what in [LOCK_BLOCK, LOCK_DOWN, CONFIRM] {
        bank.command(0, LOCK);
        bank.command(0, what);
        assert_eq!(bank.wait(), READY);
    }
    assert_eq!((bank.program(0, 7), bank.erase(0)), (READY, READY));
}

/// Drivers look for other kinds of parts too, with these commands, and find none.
#[test]
fn what_is_no_command_leads_back_to_the_cells() {
    for command in 0..=u8::MAX {
        let mut bank = Bank::default();
        bank.command(0, READ_ID);
        bank.command(0, command);
        let known = [READ_STATUS, READ_ID, QUERY, ERASE, PROGRAM, PROGRAM_OTHER, BUFFERED, LOCK].contains(&command);
        assert_eq!(bank.flash.is_array(), !known, "{command:#x}");
        assert_eq!(bank.cells, Blocks::default());
    }
}

#[test]
fn a_reset_ends_an_erasure_where_it_is() {
    let mut bank = Bank::default();
    bank.program(BLOCK - 4, 3);
    bank.command(0, ERASE);
    bank.command(0, CONFIRM);
    bank.flash.reset();
    assert_eq!(bank.flash, Cfi::new());
    assert_eq!((bank.load(0), bank.load(BLOCK - 4)), (u32::MAX, 3));
}

#[test]
fn the_first_bank_is_erased_behind_its_file() {
    assert_eq!(Rom.read(), u64::MAX);
}

fn random(seed: &mut u64, below: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed % below
}

/// Whole operations in any order, against what each of them does to an array of bytes.
#[test]
fn agrees_with_an_array_of_bytes() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let (mut bank, mut array) = (Bank::default(), Blocks::default());
    let mut errors = 0;
    for _ in 0..if cfg!(miri) { 4 } else { 3000 } {
        // Few places, so that they meet.
        let offset = random(&mut seed, 3) * BLOCK + random(&mut seed, 3) * 0x7fc + random(&mut seed, 4) * 4;
        match random(&mut seed, 8) {
            0 => {
                assert_eq!(bank.erase(offset), READY | errors);
                let start = offset & !(BLOCK - 1);
                array.blocks.insert(start / BLOCK, vec![0xff; BLOCK as usize]);
            }
            1 | 2 => {
                let value = random(&mut seed, 1 << 32) as u32;
                assert_eq!(bank.program(offset, value), READY | errors);
                let value = array.word(offset) & value;
                array.set(offset, &value.to_le_bytes());
            }
            3 | 4 => {
                let words: Vec<u32> = (0..=random(&mut seed, 8)).map(|_| random(&mut seed, 1 << 32) as u32).collect();
                let fits = offset % BUFFER as u64 + words.len() as u64 * 4 <= BUFFER as u64;
                errors |= if fits { 0 } else { SEQUENCE_ERROR };
                assert_eq!(bank.buffered(offset, &words), READY | errors);
                for (at, word) in (offset..).step_by(4).zip(words).filter(|_| fits) {
                    let word = array.word(at) & word;
                    array.set(at, &word.to_le_bytes());
                }
            }
            5 => {
                bank.command(offset, CLEAR_STATUS);
                errors = 0;
            }
            6 => {
                let saved = bank.flash.save();
                bank.flash = Cfi::new();
                bank.flash.restore(&saved).unwrap();
            }
            _ => {
                bank.command(offset, READ_ARRAY);
                assert_eq!(bank.load(offset), array.word(offset), "{offset:#x}");
            }
        }
    }
    bank.command(0, READ_ARRAY);
    for (block, bytes) in array.blocks {
        assert!(bank.cells.blocks.get(&block).is_none_or(|cells| *cells == bytes), "block {block}");
    }
}

/// Any store at all: nothing panics, what is mapped is what is shown, and cells change by programming and erasing only.
#[test]
fn hostile_traffic_does_no_harm() {
    let mut seed = 0x0123_4567_89ab_cdefu64;
    let mut bank = Bank::default();
    let commands = [0xff, 0x70, 0x90, 0x98, 0x50, 0x20, 0x40, 0x10, 0xe8, 0x60, 0xd0, 0x01, 0x00];
    for _ in 0..if cfg!(miri) { 200 } else { 20_000 } {
        let offset = match random(&mut seed, 4) {
            0 => random(&mut seed, BANK),
            1 => BANK - 1 - random(&mut seed, 8),
            _ => random(&mut seed, 64) * 4,
        };
        let size = 1 << random(&mut seed, 4);
        let value = match random(&mut seed, 8) {
            0 => random(&mut seed, u64::MAX),
            1 => random(&mut seed, 6),
            _ => both(commands[random(&mut seed, commands.len() as u64) as usize]),
        };
        if random(&mut seed, 4) == 0 {
            let shown = bank.flash.read(&mut bank.cells, offset, size);
            if bank.flash.is_array() {
                assert_eq!(shown as u8, *bank.cells.cell(offset));
            }
        } else {
            bank.flash.write(&mut bank.cells, offset, size, value);
        }
        let mut restored = Cfi::new();
        restored.restore(&bank.flash.save()).unwrap();
        assert_eq!(restored, bank.flash);
        if bank.cells.blocks.len() > 8 {
            bank.cells = Blocks::default();
        }
    }
}

#[test]
fn a_damaged_state_is_refused() {
    let mut bank = Bank::default();
    bank.command(0, BUFFERED);
    bank.store(0, 0x1_0001);
    bank.store(0x2ff0, 77);
    let good = bank.flash.save();
    let damaged = [
        (state::Flash { version: 2, ..good }, Unfit::Version { saved: 2, known: 1 }),
        (state::Flash { mode: 4, ..good }, Unfit::Value("the mode")),
        (state::Flash { mode: 0, ..good }, Unfit::Value("the mode")),
        (state::Flash { step: 8, ..good }, Unfit::Value("the step")),
        (state::Flash { left: 0, ..good }, Unfit::Value("the count")),
        (state::Flash { left: 513, ..good }, Unfit::Value("the count")),
        (state::Flash { step: 0, ..good }, Unfit::Value("the count")),
        (state::Flash { errors: 0x80, ..good }, Unfit::Value("the status register")),
        (state::Flash { strayed: 2, ..good }, Unfit::Value("the mark of a store elsewhere")),
        (state::Flash { first: good.end, ..good }, Unfit::Value("what was filled")),
        (state::Flash { end: 2049, ..good }, Unfit::Value("what was filled")),
        (state::Flash { erasing: 0x1_0000, ..good }, Unfit::Value("the erasure")),
        (state::Flash { step: 7, left: 0, erasing: 0, ..good }, Unfit::Value("the erasure")),
        (state::Flash { step: 7, left: 0, erasing: 0x1_0001, ..good }, Unfit::Value("the erasure")),
        (state::Flash { step: 7, left: 0, erasing: BANK + 0x1_0000, ..good }, Unfit::Value("the erasure")),
        (state::Flash { window: 1, ..good }, Unfit::Value("the buffer's place")),
        (state::Flash { window: BANK, ..good }, Unfit::Value("the buffer's place")),
    ];
    for (state, unfit) in damaged {
        let before = bank.flash.clone();
        assert_eq!((bank.flash.restore(&state), &bank.flash), (Err(unfit), &before));
    }
    bank.flash.restore(&good).unwrap();
    bank.store(0x2ff4, 78);
    bank.command(0, CONFIRM);
    assert_eq!((bank.wait(), bank.cells.word(0x2ff0), bank.cells.word(0x2ff4)), (READY, 77, 78));
}
