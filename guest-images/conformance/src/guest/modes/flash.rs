//! The two banks of flash as a guest's drivers use them, and what a reset leaves of them.
//!
//! The first bank holds this program, filled up with zeros, and so does the second one in the VM's first life. Which boot this is
//! stands in memory that a reset leaves alone, as in [`crate::guest::modes::reset`].

use core::arch::asm;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::exception::{Fault, probe};
use guest_runtime::{console, counter, cpu, gic, mmio, tree};
use portcullis_abi::map::{FLASH, FLASH_BANK, FLASH_BLOCK, GICC};

use crate::guest::excursion::{EL0, FROM_EL0, Trip};
use crate::guest::interrupts::PATIENCE;
use crate::guest::modes::{aborts, aborts::code, reset};
use crate::guest::{report, tables};

/// Node of both banks.
const NODE: &str = "/flash@0";
/// The second bank.
pub(super) const BANK: u64 = FLASH + FLASH_BANK;
/// Two blocks that this program does not reach into, and the last one.
pub(super) const BLOCK: u64 = BANK + 16 * FLASH_BLOCK;
pub(super) const NEXT: u64 = BLOCK + FLASH_BLOCK;
const LAST: u64 = BANK + FLASH_BANK - FLASH_BLOCK;
/// "ARM\x64", the magic number of an Image's header, and where it has it.
pub(super) const MAGIC: u32 = 0x644d_5241;
pub(super) const MAGIC_OFFSET: u64 = 56;
/// What a life leaves for the next one.
const MARK: u32 = 0x6c61_7374;

/// Both parts' status registers: ready.
pub(super) const READY: u32 = 0x80_0080;
/// And a sequence of commands was none.
pub(super) const SEQUENCE_ERROR: u32 = 0xb0_00b0;
/// ESR_EL1 of a load that ends in a synchronous external abort.
const LOAD_ABORT: u64 = 0x25 << 26 | 1 << 25 | 0x10;
/// The same of a store, and from EL0.
const STORE_ABORT: u64 = LOAD_ABORT | 1 << 6;
const EL0_LOAD_ABORT: u64 = 0x24 << 26 | 1 << 25 | 0x10;
/// ESR_EL1.EC of an SVC.
const SVC: u64 = 0x15;

/// One boot of the run.
pub fn run(profile: &Profile) {
    let boot = reset::boots();
    console::line(format_args!("boot: {boot}"));
    report::equal(format_args!("flash/boot {boot} shows its cells"), Ok(()), pair(BANK));
    let marked = mmio::read32(LAST);
    report::equal(format_args!("flash/boot {boot} mark"), if boot == 0 { u32::MAX } else { MARK }, marked);
    if boot != 0 {
        return reset::note(0);
    }
    node();
    first();
    contents();
    identification();
    erasure();
    programming();
    buffer();
    errors();
    mapped();
    user();
    if profile.cpus > 1 {
        others();
        moving("nowhere", aborts::HOLE);
        if gic::version() == 2 {
            moving("a device", GICC);
        }
    }
    report::equal(format_args!("flash/mark"), READY, program(LAST, MARK));
    // In the middle of something: the next life finds the cells all the same.
    command(BLOCK, 0xe8);
    reset::note(1);
    reset::by_call(boot, profile);
}

/// A command to both parts.
pub(super) fn command(address: u64, command: u32) {
    mmio::write32(address, command * 0x1_0001);
}

/// Waits until what is in progress is over. The status registers then, and how often they said that it was not.
pub(super) fn wait() -> (u32, u32) {
    for polls in 0..1000 {
        let status = mmio::read32(BANK);
        if status & READY == READY {
            return (status, polls);
        }
    }
    (mmio::read32(BANK), u32::MAX)
}

fn program(address: u64, value: u32) -> u32 {
    command(address, 0x40);
    mmio::write32(address, value);
    let (status, _) = wait();
    command(BANK, 0xff);
    status
}

fn erase(address: u64) -> (u32, u32) {
    command(address, 0x20);
    command(address, 0xd0);
    let result = wait();
    command(BANK, 0xff);
    result
}

/// A load of a pair of registers, which only memory answers.
pub(super) fn pair(address: u64) -> Result<(), (u64, u64)> {
    let result = probe(|| {
        // SAFETY: what is loaded goes nowhere.
        unsafe { asm!("ldp x10, x11, [x9]", in("x9") address, out("x10") _, out("x11") _, options(nostack)) }
    });
    result.map_err(|fault: Fault| (fault.syndrome, fault.address))
}

