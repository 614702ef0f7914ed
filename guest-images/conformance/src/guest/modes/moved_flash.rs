//! A VM that is saved, made anew and restored in the middle of what it has its flash do: each command ends as it would have, and
//! cells and firmware are what they were.
//!
//! Both banks hold this program; the control VM moves the VM whenever it waits.

use guest_runtime::mmio;
use portcullis_abi::map::FLASH;

use super::flash::{BANK, BLOCK, MAGIC, MAGIC_OFFSET, NEXT, READY, SEQUENCE_ERROR, command, pair, wait};
use crate::guest::{moves, report};

/// Where a buffer is programmed.
const PLACE: u64 = BLOCK + 0x1_0000;

/// The cases, which are told in the end: behind each of them nothing is waited for.
pub fn run() {
    command(NEXT, 0x40);
    moves::once();
    mmio::write32(NEXT, 0x1234_5678);
    let programmed = wait().0;
    command(BLOCK, 0x20);
    moves::once();
    command(BLOCK, 0xd0);
    let early = mmio::read32(BLOCK);
    moves::once();
    let (erased, polls) = wait();
    command(PLACE, 0xe8);
    mmio::write32(PLACE, 31 * 0x1_0001);
    (0..16).for_each(fill);
    moves::once();
    (16..32).for_each(fill);
    command(PLACE, 0xd0);
    let buffered = wait().0;
    command(BANK + 0x55 * 4, 0x98);
    moves::once();
    let query = [0x10, 0x11, 0x12].map(|word| mmio::read32(BANK + word * 4));
    command(BANK, 0xff);
    command(NEXT, 0x20);
    command(NEXT, 0xff);
    moves::once();
    let failed = mmio::read32(BANK);
    command(BANK, 0x50);
    command(BANK, 0xff);
    moves::once();
    report::equal(
        format_args!("moved-flash/a word that was due"),
        (READY, 0x1234_5678),
        (programmed, mmio::read32(NEXT)),
    );
    report::equal(format_args!("moved-flash/an erasure goes on"), (0, READY), (early, erased));
    report::holds(format_args!("moved-flash/what was left of it"), (1..8).contains(&polls), "some polls", &polls);
    let wrong = (0..32).filter(|word| mmio::read32(PLACE + word * 4) != value(*word)).count();
    report::equal(format_args!("moved-flash/half of a buffer"), (READY, 0), (buffered, wrong));
    let rest = (BLOCK..NEXT).step_by(8).filter(|at| !(PLACE..PLACE + 128).contains(at));
    let rest = rest.filter(|address| mmio::read64(*address) != u64::MAX).count();
    report::equal(format_args!("moved-flash/all else is erased"), 0, rest);
    report::equal(format_args!("moved-flash/the query table"), [0x51_0051, 0x52_0052, 0x59_0059], query);
    report::equal(format_args!("moved-flash/the status register"), SEQUENCE_ERROR, failed);
    report::equal(format_args!("moved-flash/the cells are mapped"), [Ok(()); 2], [pair(BANK), pair(NEXT)]);
    report::equal(format_args!("moved-flash/and so is the first bank"), Ok(()), pair(FLASH));
    let files = [FLASH, BANK].map(|bank| mmio::read32(bank + MAGIC_OFFSET));
    report::equal(format_args!("moved-flash/both have their files"), [MAGIC; 2], files);
}

/// A word that fills the buffer.
fn fill(word: u64) {
    mmio::write32(PLACE + word * 4, value(word));
}

/// What is stored there.
const fn value(word: u64) -> u32 {
    0x0101_0101 * word as u32
}
