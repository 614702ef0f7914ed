//! Erasures, a piece at a time.

use super::*;

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
    assert_eq!(bank.cells.erased, 0, "the confirmation itself erases nothing");
    let mut reads = 0;
    while bank.load(0) & 0x80_0080 != 0x80_0080 {
        reads += 1;
        assert_eq!((bank.cells.erased, bank.flash.is_array()), (reads * PIECE, false));
    }
    assert_eq!((bank.cells.erased, reads), (BLOCK, BLOCK / PIECE - 1));
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
fn a_reset_ends_an_erasure_where_it_is() {
    let mut bank = Bank::default();
    bank.program(BLOCK - 4, 3);
    bank.command(0, ERASE);
    bank.command(0, CONFIRM);
    assert_eq!(bank.load(0), 0);
    bank.flash.reset();
    assert_eq!(bank.flash, Cfi::new());
    assert_eq!(bank.cells.erased, PIECE);
    assert_eq!((bank.load(0), bank.load(BLOCK - 4)), (u32::MAX, 3));
}

/// Two commands in a store of 64 bits.
fn two(first: u8, second: u8) -> u64 {
    both(second) << 32 | both(first)
}

#[test]
fn an_access_erases_one_piece_whatever_its_size() {
    for size in [1, 2, 4, 8] {
        let mut bank = Bank::default();
        bank.program(0, 0);
        bank.cells.erased = 0;
        bank.flash.write(&mut bank.cells, 0, 8, two(ERASE, CONFIRM));
        assert_eq!(bank.cells.erased, 0, "an erasure that one store asks for begins with the next access");
        bank.flash.write(&mut bank.cells, 0, size, two(READ_STATUS, READ_STATUS));
        assert_eq!(bank.cells.erased, PIECE, "a store of {size} bytes");
        bank.flash.read(&mut bank.cells, 0, size);
        assert_eq!(bank.cells.erased, 2 * PIECE, "a load of {size} bytes");
    }
}

#[test]
fn a_store_that_ends_an_erasure_has_no_other_effect() {
    let mut bank = Bank::default();
    bank.command(BLOCK, ERASE);
    // What is behind the confirmation in one store has no effect either.
    bank.flash.write(&mut bank.cells, BLOCK, 8, two(CONFIRM, READ_ARRAY));
    for piece in 1..=BLOCK / PIECE {
        assert!(!bank.flash.is_array());
        bank.flash.write(&mut bank.cells, 0, 8, two(READ_ARRAY, READ_ARRAY));
        assert_eq!(bank.cells.erased, piece * PIECE);
    }
    assert_eq!((bank.flash.is_array(), bank.load(0)), (false, 0x80_0080));
}
