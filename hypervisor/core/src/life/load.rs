//! Puts a VM's images where they belong in its RAM, a piece at a time: others may wait for the core.

use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::Ordering;

use portcullis_abi::{firmware, function, map};
use portcullis_arch::cache_shape;
use portcullis_board::Range;
use portcullis_board::vm_memory::Banks;
use portcullis_bundle::guest_tree::{GuestTree, caches};
use portcullis_bundle::image::{ImageError, Layout};
use portcullis_devices::OutOfReach;
use portcullis_gate::Register;

use crate::cpu::gic;
use crate::machine::Machine;
use crate::memory::guest::{GuestMemory, Way};
use crate::vm::Vm;
use crate::vm::images::{Images, Kept, Place};
use crate::vm::loading::{Contents, Loading, Part};
use crate::vm::seed::Seed;
use crate::vm::state_pages::SharedEnd;

/// Where a loaded guest starts, in its own addresses.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// First instruction.
    pub kernel: u64,
    /// Device tree.
    pub tree: u64,
}

/// Why a guest could not be loaded.
#[derive(Clone, Copy, Debug)]
pub enum LoadError {
    /// The VM of this name has no image.
    NoImage(&'static str),
    /// The images do not fit.
    Image(ImageError),
    /// No device tree could be made.
    Tree,
    /// It asks for a clock, and nobody has set the time yet.
    Time,
    /// A part lies outside the VM's RAM, or cannot be mapped.
    Memory(Range),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::NoImage(name) => {
                write!(f, "it has no image; load one from the control VM: `portcullis load {name} --kernel FILE`")
            }
            Self::Tree => write!(f, "its device tree cannot be made; the command line must not hold a NUL"),
            Self::Time => {
                write!(f, "it asks for a clock (rtc = true), and the time is not known; set it first (CLOCK_SET)")
            }
            Self::Memory(region) => {
                write!(f, "{:#x} bytes at {:#x} are not within its memory", region.size(), region.start)
            }
        }
    }
}

/// What is done for a part.
#[derive(Clone, Copy, Debug)]
enum Work<'a> {
    /// Nothing.
    Nothing,
    /// The VM's RAM is set to zero.
    Clear,
    /// The VM's RAM is written back from the caches.
    Forget,
    /// An image is copied to this place in RAM.
    Copy(Range, &'a [u8]),
    /// An image that is in the store goes from there, with so many bytes, to this place in RAM.
    Fetch(Range, u64, u64),
    /// Cells of flash, here, get what a file has; what is behind that is erased.
    Cells(Range, &'a [u8]),
}

impl Work<'_> {
    /// Bytes of the part.
    const fn size(&self) -> u64 {
        match self {
            Self::Nothing | Self::Clear | Self::Forget => 0,
            Self::Copy(_, bytes) => bytes.len() as u64,
            Self::Cells(range, _) => range.size(),
            Self::Fetch(_, _, length) => *length,
        }
    }
}

/// On core `core`: gives `size` cells of a VM's bank at `bank`, `start` cells from its beginning, what `file` has there; what is
/// behind the file is erased.
#[inline(always)]
pub(super) fn fill_cells(core: usize, bank: Range, file: &[u8], start: u64, size: u64) -> Result<(), OutOfReach> {
    // SAFETY: the bank is one VM's memory, in blocks that are its own; every caller runs on the core that it names.
    let Some(mut cells) = (unsafe { GuestMemory::new(core, 0, bank) }) else {
        return Err(OutOfReach { address: start, length: size as usize });
    };
    let file = file.get(start as usize..).unwrap_or_default();
    let (file, erased) = match file.get(..size as usize) {
        Some(file) => (file, 0),
        None => (file, (size as usize).saturating_sub(file.len())),
    };
    cells.store(start, file)?;
    cells.fill(start.saturating_add(file.len() as u64), erased, 0xff)
}

