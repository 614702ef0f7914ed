//! What the banks say of themselves, and which commands they know.

use super::*;
use crate::flash::Rom;

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
fn the_first_bank_is_erased_behind_its_file() {
    assert_eq!(Rom.read(), u64::MAX);
}
