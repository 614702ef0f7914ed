//! EL2's copies, fills and comparisons of memory, run here at EL1 under their own names, against one byte at a time.

use core::arch::global_asm;
use core::cmp::Ordering;
use core::ffi::c_int;

use guest_runtime::random::Random;

use crate::guest::report;

global_asm!(include_str!("../../../../../hypervisor/arch/src/memory.S"));

unsafe extern "C" {
    fn portcullis_memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8;
    fn portcullis_memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8;
    fn portcullis_memset(to: *mut u8, byte: c_int, count: usize) -> *mut u8;
    fn portcullis_memcmp(a: *const u8, b: *const u8, count: usize) -> c_int;
}

/// Bytes around what is written that must stay.
const MARGIN: usize = 80;
/// Most bytes of a copy that begins everywhere, and lengths around turns of more.
const MOST: usize = 330;
const TURNS: [usize; 6] = [319, 320, 321, 576, 577, 833];
/// Bytes of each piece of memory.
const ROOM: usize = 1024;
/// Offsets from a multiple of 64: of bytes, of the pairs that are copied at once, of a cache line.
const OFFSETS: [usize; 9] = [0, 1, 2, 7, 8, 9, 15, 16, 63];

/// Two pieces of memory and what they are to be.
#[repr(C, align(64))]
struct Bed {
    target: [u8; ROOM],
    source: [u8; ROOM],
    expected: [u8; ROOM],
}

static mut BED: Bed = Bed { target: [0; ROOM], source: [0; ROOM], expected: [0; ROOM] };

/// Each function over every length up to several turns of its loop, at offsets of all kinds.
pub fn run() {
    let bed = &raw mut BED;
    // SAFETY: one vCPU runs, and this once.
    let bed = unsafe { &mut *bed };
    conclude("memcpy", copies(bed));
    conclude("memmove", moves(bed));
    conclude("memset", fills(bed));
    conclude("memcmp", comparisons(bed));
}

/// Reports what went wrong first, if anything did.
fn conclude(name: &str, wrong: Option<[usize; 3]>) {
    report::equal(format_args!("copies/{name}"), None, wrong);
}

/// Lengths: all of the short ones, then some.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=MOST).filter(|length| *length <= 140 || length % 7 == 0).chain(TURNS)
}

fn fill(bytes: &mut [u8], random: &mut Random) {
    bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
}

impl Bed {
    /// Fills all of it; what is expected is what is there.
    fn prepare(&mut self, seed: usize) {
        let mut random = Random::new(seed as u64 + 1);
        fill(&mut self.source, &mut random);
        fill(&mut self.target, &mut random);
        self.expected.iter_mut().zip(&self.target).for_each(|(expected, byte)| *expected = *byte);
    }

    /// Whether the target is as expected and the function returned where it begins.
    fn holds(&self, at: usize, returned: *mut u8) -> bool {
        core::ptr::eq(returned, self.target.as_ptr().wrapping_add(at))
            && self.target.iter().zip(&self.expected).all(|(byte, expected)| byte == expected)
    }
}

/// Copies between pieces that do not overlap. The first one that went wrong: length, offsets of target and source.
fn copies(bed: &mut Bed) -> Option<[usize; 3]> {
    for length in lengths() {
        for to in OFFSETS {
            bed.prepare(length * 64 + to);
            for from in OFFSETS {
                let at = MARGIN + to;
                let expected = bed.expected.iter_mut().skip(at).zip(bed.source.iter().skip(from));
                expected.take(length).for_each(|(expected, byte)| *expected = *byte);
                // SAFETY: both ends lie in their pieces, which are different ones.
                let returned = unsafe {
                    portcullis_memcpy(bed.target.as_mut_ptr().add(at), bed.source.as_ptr().add(from), length)
                };
                if !bed.holds(at, returned) {
                    return Some([length, to, from]);
                }
            }
        }
    }
    None
}

/// Copies within a piece, upwards and downwards, by all distances at which an overlap makes a difference.
fn moves(bed: &mut Bed) -> Option<[usize; 3]> {
    const MIDDLE: usize = 300;
    for length in lengths() {
        for to in (MIDDLE - 70..=MIDDLE + 70).chain([MIDDLE - 200, MIDDLE + 200, MIDDLE + length]) {
            bed.prepare(length * 64 + to);
            for n in 0..length {
                *bed.expected.get_mut(to + n)? = *bed.target.get(MIDDLE + n)?;
            }
            let base = bed.target.as_mut_ptr();
            // SAFETY: both ends lie in the piece.
            let returned = unsafe { portcullis_memmove(base.add(to), base.add(MIDDLE), length) };
            if !bed.holds(to, returned) {
                return Some([length, to, MIDDLE]);
            }
        }
    }
    None
}

/// Fills with zeros, which are set by whole blocks, and with another byte; bits above the byte do not count.
fn fills(bed: &mut Bed) -> Option<[usize; 3]> {
    for length in (0..=MOST * 2).filter(|length| *length <= 140 || length % 7 == 0) {
        for to in OFFSETS {
            for value in [0x5a00, 0x01a5] {
                bed.prepare(length * 64 + to);
                let at = MARGIN + to;
                bed.expected.iter_mut().skip(at).take(length).for_each(|byte| *byte = value as u8);
                // SAFETY: it lies in the piece.
                let returned = unsafe { portcullis_memset(bed.target.as_mut_ptr().add(at), value, length) };
                if !bed.holds(at, returned) {
                    return Some([length, to, value as usize]);
                }
            }
        }
    }
    None
}

/// Comparisons of pieces that are the same but for one byte, or for none.
fn comparisons(bed: &mut Bed) -> Option<[usize; 3]> {
    for length in 0..=70 {
        for offset in OFFSETS {
            bed.prepare(length);
            bed.target.iter_mut().skip(offset).zip(&bed.source).for_each(|(byte, other)| *byte = *other);
            for different in 0..=length {
                let byte = bed.target.get_mut(offset + different)?;
                let (was, other) = (*byte, *bed.source.get(different)?);
                *byte = other ^ 0x81;
                let expected = if different < length { (*byte).cmp(&other) } else { Ordering::Equal };
                // SAFETY: both lie in their pieces.
                let order = unsafe { portcullis_memcmp(bed.target.as_ptr().add(offset), bed.source.as_ptr(), length) };
                *bed.target.get_mut(offset + different)? = was;
                if order.cmp(&0) != expected {
                    return Some([length, offset, different]);
                }
            }
        }
    }
    None
}