fn node() {
    report::equal(format_args!("flash/compatible"), Some("cfi-flash"), tree::string(NODE, "compatible"));
    report::equal(format_args!("flash/bank-width"), Some(4), tree::cell(NODE, "bank-width", 0));
    let reg = [0, 1, 2, 3, 4, 5, 6, 7].map(|cell| tree::cell(NODE, "reg", cell).unwrap_or(u32::MAX));
    report::equal(format_args!("flash/reg"), [0, 0, 0, 0x400_0000, 0, 0x400_0000, 0, 0x400_0000], reg);
}

/// What is stored in the first bank has no effect, and no command is one. These are 17 accesses that come to EL2 as those of a
/// device: 16 stores, and a load from behind the file.
pub fn first() {
    let magic = FLASH + MAGIC_OFFSET;
    for value in [0, 0x98_0098, 0x20_0020, 0xd0_00d0, 0xff_00ff] {
        mmio::write32(magic, value);
        mmio::write8(magic, value as u8);
        mmio::write64(magic, value.into());
    }
    report::equal(format_args!("flash/first bank"), MAGIC, mmio::read32(magic));
    report::equal(format_args!("flash/first bank is mapped"), Ok(()), pair(FLASH));
    let behind = FLASH + FLASH_BANK - 8;
    mmio::write32(behind, 0);
    report::equal(format_args!("flash/behind its file"), u64::MAX, mmio::read64(behind));
    let result = probe(|| {
        // SAFETY: it has no effect.
        unsafe { asm!("stp xzr, xzr, [x9]", in("x9") magic, options(nostack)) }
    });
    let got = result.err().map(|fault| (fault.syndrome, fault.address));
    report::equal(format_args!("flash/first bank, pair stored"), Some((STORE_ABORT, magic)), got);
    for (what, result) in [
        // SAFETY: cache maintenance of what is not written.
        ("dc civac", probe(|| unsafe { asm!("dc civac, {}", in(reg) magic, options(nostack)) })),
        // SAFETY: as above.
        ("dc ivac", probe(|| unsafe { asm!("dc ivac, {}", in(reg) magic, options(nostack)) })),
    ] {
        report::holds(format_args!("flash/first bank, {what}"), result.is_ok(), "no exception", &result);
    }
}

/// The second bank has its file, and is erased behind it.
fn contents() {
    report::equal(format_args!("flash/second bank"), MAGIC, mmio::read32(BANK + MAGIC_OFFSET));
    let erased = [BLOCK, LAST, BANK + FLASH_BANK - 4].map(mmio::read32);
    report::equal(format_args!("flash/second bank behind its file"), [u32::MAX; 3], erased);
}

fn identification() {
    command(BANK + 0x55 * 4, 0x98);
    let query = [0x10, 0x11, 0x12, 0x13, 0x27, 0x2a, 0x2d, 0x30].map(|word| mmio::read32(BANK + word * 4));
    let expected = [0x51, 0x52, 0x59, 1, 25, 10, 0xff, 2].map(|byte: u32| byte * 0x1_0001);
    report::equal(format_args!("flash/query"), expected, query);
    command(BANK, 0x90);
    report::equal(format_args!("flash/identification"), [0x89_0089, 0x18_0018], [BANK, BANK + 4].map(mmio::read32));
    command(BANK, 0x70);
    report::equal(format_args!("flash/status"), (READY, 0x80), (mmio::read32(BLOCK), mmio::read8(BLOCK + 2)));
    command(BANK, 0xff);
    report::equal(format_args!("flash/cells again"), MAGIC, mmio::read32(BANK + MAGIC_OFFSET));
}

fn erasure() {
    for address in [BLOCK, NEXT - 4, NEXT] {
        program(address, 0x1234_5678);
    }
    let before = [BLOCK, NEXT - 4, NEXT].map(mmio::read32);
    report::equal(format_args!("flash/programmed"), [0x1234_5678; 3], before);
    let (status, polls) = erase(BLOCK + 0x1000);
    report::equal(format_args!("flash/erased"), READY, status);
    report::holds(format_args!("flash/erased in pieces"), (1..100).contains(&polls), "some polls", &polls);
    let after = [BLOCK, NEXT - 4, NEXT].map(mmio::read32);
    report::equal(format_args!("flash/one block alone"), [u32::MAX, u32::MAX, 0x1234_5678], after);
    let rest = (BLOCK..NEXT).step_by(8).filter(|address| mmio::read64(*address) != u64::MAX).count();
    report::equal(format_args!("flash/all of it"), 0, rest);
}

