//! A VM that is moved between machines while both its vCPUs are busy, as its guest sees it: nothing of it is lost, and no counter
//! goes back. How long a move takes does not matter, nor how far apart they are.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use conformance::profile::Profile;
use guest_runtime::{console, counter, cpu, mmio, power};
use portcullis_abi::function::TRNG_RND64;
use portcullis_abi::map::VM_CLOCK;

use crate::guest::door::Door;
use crate::guest::report;

/// How often it is moved: twice there and back.
const MOVES: u64 = 4;
/// How often it was restored, in its clock's page (Linux `include/uapi/linux/vmclock-abi.h`, `vm_generation_counter`).
const RESTORES: u64 = VM_CLOCK + 0x68;
/// What is hashed again and again.
static PATTERN: [AtomicU64; 2048] = [const { AtomicU64::new(0) }; 2048];
/// How often the second vCPU has looked at its counter, and whether that has gone back.
static LOOKS: AtomicU64 = AtomicU64::new(0);
static WENT_BACK: AtomicBool = AtomicBool::new(false);
static END: AtomicBool = AtomicBool::new(false);
/// Microseconds between two lines, and how long the second vCPU may take to go on, or to end.
const SECOND: u64 = 1_000_000;
const PATIENCE: u64 = 10_000_000;

/// Computes until a second after the last move, or for `seconds` of its own time.
pub fn run(profile: &Profile) {
    let door = Door::new(power::conduit());
    for (at, word) in PATTERN.iter().enumerate() {
        word.store((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), Relaxed);
    }
    let expected = hash();
    report::equal(format_args!("travels/start vCPU 1"), Ok(()), cpu::launch(1, look, 0));
    let (mut last, mut drawn, mut went_back) = ([0; 2], 0, false);
    let (mut wrong, mut undrawn, mut idle, mut words) = (0_u64, 0_u64, 0_u64, 0_u64);
    let first = restores();
    for second in 0..profile.seconds {
        let (moves, looks) = (restores().wrapping_sub(first), LOOKS.load(Relaxed));
        counter::wait_until(SECOND, || {
            let now = [counter::virtual_count(), counter::physical_count()];
            went_back |= now.iter().zip(&last).any(|(now, last)| now < last);
            last = now;
            wrong += u64::from(hash() != expected);
            let [status, _, _, word] = door.call(TRNG_RND64.into(), [64, 0, 0]).x;
            undrawn += u64::from(status != 0 || word == drawn);
            (drawn, words) = (word, words + 1);
            false
        });
        let goes_on = counter::wait_until(PATIENCE, || LOOKS.load(Relaxed) != looks);
        idle += u64::from(!goes_on);
        console::line(format_args!("second {second}: {moves} moves, {words} words"));
        if moves >= MOVES {
            break;
        }
    }
    END.store(true, Relaxed);
    report::equal(format_args!("travels/end vCPU 1"), true, cpu::join(1, PATIENCE));
    report::equal(format_args!("travels/it is told of each move"), MOVES, restores().wrapping_sub(first));
    report::equal(format_args!("travels/no counter goes back"), [false; 2], [went_back, WENT_BACK.load(Relaxed)]);
    report::equal(format_args!("travels/memory is as it was"), 0, wrong);
    report::equal(format_args!("travels/each draw is another word"), 0, undrawn);
    report::equal(format_args!("travels/both vCPUs go on"), 0, idle);
}

fn restores() -> u64 {
    u64::from(mmio::read32(RESTORES)) | u64::from(mmio::read32(RESTORES + 4)) << 32
}

/// FNV-1a, by words, of the pattern.
fn hash() -> u64 {
    PATTERN.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ word.load(Relaxed)).wrapping_mul(0x0100_0000_01b3))
}

/// The second vCPU.
fn look() {
    let mut last = counter::virtual_count();
    while !END.load(Relaxed) {
        let now = counter::virtual_count();
        if now < last {
            WENT_BACK.store(true, Relaxed);
        }
        last = now;
        LOOKS.fetch_add(1, Relaxed);
    }
}
