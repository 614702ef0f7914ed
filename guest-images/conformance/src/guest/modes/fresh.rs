//! RAM is zeros before a VM's first start, whatever the board's boot loader has left there, and keeps what the VM has made of it
//! over a reset, as a board's does.

use core::ops::Range;

use conformance::profile::Profile;
use guest_runtime::tree;
use portcullis_abi::map::RAM;

use super::reset;
use crate::guest::report;

/// Bytes of a word.
const WORD: u64 = size_of::<u64>() as u64;
/// How far apart the words are that are left for the next boot.
const STEP: u64 = 64 << 10;

unsafe extern "C" {
    /// The guest's first byte.
    static image_start: u8;
    /// Behind its last one.
    static image_end: u8;
}

/// One boot of the run.
pub fn run(profile: &Profile) {
    let boot = reset::boots();
    let size = tree::cell("/memory@40000000", "reg", 3).map_or(0, u64::from);
    let own = own();
    report::holds(format_args!("fresh/boot {boot} RAM"), size > 1 << 20, "more than 1 MiB", &size);
    let foreign = |at: &u64| !own.iter().any(|own| at + WORD > own.start && *at < own.end);
    let words = || (RAM..RAM + size).step_by(WORD as usize).filter(foreign);
    // What it leaves for its next boot: each word its own address.
    let left = |at: u64| if at.is_multiple_of(STEP) { at } else { 0 };
    let expected = |at: u64| if boot == 0 { 0 } else { left(at) };
    let wrong = words().filter(|at| read(*at) != expected(*at));
    let (count, first) = wrong.fold((0u64, None), |(count, first), at| (count + 1, first.or(Some((at, read(at))))));
    let case = if boot == 0 { "zeros at first" } else { "as it was left" };
    report::equal(format_args!("fresh/boot {boot} {case}"), (0, None), (count, first));
    if boot < profile.resets {
        words().for_each(|at| write(at, left(at)));
        reset::note(boot + 1);
        reset::by_call(boot, profile);
    } else {
        reset::note(0);
    }
}

/// What is the guest's own: its image, with stacks and tables, and its device tree, which is written anew at each start.
fn own() -> [Range<u64>; 2] {
    let tree = tree::blob().map_or(0..0, |blob| {
        let start = blob.as_ptr() as u64;
        start..start + blob.len() as u64
    });
    [&raw const image_start as u64..&raw const image_end as u64, tree]
}

fn read(at: u64) -> u64 {
    // SAFETY: the address is in the guest's RAM, which is mapped as a whole.
    unsafe { (at as *const u64).read_volatile() }
}

fn write(at: u64, value: u64) {
    // SAFETY: as above, and nothing of the guest's own lies there.
    unsafe { (at as *mut u64).write_volatile(value) }
}