fn programming() {
    let status = [program(BLOCK, 0xffff_00ff), program(BLOCK, 0x0fff_ffff)];
    report::equal(format_args!("flash/program"), ([READY; 2], 0x0fff_00ff), (status, mmio::read32(BLOCK)));
    command(BLOCK, 0x10);
    mmio::write8(BLOCK + 5, 0x55);
    let (status, _) = wait();
    command(BANK, 0xff);
    report::equal(format_args!("flash/program a byte"), (READY, 0xffff_55ff), (status, mmio::read32(BLOCK + 4)));
}

fn buffer() {
    let place = BLOCK + 0x1_0000;
    command(place, 0xe8);
    let ready = mmio::read32(place);
    mmio::write32(place, 31 * 0x1_0001);
    (0..32).for_each(|word| mmio::write32(place + word * 4, 0x0101_0101 * word as u32));
    let early = mmio::read32(place);
    command(place, 0xd0);
    let (status, _) = wait();
    command(BANK, 0xff);
    report::equal(format_args!("flash/buffer"), [READY; 3], [ready, early, status]);
    let wrong = (0..32).filter(|word| mmio::read32(place + word * 4) != 0x0101_0101 * *word as u32).count();
    let around = [place - 4, place + 128].map(mmio::read32);
    report::equal(format_args!("flash/buffer programmed"), (0, [u32::MAX; 2]), (wrong, around));
}

fn errors() {
    command(NEXT, 0x20);
    command(NEXT, 0xff);
    report::equal(format_args!("flash/erasure without confirmation"), SEQUENCE_ERROR, mmio::read32(BANK));
    command(BANK, 0x70);
    report::equal(format_args!("flash/errors stay"), SEQUENCE_ERROR, mmio::read32(BANK));
    command(BANK, 0x50);
    command(BANK, 0x70);
    report::equal(format_args!("flash/errors are cleared"), READY, mmio::read32(BANK));
    command(NEXT, 0xe8);
    mmio::write32(NEXT, 0xffff_ffff);
    report::equal(format_args!("flash/more than the buffer"), SEQUENCE_ERROR, mmio::read32(BANK));
    command(BANK, 0x50);
    report::equal(format_args!("flash/nothing was changed"), 0x1234_5678, mmio::read32(NEXT));
}

/// While it shows its cells the bank is memory; else it is a device, whose accesses are single ones.
fn mapped() {
    report::equal(format_args!("flash/mapped"), Ok(()), pair(BLOCK));
    command(BANK, 0x70);
    report::equal(format_args!("flash/not mapped"), Err((LOAD_ABORT, BLOCK)), pair(BLOCK));
    let (load, store) = (mmio::read64(BLOCK), mmio::read8(BLOCK));
    report::equal(format_args!("flash/other sizes"), (0x80_0080_0080_0080, 0x80), (load, store));
    command(BANK, 0xff);
    report::equal(format_args!("flash/mapped again"), Ok(()), pair(BLOCK));
    for _ in 0..1000 {
        command(BANK, 0x90);
        command(BANK, 0xff);
    }
    report::equal(format_args!("flash/a thousand times"), (Ok(()), 0x0fff_00ff), (pair(BLOCK), mmio::read32(BLOCK)));
}

/// The address of a store by EL0 is found by what EL0 may do.
fn user() {
    let view = tables::show_devices_to_all(4) + BANK;
    let code = code::addresses();
    let end = |command: u64| {
        let mut trip = Trip::to(code.store, EL0);
        (trip.x[0], trip.x[1]) = (view, command * 0x1_0001);
        let trip = trip.make();
        (trip.slot, trip.syndrome, trip.pc)
    };
    report::equal(format_args!("flash/EL0, a command"), (FROM_EL0, EL0_LOAD_ABORT, code.pair), end(0x70));
    let (slot, syndrome, _) = end(0xff);
    report::equal(format_args!("flash/EL0, the cells"), (FROM_EL0, SVC), (slot, syndrome >> 26));
}

/// The other vCPU is to stop.
static STOP: AtomicBool = AtomicBool::new(false);
/// Loads of the other vCPU, and those that gave what is neither cells nor status.
static LOADS: AtomicU32 = AtomicU32::new(0);
static WRONG: AtomicU32 = AtomicU32::new(0);

