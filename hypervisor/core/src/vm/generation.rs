//! What tells a VM that it was restored, as stock kernels know it: an identifier that is another one then (device tree binding
//! `rng/microsoft,vmgenid.yaml`), by which Linux seeds its random numbers anew; and the page of a clock, with a marker of jumps
//! and a count of restores (binding `ptp/amazon,vmclock.yaml`, Linux `include/uapi/linux/vmclock-abi.h`). The time of day is not
//! in it: PTP tells that. Each has an interrupt, an edge.
//!
//! A VM that is restored is told when it goes on, so that what is saved of it until then is what was restored.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use portcullis_abi::map;
use portcullis_abi::state::{self, Unfit};
use portcullis_arch::cache;
use portcullis_board::Range;
use portcullis_vgic::{VcpuSet, Vgic};

/// Words of a page.
const WORDS: usize = 512;
/// Words of the identifier.
pub const IDENTIFIER: usize = 2;
/// The first word of the clock: "VCLK", and bytes of its page.
const MAGIC: u64 = 0x4b4c_4356 | 0x1000 << 32;
/// The second one, but for the sequence in its upper half: version 1, a counter of which nothing is told, UTC.
const VERSION: u64 = 1 | 0xff << 16;
/// Flags: there is a count of restores, and an interrupt.
const FLAGS: u64 = 1 << 8 | 1 << 9;
/// Words of the clock that change: version and sequence, marker of jumps, count of restores.
const SEQUENCE: usize = 1;
const MARKER: usize = 2;
const FLAG_WORD: usize = 3;
const RESTORES: usize = 13;

/// The two pages, of which the guest can write none.
#[repr(C, align(4096))]
pub struct Pages([[AtomicU64; WORDS]; 2]);

impl Default for Pages {
    fn default() -> Self {
        Self([const { [const { AtomicU64::new(0) }; WORDS] }; 2])
    }
}

/// What a VM is told of its restores.
pub struct Generation {
    pages: &'static Pages,
    /// How often what it is told has changed, and so often it was restored.
    count: AtomicU64,
    /// It was restored, and has not been told.
    is_untold: AtomicBool,
}

impl Generation {
    /// Tells it in `pages`.
    pub fn new(pages: &'static Pages) -> Self {
        let generation = Self { pages, count: AtomicU64::new(0), is_untold: AtomicBool::new(false) };
        generation.show_clock();
        generation
    }

    /// Where the pages lie, in physical addresses.
    pub fn range(&self) -> Range {
        Range::sized(core::ptr::from_ref(self.pages) as u64, size_of::<Pages>() as u64)
    }

    /// A new life of the VM begins, with this identifier; it was never restored.
    pub fn begin(&self, identifier: [u64; IDENTIFIER]) {
        self.count.store(0, Ordering::Relaxed);
        self.is_untold.store(false, Ordering::Relaxed);
        self.show_identifier(identifier);
        self.show_clock();
    }

    /// Returns what is saved of it.
    pub fn save(&self) -> state::Generation {
        let restores = self.count.load(Ordering::Relaxed);
        state::Generation { version: state::Generation::VERSION, reserved: 0, restores }
    }

