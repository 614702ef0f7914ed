//! Two VMs with a wire each way, "there" and "back": one asks by an edge, the other one answers by one.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use guest_runtime::{counter, cpu, gic, mmio, tree};
use portcullis_abi::map::{GPIO, GPIO_INTID};

use crate::guest::{interrupts, report};

/// Registers of a PL061 (DDI 0190, chapter 3).
const DIR: u64 = GPIO + 0x400;
const IS: u64 = GPIO + 0x404;
const IBE: u64 = GPIO + 0x408;
const IEV: u64 = GPIO + 0x40c;
const IE: u64 = GPIO + 0x410;
const RIS: u64 = GPIO + 0x414;
const MIS: u64 = GPIO + 0x418;
const IC: u64 = GPIO + 0x41c;
/// The node of the controller.
const NODE: &str = "/pl061@9030000";
/// Edges that are asked by.
const EDGES: u32 = 10;
/// How long the other VM may take, in microseconds.
const PATIENCE: u64 = 20_000_000;

/// What MIS had at the interrupts so far.
static SEEN: AtomicU32 = AtomicU32::new(0);

/// Drives "there", and is answered by the opposite level of "back".
pub fn ask() {
    let Some((there, back)) = lines("there", "back") else { return };
    set_up(there, back);
    let ready = counter::wait_until(PATIENCE, || level(back) == 1);
    report::equal(format_args!("wires/the other VM drives its line"), true, ready);
    levels(back);
    interrupts::clear();
    SEEN.store(0, SeqCst);
    let mut right = 0;
    for edge in 1..=EDGES {
        set(there, edge & 1);
        let came = cpu::with_interrupts(|| counter::wait_until(PATIENCE, || edges() == edge));
        right += u32::from(came && level(back) != edge & 1);
    }
    let got = (right, edges(), SEEN.load(SeqCst));
    report::equal(format_args!("wires/answers, interrupts, lines"), (EDGES, EDGES, 1 << back), got);
    // Its last answer was a high level. Now that this is seen it may end.
    set(there, 1);
    let fell = cpu::with_interrupts(|| counter::wait_until(PATIENCE, || edges() > EDGES));
    report::equal(format_args!("wires/its line falls at its end"), (true, 0), (fell, level(back)));
}

/// Answers each edge of "there" by the opposite level of "back".
pub fn answer() {
    let Some((there, back)) = lines("there", "back") else { return };
    set_up(back, there);
    set(back, 1);
    let mut right = 0;
    for edge in 1..=EDGES {
        let came = cpu::with_interrupts(|| counter::wait_until(PATIENCE, || edges() == edge));
        right += u32::from(came && level(there) == edge & 1);
        set(back, 1 - level(there));
    }
    let got = (right, edges(), SEEN.load(SeqCst));
    report::equal(format_args!("wires/edges, interrupts, lines"), (EDGES, EDGES, 1 << there), got);
    let seen = counter::wait_until(PATIENCE, || level(there) == 1);
    report::equal(format_args!("wires/the last answer was seen"), true, seen);
}

/// The lines whose names begin so, by the device tree, whose node is what a driver looks for.
fn lines(first: &str, second: &str) -> Option<(u32, u32)> {
    report::equal(format_args!("wires/compatible"), Some("arm,pl061"), tree::string(NODE, "compatible"));
    report::equal(format_args!("wires/clock"), Some("apb_pclk"), tree::string(NODE, "clock-names"));
    report::equal(format_args!("wires/interrupt"), Some((GPIO_INTID, false)), tree::interrupt(NODE));
    let controller = (tree::property(NODE, "gpio-controller").is_some(), tree::cell(NODE, "#gpio-cells", 0));
    report::equal(format_args!("wires/controller"), (true, Some(2)), controller);
    let find = |name: &str| {
        let names = tree::property(NODE, "gpio-line-names")?;
        let place = names.split(|byte| *byte == 0).position(|other| other.starts_with(name.as_bytes()));
        place.map(|line| line as u32)
    };
    let found = find(first).zip(find(second));
    report::holds(format_args!("wires/names"), found.is_some(), "both lines, by what their names begin with", &found);
    found
}

/// Makes a line an output, and has both edges of another one interrupt.
fn set_up(out: u32, from: u32) {
    interrupts::set_source(quiet);
    interrupts::clear();
    gic::set_edge(GPIO_INTID, false);
    gic::route(GPIO_INTID, 0);
    gic::enable(GPIO_INTID);
    for (register, value) in [(DIR, 1 << out), (IS, 0), (IBE, 1 << from), (IC, 0xff), (IE, 1 << from)] {
        mmio::write32(register, value);
    }
}

fn quiet(_: u32) {
    let lines = mmio::read32(MIS);
    SEEN.fetch_or(lines, SeqCst);
    mmio::write32(IC, lines);
}

/// A line that is to be low lasts as long as it is high, whatever is cleared.
fn levels(line: u32) {
    mmio::write32(IC, 0xff);
    let before = mmio::read32(RIS);
    mmio::write32(IS, 1 << line);
    mmio::write32(IEV, 1 << line);
    let high = mmio::read32(MIS);
    mmio::write32(IC, 0xff);
    let cleared = mmio::read32(MIS);
    mmio::write32(IEV, 0);
    let low = mmio::read32(RIS);
    mmio::write32(IS, 0);
    let got = (before, high, cleared, low, mmio::read32(RIS));
    report::equal(format_args!("wires/a level"), (0, 1 << line, 1 << line, 0, 0), got);
}

/// Interrupts of the controller.
fn edges() -> u32 {
    interrupts::count(0, GPIO_INTID)
}

fn level(line: u32) -> u32 {
    mmio::read32(GPIO + (4 << line)) >> line & 1
}

fn set(line: u32, level: u32) {
    mmio::write32(GPIO + (4 << line), level << line);
}
