//! Memory that two VMs share: one writes, the other one reads, and each says by its state page how far it is.

use guest_runtime::exception::probe;
use guest_runtime::{counter, mmio, tree};

use crate::guest::report;

/// The node of the memory.
const NODE: &str = "/reserved-memory/frames@10000000";
/// Bytes of a state page.
const PAGE: u64 = 0x1000;
/// State pages that there are.
const PAGES: u64 = 2;
/// Bytes that are written of what is shared, from the beginning on and up to the end.
const WRITTEN: u64 = 0x1000;
/// What a state page says.
const WRITTEN_ALL: u32 = 0x5752_4f54;
const READ_ALL: u32 = 0x5245_4144;
/// How long the other VM may take, in microseconds.
const PATIENCE: u64 = 20_000_000;

/// Where it is, and which state page is this VM's.
struct Shared {
    base: u64,
    size: u64,
    own: u64,
    other: u64,
}

/// Writes, and is told that it was read.
pub fn write() {
    let Some(shared) = Shared::find(0) else { return };
    for (place, at) in shared.words() {
        mmio::write32(at, place ^ 0x5a5a_0000);
    }
    let stored = probe(|| mmio::write32(shared.other, 1)).is_err();
    report::equal(format_args!("shared/a store to the other's state page is an abort"), true, stored);
    mmio::write32(shared.own, WRITTEN_ALL);
    let read = counter::wait_until(PATIENCE, || mmio::read32(shared.other) == READ_ALL);
    report::equal(format_args!("shared/the other VM has read"), true, read);
    // It ends, and says WRITTEN_ALL in its state page.
}

/// Reads what was written, writes nothing but its own state page, and sees that of the other one go to zero with it.
pub fn read() {
    let Some(shared) = Shared::find(1) else { return };
    let written = counter::wait_until(PATIENCE, || mmio::read32(shared.other) == WRITTEN_ALL);
    report::equal(format_args!("shared/the other VM has written"), true, written);
    let wrong = shared.words().find(|(place, at)| mmio::read32(*at) != place ^ 0x5a5a_0000);
    report::equal(format_args!("shared/what was written"), None, wrong);
    for (what, at) in [("what is read-only", shared.base + PAGES * PAGE), ("the other's state page", shared.other)] {
        let before = mmio::read32(at);
        let stored = probe(|| mmio::write32(at, !before)).is_err();
        report::equal(format_args!("shared/a store to {what}"), (true, before), (stored, mmio::read32(at)));
    }
    mmio::write32(shared.own, READ_ALL);
    let gone = counter::wait_until(PATIENCE, || mmio::read32(shared.other) == 0);
    report::equal(format_args!("shared/its state page is zero once it has ended"), true, gone);
    let (_, first) = shared.words().next().unwrap_or_default();
    report::equal(format_args!("shared/what it wrote is still there"), 0x5a5a_0000, mmio::read32(first));
}

impl Shared {
    /// What the device tree says of it, of whose state pages this VM has the one at `place`.
    fn find(place: u32) -> Option<Self> {
        report::equal(format_args!("shared/no-map"), true, tree::property(NODE, "no-map").is_some());
        report::equal(format_args!("shared/name"), Some("frames"), tree::string(NODE, "label"));
        report::equal(format_args!("shared/place"), Some(place), tree::cell(NODE, "portcullis,state-page", 0));
        let (base, size) = (tree::address(NODE)?, tree::cell(NODE, "reg", 3)?);
        report::equal(format_args!("shared/size"), (1 << 20) + PAGES * PAGE, size.into());
        let page = |place: u32| base + u64::from(place) * PAGE;
        let shared = Self { base, size: size.into(), own: page(place), other: page(1 - place) };
        report::equal(format_args!("shared/its state page at first"), 0, mmio::read32(shared.own));
        let behind = probe(|| mmio::read32(shared.base + shared.size)).is_err();
        report::equal(format_args!("shared/nothing behind it"), true, behind);
        Some(shared)
    }

    /// Words at both ends of what is shared: their places, and where they are.
    fn words(&self) -> impl Iterator<Item = (u32, u64)> {
        let (first, last) = (self.base + PAGES * PAGE, self.base + self.size - WRITTEN);
        [first, last].into_iter().flat_map(|at| (at..at + WRITTEN).step_by(4)).zip(0..).map(|(at, place)| (place, at))
    }
}
