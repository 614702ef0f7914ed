//! The state as it is saved and taken on again.

use portcullis_abi::state;

use super::*;
use crate::Unfit;

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

#[test]
fn an_erasure_goes_on_where_it_was_saved() {
    for looks in 0..BLOCK / PIECE {
        let mut bank = Bank::default();
        bank.program(BLOCK - 4, 0);
        bank.command(0, ERASE);
        bank.command(0, CONFIRM);
        (0..looks).for_each(|_| assert_eq!(bank.load(0), 0));
        let saved = bank.flash.save();
        assert_eq!((saved.step, saved.erasing), (7, looks * PIECE));
        bank.flash = Cfi::new();
        bank.flash.restore(&saved).unwrap();
        assert_eq!((bank.wait(), bank.cells.erased), (READY, BLOCK));
        bank.command(0, READ_ARRAY);
        assert_eq!(bank.load(BLOCK - 4), u32::MAX);
    }
}