/// Another vCPU reads while this one goes to and fro: it never sees anything else than the cells or the status.
fn others() {
    let started = cpu::launch(
        1,
        || {
            while !STOP.load(SeqCst) {
                let value = mmio::read32(BLOCK);
                let is_wrong = ![0x0fff_00ff, READY].contains(&value);
                WRONG.fetch_add(is_wrong.into(), SeqCst);
                LOADS.fetch_add(1, SeqCst);
            }
        },
        0,
    );
    report::equal(format_args!("flash/other vCPU started"), Ok(()), started);
    let reads = counter::wait_until(PATIENCE, || LOADS.load(SeqCst) > 0);
    for round in 0..300 {
        command(BANK, 0x70);
        command(BANK, 0xff);
        if round % 100 == 0 {
            program(NEXT + 8, !(1 << (round / 100)));
        }
    }
    STOP.store(true, SeqCst);
    let joined = cpu::join(1, PATIENCE);
    report::equal(format_args!("flash/other vCPU"), (true, true, 0), (reads, joined, WRONG.load(SeqCst)));
    report::equal(format_args!("flash/what was programmed meanwhile"), 0xffff_fff8, mmio::read32(NEXT + 8));
}

/// Where the other vCPU has the tables lead to, and how often it has done so.
static NOWHERE: AtomicU64 = AtomicU64::new(0);
static MOVES: AtomicU32 = AtomicU32::new(0);
/// Stores that were begun meanwhile.
static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

/// Waits for the next store, and then a while that `moves` says: a move meets a store at every point of its answer.
fn behind_attempt(moves: u32) {
    let seen = ATTEMPTS.load(SeqCst);
    while ATTEMPTS.load(SeqCst) == seen && !STOP.load(SeqCst) {
        spin_loop();
    }
    (0..moves % 64).for_each(|_| spin_loop());
}

/// Another vCPU has the tables lead to `nowhere` and back while this one stores to the first bank: they can differ between the
/// store and its answer, for which the hypervisor asks them too. A store has no effect, or the abort that a board would report.
fn moving(what: &'static str, nowhere: u64) {
    /// Moves of a run: more than [`behind_attempt`] has pauses.
    const ENOUGH: u32 = 130;
    /// A GiB that nothing is in.
    const GIB: u64 = 5;
    /// ESR_EL1.DFSC: a translation fault at level 1, and an external abort on the walk at level 2.
    const INVALID: u64 = STORE_ABORT & !0x3f | 0x05;
    const ON_WALK: u64 = STORE_ABORT & !0x3f | 0x16;
    STOP.store(false, SeqCst);
    MOVES.store(0, SeqCst);
    NOWHERE.store(nowhere, SeqCst);
    let view = tables::show_devices_to_all(GIB);
    let started = cpu::launch(
        1,
        || {
            let nowhere = NOWHERE.load(SeqCst);
            while !STOP.load(SeqCst) {
                let moves = MOVES.fetch_add(1, SeqCst);
                behind_attempt(moves);
                tables::hide(GIB, nowhere);
                behind_attempt(0);
                tables::show_devices_to_all(GIB);
            }
        },
        0,
    );
    report::equal(format_args!("flash/tables to {what}, other vCPU started"), Ok(()), started);
    let address = view + MAGIC_OFFSET;
    let (mut stored, mut aborted, mut wrong) = (0, 0, None);
    let moved = counter::wait_until(10 * PATIENCE, || {
        ATTEMPTS.fetch_add(1, SeqCst);
        match probe(|| mmio::write32(address, 0)) {
            Ok(()) => stored += 1,
            // The level is not known if the tables are others again.
            Err(Fault { syndrome: INVALID | ON_WALK | STORE_ABORT, address: at, .. }) if at == address => aborted += 1,
            Err(fault) => wrong = Some(fault),
        }
        MOVES.load(SeqCst) >= ENOUGH && stored > 0 && aborted > 0
    });
    STOP.store(true, SeqCst);
    let joined = cpu::join(1, PATIENCE);
    console::line(format_args!("flash/tables to {what}: {stored} stores, {aborted} aborts"));
    report::equal(
        format_args!("flash/tables to {what}"),
        (Ok(()), true, true),
        (wrong.map_or(Ok(()), Err), moved, joined),
    );
    report::equal(format_args!("flash/tables to {what}, the cells"), MAGIC, mmio::read32(FLASH + MAGIC_OFFSET));
}
