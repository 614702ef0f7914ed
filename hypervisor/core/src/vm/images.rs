//! The images of a VM whose manifest has none: what the control VM has loaded.

use alloc::string::String;

use portcullis_board::Range;
use portcullis_bundle::VmConfig;
use portcullis_bundle::image::{HEADER, ImageError, Layout};
use spin::{Mutex, MutexGuard};

use crate::memory::guest::GuestMemory;

/// Where an image begins in a store: a cache line of its own.
const ALIGNMENT: u64 = 64;

/// Where images are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the VM's store, from this byte on.
    Store(u64),
    /// Where they belong in its RAM: for one start.
    Ram,
}

/// Images that were loaded whole.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What the kernel begins with, as much as its header has.
    pub start: [u8; HEADER],
    /// Bytes of the kernel.
    pub kernel: u64,
    /// Bytes of the initial RAM disk; 0: there is none.
    pub initrd: u64,
    /// The command line; empty: the manifest's counts.
    pub cmdline: String,
    /// Where they are.
    pub place: Place,
}

impl Kept {
    /// Where they go in the RAM of the VM, which has it at `ram`.
    ///
    /// # Errors
    ///
    /// [`ImageError`].
    pub fn layout(&self, config: &VmConfig<'_>, ram: u64) -> Result<Layout, ImageError> {
        let start = self.start.get(..self.kernel.min(HEADER as u64) as usize).unwrap_or_default();
        config.layout_of(ram, (start, self.kernel), (self.initrd != 0).then_some(self.initrd), &self.cmdline)
    }

    /// Where the initial RAM disk begins in a store in which the kernel does so at `at`.
    pub const fn initrd_at(&self, at: u64) -> u64 {
        at.saturating_add(padded(self.kernel))
    }

    /// Bytes of both in a store.
    pub const fn size(&self) -> u64 {
        padded(self.kernel).saturating_add(padded(self.initrd))
    }
}

/// Where images go that are coming.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// What they will be.
    pub kept: Option<Kept>,
    /// Where the kernel begins, in the store or in the VM's addresses.
    pub kernel: u64,
    /// Where the initial RAM disk does.
    pub initrd: u64,
    /// Bytes of the VM's RAM that are to be set to zero before anything goes there.
    pub clear: u64,
    /// Those that are.
    pub cleared: u64,
}

const fn padded(length: u64) -> u64 {
    length.saturating_add(ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

/// The images of one VM.
#[derive(Debug)]
pub struct Images {
    /// RAM that nobody else has; none: images are for one start.
    store: Option<Range>,
    kept: Mutex<Option<Kept>>,
}

impl Images {
    /// There is none yet. `store` was taken for this VM in whole blocks, for ever.
    pub const fn new(store: Option<Range>) -> Self {
        Self { store, kept: Mutex::new(None) }
    }

    /// Whether they are kept over starts.
    pub const fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// The store, from 0 on, as the core with this number reaches it, which this runs on.
    pub fn store_on(&self, core: usize) -> Option<GuestMemory> {
        // SAFETY: it was taken in whole blocks, for ever, and every caller runs on the core that it names. Nobody but EL2
        // reaches it, always as write-back memory, so that what one core writes the others read.
        unsafe { GuestMemory::new(core, 0, self.store?) }
    }

    /// What was loaded; none: nothing was, or it is used up. It is changed by nobody meanwhile.
    pub fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock()
    }

    /// Whether the VM could be started.
    pub fn exist(&self) -> bool {
        self.kept.lock().is_some()
    }

    /// Forgets what is in the VM's RAM, which gets something else. Returns whether that was there.
    pub fn lose_ram(&self) -> bool {
        self.kept.lock().take_if(|kept| kept.place == Place::Ram).is_some()
    }

    /// Finds a place in the store for images of so many bytes: beside those that are there if both have room, else in place of
    /// them, which are forgotten then. Returns where they begin, and whether others had to go.
    ///
    /// # Errors
    ///
    /// Bytes of the store, which are too few.
    pub fn make_room(&self, wanted: u64) -> Result<(u64, bool), u64> {
        let size = self.store.map_or(0, |store| store.size());
        let mut kept = self.kept.lock();
        let former = kept.as_ref().and_then(|kept| match kept.place {
            Place::Store(at) => Some((at, kept.size())),
            Place::Ram => None,
        });
        let (at, stays) = find_room(former, wanted, size).ok_or(size)?;
        let goes = !stays && kept.take().is_some();
        Ok((at, goes))
    }
}

/// Where `wanted` bytes begin in a store of `size`, in which others begin at the first number and have the second one; and whether
/// those can stay.
fn find_room(former: Option<(u64, u64)>, wanted: u64, size: u64) -> Option<(u64, bool)> {
    let fits = |at: u64| at.checked_add(wanted).is_some_and(|end| end <= size);
    match former {
        None if fits(0) => Some((0, true)),
        Some((at, _)) if wanted <= at => Some((0, true)),
        Some((at, length)) if fits(at.saturating_add(length)) => Some((at.saturating_add(length), true)),
        Some(_) if fits(0) => Some((0, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_former_images_stay_if_both_have_room() {
        assert_eq!(find_room(None, 100, 100), Some((0, true)));
        assert_eq!(find_room(None, 101, 100), None);
        assert_eq!(find_room(Some((0, 40)), 60, 100), Some((40, true)));
        assert_eq!(find_room(Some((40, 60)), 40, 100), Some((0, true)));
        assert_eq!(find_room(Some((40, 20)), 40, 100), Some((0, true)));
        assert_eq!(find_room(Some((0, 40)), 61, 100), Some((0, false)), "one of them has to go");
        assert_eq!(find_room(Some((10, 40)), 101, 100), None, "and not for what has no room either");
        assert_eq!(find_room(Some((0, 40)), u64::MAX, 100), None);
    }
}