impl Vm {
    /// Puts the next piece, `most` bytes at the most, of kernel, initial RAM disk and device tree from the bundle into the VM's
    /// RAM. The device tree is one piece. Where the guest starts, when all is there.
    ///
    /// # Errors
    ///
    /// [`LoadError`]: what does not fit.
    pub fn load_piece(&self, most: u64) -> Result<Option<Entry>, LoadError> {
        let config = &self.config;
        let mut loaded = self.images.as_ref().map(Images::kept);
        let layout = match loaded.as_deref() {
            None => config.layout(self.ram),
            Some(kept) => kept.as_ref().ok_or(LoadError::NoImage(config.name))?.layout(config, self.ram),
        };
        let layout = layout.map_err(LoadError::Image)?;
        let kept = loaded.as_deref().and_then(Option::as_ref);
        let mut loading = self.life.loading();
        let more = self.wants_seed() && self.gather(&mut loading.seed);
        loop {
            let (work, next) = match loading.part {
                // Others may have it mapped yet.
                Part::Ram if !self.aliases.are_gone() => return Ok(None),
                // What was restored in vain is nobody's.
                Part::Ram if self.links.is_some_and(|links| links.load(most)) => return Ok(None),
                Part::Ram => match self.life.contents() {
                    Contents::Foreign => (Work::Clear, Part::First),
                    Contents::Zeros => (Work::Nothing, Part::First),
                    Contents::Life => (Work::Forget, Part::First),
                },
                Part::First => (self.cells(|banks| banks.first, 0), Part::Second),
                Part::Second => (self.cells(|banks| Some(banks.second), 1), Part::Kernel),
                Part::Kernel => {
                    if let Some(flash) = &self.flash {
                        flash.loaded.store(true, Ordering::Relaxed);
                    }
                    let work = match kept {
                        None => Work::Copy(layout.kernel, config.kernel),
                        Some(Kept { place: Place::Ram, .. }) => Work::Nothing,
                        Some(Kept { place: Place::Store(at), kernel, .. }) => Work::Fetch(layout.kernel, *at, *kernel),
                    };
                    (work, Part::Initrd)
                }
                Part::Initrd if kept.is_some() => {
                    let work = kept.zip(layout.initrd).map(|(kept, place)| match kept.place {
                        Place::Store(at) => Work::Fetch(place, kept.initrd_at(at), kept.initrd),
                        Place::Ram => Work::Nothing,
                    });
                    (work.unwrap_or(Work::Nothing), Part::Seed)
                }
                Part::Initrd => {
                    let initrd = layout.initrd.zip(config.initrd);
                    (initrd.map_or(Work::Nothing, |(place, bytes)| Work::Copy(place, bytes)), Part::Seed)
                }
                Part::Seed if more => return Ok(None),
                Part::Seed => (Work::Nothing, Part::Tree),
                Part::Tree if config.settings.rtc == Some(true) && Machine::get().wall_clock().is_none() => {
                    return Err(LoadError::Time);
                }
                Part::Tree => {
                    self.begin_generation();
                    let cmdline = kept.map(|kept| &*kept.cmdline).filter(|cmdline| !cmdline.is_empty());
                    self.place_tree(&layout, &loading.seed, cmdline.unwrap_or(config.cmdline))?;
                    *loading = Loading::default();
                    if let Some(kept) = &mut loaded {
                        // What is in RAM is the guest's from here on.
                        kept.take_if(|kept| kept.place == Place::Ram);
                    }
                    let kernel = if config.starts_in_flash() { map::FLASH } else { layout.entry() };
                    return Ok(Some(Entry { kernel, tree: layout.dtb.start }));
                }
            };
            let size = if matches!(work, Work::Clear | Work::Forget) { self.memory.size() } else { work.size() };
            match loading.piece(size, most) {
                (_, 0) => {
                    // From here on there is something of it in memory.
                    self.life.set_loaded();
                    loading.next(next);
                }
                (start, size) => {
                    match work {
                        Work::Nothing => {}
                        Work::Clear => self.with_ram(start, size, |ram, at, size| ram.clear(at, size))?,
                        Work::Forget => self.with_ram(start, size, |ram, at, size| ram.forget_cached(at, size))?,
                        Work::Fetch(region, at, _) => self.fetch(region, at, start, size)?,
                        Work::Copy(region, bytes) => self.copy(region, bytes, start, size)?,
                        Work::Cells(bank, file) => {
                            self.fill_cells(bank, file, start, size).map_err(|_| LoadError::Memory(bank))?;
                        }
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// What is to be done for bank `number` of its flash, whose cells are where `place` says.
    fn cells(&self, place: impl Fn(&Banks) -> Option<Range>, number: usize) -> Work<'static> {
        let flash = self.flash.as_ref().filter(|flash| !flash.loaded.load(Ordering::Relaxed));
        let file = self.config.flash.and_then(|files| files.get(number).copied().flatten());
        let place = flash.and_then(|flash| place(&flash.banks));
        place.map_or(Work::Nothing, |place| Work::Cells(place, file.unwrap_or_default()))
    }

    /// On the core of its first vCPU, which loads it: see [`fill_cells`].
    #[inline(always)]
    fn fill_cells(&self, bank: Range, file: &[u8], start: u64, size: u64) -> Result<(), OutOfReach> {
        let core = self.vcpus().first().map_or(0, |first| first.core);
        fill_cells(core, bank, file, start, size)
    }

    /// Whether the VM is handed random words: those that it could ask for.
    fn wants_seed(&self) -> bool {
        self.config.settings.kaslr && self.config.dtb.is_none() && self.row.get(Register::Std) & firmware::STD_TRNG != 0
    }

    /// Draws a random word of those that are missing. Whether there are more to come.
    fn gather(&self, seed: &mut Seed) -> bool {
        let machine = Machine::get();
        machine.board.entropy.is_some_and(|source| seed.gather(|word| machine.draw(source, &self.entropy, word)))
    }

    /// Puts the VM's device tree in place, its own or one made for it.
    fn place_tree(&self, layout: &Layout, seed: &Seed, cmdline: &str) -> Result<(), LoadError> {
        let config = &self.config;
        if let Some(dtb) = config.dtb {
            return self.copy(layout.dtb, dtb, 0, dtb.len() as u64);
        }
        let emulated: Vec<_> = self.bus.devices().filter_map(|device| device.describe()).collect();
        let shared: Vec<_> = self.shared.iter().map(SharedEnd::node).collect();
        let slots: Vec<_> = self.links.iter().flat_map(|links| links.slots()).collect();
        let tree = GuestTree {
            memory: Range::sized(self.ram, self.memory.size()),
            vcpus: config.cores.as_slice().len(),
            cmdline,
            initrd: layout.initrd,
            conduits: config.settings.conduits,
            psci: u32::try_from(self.row.get(Register::PsciVersion)).unwrap_or(function::PSCI_VERSION_0_2),
            gic: gic::version(),
            cache_levels: caches::levels(cache_shape::levels()),
            emulated: &emulated,
            devices: &self.devices,
            kaslr_seed: seed.kaslr(),
            rng_seed: seed.rng(),
            watchdog: self.is_offered_watchdog(),
            movable: self.generation.is_some(),
            gpio_lines: self.wires.map_or(&[], |wires| wires.line_names()),
            virtio: &slots,
            shared: &shared,
        };
        let tree = tree.build().map_err(|_| LoadError::Tree)?;
        self.copy(layout.dtb, &tree, 0, tree.len() as u64)
    }

    /// Does something with a piece of the VM's RAM.
    fn with_ram(
        &self,
        start: u64,
        size: u64,
        work: impl FnOnce(&mut GuestMemory, u64, usize) -> Result<(), OutOfReach>,
    ) -> Result<(), LoadError> {
        let piece = Range::sized(self.ram.saturating_add(start), size);
        let done = self.memory_on_first().and_then(|mut ram| work(&mut ram, piece.start, size as usize).ok());
        done.ok_or(LoadError::Memory(piece))
    }

    /// Copies `size` bytes of the store, `start` bytes behind `from`, as far into `region`, as [`copy`](Self::copy) does.
    fn fetch(&self, region: Range, from: u64, start: u64, size: u64) -> Result<(), LoadError> {
        let piece = Range::sized(region.start.saturating_add(start), size);
        let core = self.vcpus().first().map_or(0, |first| first.core);
        let memories = self.memory_on_first().zip(self.images.as_ref().and_then(|images| images.store_on(core)));
        let fetched = memories.and_then(|(mut ram, mut store)| {
            ram.receive(Way::Past, piece.start, &mut store, from.saturating_add(start), size as usize, 0).ok()
        });
        fetched.map(drop).ok_or(LoadError::Memory(piece))
    }

    /// Copies `size` bytes, `start` bytes from the beginning of `bytes`, as far into `region`, seen by a guest whose caches are
    /// off. What the region has beyond them, a kernel's BSS, is the guest's own to clear.
    fn copy(&self, region: Range, bytes: &[u8], start: u64, size: u64) -> Result<(), LoadError> {
        let piece = Range::sized(region.start.saturating_add(start), size);
        let bytes = bytes.get(start as usize..).and_then(|rest| rest.get(..size as usize));
        // None of its vCPUs runs while it is loaded, by its first vCPU's core alone. Each forgets what its core remembers of
        // instructions when it begins.
        let copied =
            self.memory_on_first().zip(bytes).and_then(|(mut memory, bytes)| memory.place(piece.start, bytes).ok());
        copied.ok_or(LoadError::Memory(piece))
    }
}
