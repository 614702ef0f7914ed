//! Any traffic: against an array of bytes, and hostile.

use super::*;

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
        bank.cells.erased = 0;
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
        assert!(bank.cells.erased <= AT_ONCE, "more than is done at an access");
        let mut restored = Cfi::new();
        restored.restore(&bank.flash.save()).unwrap();
        assert_eq!(restored, bank.flash);
        if bank.cells.blocks.len() > 8 {
            bank.cells = Blocks::default();
        }
    }
}
