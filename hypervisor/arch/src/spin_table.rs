//! Cores that wait for an address to go to (Devicetree Specification, section 3.7.2, "spin-table"). They arrive with nothing
//! in their registers, so each finds what it is to do in a table, by its affinity.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::{barrier, cache};

/// Most cores that can be released.
const CORES: usize = 16;

/// What a core is to do. It reads this with its MMU off.
#[repr(C)]
struct Release {
    affinity: AtomicU64,
    /// Where it goes; 0 in a place that is not in use.
    entry: AtomicU64,
    argument: AtomicU64,
}

#[repr(C, align(64))]
struct Releases([Release; CORES]);

#[unsafe(no_mangle)]
static portcullis_releases: Releases = Releases(
    [const { Release { affinity: AtomicU64::new(0), entry: AtomicU64::new(0), argument: AtomicU64::new(0) } }; CORES],
);

#[cfg(target_os = "none")]
core::arch::global_asm!(
    ".pushsection .text.spin_table, \"ax\"",
    ".global portcullis_released",
    "portcullis_released:",
    "msr daifset, #0xf",
    "mrs x2, mpidr_el1",
    "ldr x3, =0xff00ffffff",
    "and x2, x2, x3",
    "adrp x1, portcullis_releases",
    "add x1, x1, :lo12:portcullis_releases",
    "add x3, x1, #{SIZE}",
    "0: cmp x1, x3",
    "b.hs 1f",
    "ldp x4, x5, [x1], #24",
    "ldur x0, [x1, #-8]",
    "cbz x5, 0b",
    "cmp x4, x2",
    "b.ne 0b",
    "br x5",
    "1: wfe",                           // released by somebody else
    "b 1b",
    ".ltorg",
    ".popsection",
    SIZE = const size_of::<Releases>(),
);

/// Sends the core with `affinity` to physical address `entry` with `argument` in x0: it waits for the 64-bit word at `word` to
/// name an address. False if there are more cores than can be served.
///
/// # Safety
///
/// `word` must be mapped as writable memory and be the word that exactly this core waits for.
pub unsafe fn release(word: u64, affinity: u64, entry: u64, argument: u64) -> bool {
    let free = portcullis_releases.0.iter().find(|errand| errand.entry.load(Ordering::Relaxed) == 0);
    let Some(errand) = free else { return false };
    errand.affinity.store(affinity, Ordering::Relaxed);
    errand.argument.store(argument, Ordering::Relaxed);
    errand.entry.store(entry, Ordering::Relaxed);
    // The core reads past the caches: first all that it is to find, then the word that lets it go.
    cache::clean(core::ptr::from_ref(errand) as usize, size_of::<Release>());
    // SAFETY: passed on to the caller.
    unsafe { (word as *mut u64).write_volatile(landing()) };
    cache::clean(word as usize, size_of::<u64>());
    barrier::sev();
    true
}

/// Where released cores arrive.
fn landing() -> u64 {
    #[cfg(target_os = "none")]
    {
        unsafe extern "C" {
            fn portcullis_released();
        }
        portcullis_released as *const () as u64
    }
    #[cfg(not(target_os = "none"))]
    {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_core_has_its_errand_and_the_word_is_written_last() {
        let words = [const { AtomicU64::new(0) }; CORES + 1];
        for (core, word) in words.iter().enumerate() {
            // SAFETY: the word is this test's own.
            let released = unsafe { release(word.as_ptr() as u64, core as u64, 0x8_0000, 7 + core as u64) };
            assert_eq!((released, word.load(Ordering::Relaxed) != 0), (core < CORES, core < CORES));
        }
        let third = &portcullis_releases.0[3];
        let errand = [&third.affinity, &third.entry, &third.argument].map(|word| word.load(Ordering::Relaxed));
        assert_eq!(errand, [3, 0x8_0000, 10]);
    }
}
