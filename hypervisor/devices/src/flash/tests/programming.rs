//! Programming, word by word and through the buffer, and sequences that are none.

use super::*;

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