    /// Checks that a state is one.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn check(saved: &state::Generation) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Generation::VERSION)?;
        Unfit::check_reserved(saved.reserved)
    }

    /// Takes on what was saved; none: it was never restored. The VM, which does not run, is told when it goes on.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn restore(&self, saved: Option<&state::Generation>) -> Result<(), Unfit> {
        let restores = match saved {
            None => 0,
            Some(saved) => {
                Self::check(saved)?;
                saved.restores
            }
        };
        self.count.store(restores, Ordering::Relaxed);
        self.is_untold.store(true, Ordering::Relaxed);
        self.show_clock();
        Ok(())
    }

    /// Tells the VM, which goes on, that it was restored, if it was: with an identifier by `draw`, and interrupts of `vgic`.
    /// Returns the vCPUs that must look; none: it was not restored.
    pub fn tell(&self, vgic: &Vgic, draw: impl FnOnce() -> [u64; IDENTIFIER]) -> Option<[VcpuSet; 2]> {
        if !self.is_untold.swap(false, Ordering::Relaxed) {
            return None;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.show_identifier(draw());
        self.show_clock();
        Some([map::VM_GENERATION_INTID, map::VM_CLOCK_INTID].map(|intid| {
            // An edge: what it changes nobody has to see.
            let raised = vgic.set_spi_level(intid, true);
            let _ = vgic.set_spi_level(intid, false);
            raised
        }))
    }

    fn show_identifier(&self, identifier: [u64; IDENTIFIER]) {
        let [page, _] = &self.pages.0;
        for (word, value) in page.iter().zip(identifier) {
            word.store(value, Ordering::Relaxed);
        }
        // The kernel maps it as a device's (`drivers/virt/vmgenid.c`).
        clean(page);
    }

    /// A reader that began before it sees another sequence in the end, and none is odd: nobody reads while it is written, since
    /// none of the VM's vCPUs runs.
    fn show_clock(&self) {
        let [_, page] = &self.pages.0;
        let count = self.count.load(Ordering::Relaxed);
        let sequence = count << 1 & 0xffff_ffff;
        let words =
            [(0, MAGIC), (SEQUENCE, VERSION | sequence << 32), (MARKER, count), (FLAG_WORD, FLAGS), (RESTORES, count)];
        for (at, value) in words {
            if let Some(word) = page.get(at) {
                word.store(value, Ordering::Relaxed);
            }
        }
        clean(page);
    }

    /// What the guest reads of its identifier and of its clock: magic, version and sequence, marker, flags, restores.
    #[cfg(test)]
    pub fn shown(&self) -> ([u64; IDENTIFIER], [u64; 5]) {
        let [identifier, clock] = &self.pages.0;
        let read = |page: &[AtomicU64; WORDS], at: usize| page[at].load(Ordering::Relaxed);
        let clock = [0, SEQUENCE, MARKER, FLAG_WORD, RESTORES].map(|at| read(clock, at));
        ([read(identifier, 0), read(identifier, 1)], clock)
    }
}

/// Has a guest see what was written, whose caches may be off.
fn clean(page: &[AtomicU64; WORDS]) {
    cache::clean(page.as_ptr() as usize, size_of_val(page));
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;

    use portcullis_vgic::GicVersion;

    use super::*;

    fn generation() -> Generation {
        Generation::new(Box::leak(Box::default()))
    }

    /// The words of `struct vmclock_abi` by their offsets.
    #[test]
    fn the_clock_is_what_linux_expects() {
        let generation = generation();
        generation.begin([7, 8]);
        assert_eq!([SEQUENCE, MARKER, FLAG_WORD, RESTORES].map(|word| word * 8), [8, 16, 24, 104]);
        let (identifier, [magic, version, marker, flags, restores]) = generation.shown();
        assert_eq!((identifier, magic.to_le_bytes()), ([7, 8], *b"VCLK\0\x10\0\0"));
        assert_eq!(version.to_le_bytes(), [1, 0, 0xff, 0, 0, 0, 0, 0], "version 1, no counter, UTC, an even sequence");
        assert_eq!((marker, flags, restores), (0, 0x300, 0));
    }

    #[test]
    fn a_vm_is_told_of_a_restore_when_it_goes_on_and_once() {
        let (generation, vgic) = (generation(), Vgic::of_version(GicVersion::V3, 1));
        generation.begin([1, 2]);
        let saved = generation.save();
        let _ = generation.tell(&vgic, || panic!("it was not restored"));
        generation.restore(Some(&saved)).unwrap();
        assert_eq!(generation.save(), saved, "what was restored is what is saved");
        assert_eq!(generation.shown().0, [1, 2]);
        let _ = generation.tell(&vgic, || [3, 4]);
        let (identifier, [_, version, marker, _, restores]) = generation.shown();
        assert_eq!((identifier, version >> 32, marker, restores), ([3, 4], 2, 1, 1));
        let _ = generation.tell(&vgic, || panic!("it was told"));
        assert_eq!(generation.save().restores, 1);
        generation.begin([5, 6]);
        assert_eq!((generation.shown().0, generation.save().restores), ([5, 6], 0), "a new life");
        generation.restore(Some(&state::Generation { restores: u64::MAX, ..saved })).unwrap();
        generation.restore(None).unwrap();
        assert_eq!(generation.save().restores, 0, "what is missing is cleared");
        for bad in [state::Generation { version: 2, ..saved }, state::Generation { reserved: 1, ..saved }] {
            assert!(generation.restore(Some(&bad)).is_err());
        }
    }
}
