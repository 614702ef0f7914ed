//! One VM of the bundle.

use portcullis_abi::{bundle, map};
use portcullis_board::{Range, SocId};
use portcullis_gate::{Filter, Profile, RangeRequest};
use portcullis_tree::{MAGIC, Node, be32};

use super::baseline::Baseline;
use super::error::VmError;
use super::header::Images;
use super::implementations::Implementations;
use super::limit::{CORES, check_memory};
use super::property::{string, utf8};
use super::settings::Settings;
use super::slices::Slices;
use crate::guest_tree::GuestTree;
use crate::image::{DTB_MAX, ImageError, Kernel, Layout, Parts, Wish};
use crate::page_size::PageSize;

/// A VM as the bundle describes it; every part has been checked.
#[derive(Clone, Copy, Debug)]
pub struct VmConfig<'a> {
    /// Name, unique in the bundle.
    pub name: &'a str,
    /// Bytes of RAM.
    pub memory: u64,
    /// Physical core of each vCPU; several may have the same.
    pub cores: Cores,
    /// Time slice of each vCPU.
    pub slices: Slices<'a>,
    /// Kernel command line; empty if none is given.
    pub cmdline: &'a str,
    /// What of it is a flag, a number or a choice.
    pub settings: Settings,
    /// Device tree paths of the devices passed through.
    pub devices: Devices<'a>,
    /// CPU implementations of boards to which it may move.
    pub implementations: Implementations<'a>,
    /// The CPU that it is shown, in place of its cores' own.
    pub cpu: Option<Baseline<'a>>,
    /// The SoC that it is told of, in place of the board's.
    pub soc: Option<SocId>,
    /// Firmware registers; none stands for the defaults.
    pub firmware: Option<FirmwareConfig<'a>>,
    /// What its two banks of flash hold, as far as there is a file; none: it has no flash.
    pub flash: Option<[Option<&'a [u8]>; 2]>,
    /// Kernel: arm64 Image or raw binary; empty: it starts in flash.
    pub kernel: &'a [u8],
    /// Initial RAM disk.
    pub initrd: Option<&'a [u8]>,
    /// The VM's own device tree, in place of the generated one.
    pub dtb: Option<&'a [u8]>,
    /// Where the images are wanted.
    pub wish: Wish,
    /// Slot of the virtio transport of its console, below [`map::VIRTIO_SLOTS`]; none: it has no serial ports.
    pub console: Option<usize>,
    /// Bytes that are set aside for the device tree.
    pub tree_room: u64,
}

/// Values of a VM's firmware registers. Of what the bundle does not name, a bitmap is cleared unless `keep` says otherwise,
/// and the rest keeps its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirmwareConfig<'a> {
    /// Values of the registers that it names, in the order of [`bundle::REGISTERS`].
    pub registers: [Option<u64>; bundle::REGISTERS.len()],
    /// The first write of a register, by this or by a manager, leaves the others as they are.
    pub keep: bool,
    /// The range filter.
    pub ranges: Ranges<'a>,
}

/// The ranges of a filter, checked to fit together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ranges<'a>(&'a [[u8; 12]]);

impl<'a> Ranges<'a> {
    /// The ranges in the bundle's order.
    pub fn iter(self) -> impl Iterator<Item = RangeRequest> {
        self.0.iter().map(|cells| {
            let [base, count, action] = [0, 4, 8].map(|at| be32(cells, at).unwrap_or(0));
            let action = u8::try_from(action).unwrap_or(u8::MAX);
            RangeRequest { base, count, action, reserved: [0; 15] }
        })
    }

    fn parse(value: &'a [u8]) -> Result<Self, VmError> {
        let (cells, rest) = value.as_chunks::<12>();
        if !rest.is_empty() {
            return Err(VmError::Malformed(bundle::FILTER));
        }
        let ranges = Self(cells);
        let mut filter = Filter::new();
        for (index, range) in ranges.iter().enumerate() {
            // Whether there is firmware to forward to is the board's affair.
            filter.insert(&range, Profile(0), true).map_err(|error| VmError::Filter(index, error))?;
        }
        Ok(ranges)
    }
}

/// Physical cores, one per vCPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cores {
    cores: [u32; map::MAX_VCPUS],
    count: usize,
}

impl Cores {
    /// The core of each vCPU, in the order of the vCPUs.
    pub fn as_slice(&self) -> &[u32] {
        self.cores.get(..self.count).unwrap_or_default()
    }

    /// These cores; none if they are more than [`map::MAX_VCPUS`].
    pub fn of(list: &[u32]) -> Option<Self> {
        let mut cores = Self { count: list.len(), ..Self::default() };
        cores.cores.get_mut(..list.len())?.copy_from_slice(list);
        Some(cores)
    }

    fn parse(value: &[u8]) -> Result<Self, VmError> {
        let (cells, rest) = value.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(VmError::Malformed(bundle::CORES));
        }
        CORES.check(cells.len()).map_err(VmError::CoreCount)?;
        let mut cores = Self::default();
        for (slot, cell) in cores.cores.iter_mut().zip(cells) {
            *slot = u32::from_be_bytes(*cell);
        }
        cores.count = cells.len();
        Ok(cores)
    }
}

/// Device tree paths, none of them empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Devices<'a>(&'a str);

impl<'a> Devices<'a> {
    /// The paths in the bundle's order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.0.split_terminator('\0')
    }

    fn parse(value: &'a [u8]) -> Result<Self, VmError> {
        let text = core::str::from_utf8(value).map_err(|_| VmError::Malformed(bundle::DEVICES))?;
        let well_formed = text.is_empty() || text.ends_with('\0');
        let devices = Self(text);
        match well_formed && devices.iter().all(|path| path.starts_with('/')) {
            true => Ok(devices),
            false => Err(VmError::Malformed(bundle::DEVICES)),
        }
    }
}

impl<'a> VmConfig<'a> {
    /// Reads a VM's node, whose images are among `images`.
    pub(super) fn parse(node: &Node<'a>, images: Images<'a>) -> Result<Self, VmError> {
        let mut vm = Self {
            name: "",
            memory: 0,
            cores: Cores::default(),
            slices: Slices::default(),
            cmdline: "",
            settings: Settings::default(),
            devices: Devices::default(),
            implementations: Implementations::default(),
            cpu: None,
            soc: None,
            firmware: None,
            flash: None,
            kernel: &[],
            initrd: None,
            dtb: None,
            wish: Wish::default(),
            console: None,
            tree_room: 0,
        };
        let mut memory = None;
        let mut conduits = false;
        let mut kernel = None;
        let image = |name, place: &[u8]| images.find(place).ok_or(VmError::Malformed(name));
        for property in node.properties() {
            let value = property.value;
            match utf8(property.name()) {
                bundle::NAME => vm.name = string(bundle::NAME, value)?,
                bundle::MEMORY => memory = Some(u64_of(bundle::MEMORY, value)?),
                bundle::CORES => vm.cores = Cores::parse(value)?,
                bundle::SLICES => vm.slices = Slices::parse(value)?,
                bundle::CMDLINE => vm.cmdline = string(bundle::CMDLINE, value)?,
                bundle::DEVICES => vm.devices = Devices::parse(value)?,
                bundle::IMPLEMENTATIONS => vm.implementations = Implementations::parse(value)?,
                bundle::CPU => vm.cpu = Some(Baseline::parse(value)?),
                bundle::SOC_ID => vm.soc = Some(soc_id(value)?),
                bundle::FLASH => vm.flash = Some(flash(value, images)?),
                bundle::KERNEL => kernel = Some(image(bundle::KERNEL, value)?),
                bundle::INITRD => vm.initrd = Some(image(bundle::INITRD, value)?),
                bundle::DTB => vm.dtb = Some(image(bundle::DTB, value)?),
                bundle::CONSOLE => vm.console = Some(slot(value)?),
                bundle::LOAD => vm.wish.load = Some(u64_of(bundle::LOAD, value)?),
                bundle::TREE_LOW if value.is_empty() => vm.wish.tree_low = true,
                bundle::TREE_LOW => return Err(VmError::Malformed(bundle::TREE_LOW)),
                name if vm.settings.read(name, value)? => conduits |= name == bundle::CONDUITS,
                _ => return Err(VmError::Unknown),
            }
        }
        vm.memory = memory.ok_or(VmError::Missing(bundle::MEMORY))?;
        if !conduits {
            return Err(VmError::Missing(bundle::CONDUITS));
        }
        vm.kernel = match (kernel, vm.flash) {
            (Some([]), _) => return Err(VmError::Image(ImageError::Empty)),
            (Some(kernel), _) => kernel,
            (None, Some([Some(_), _])) => &[],
            (None, _) => return Err(VmError::Missing(bundle::KERNEL)),
        };
        vm.tree_room = match vm.dtb {
            Some(dtb) => dtb.len() as u64,
            None => GuestTree::room(vm.cores.as_slice().len(), vm.cmdline, vm.devices.iter().count()),
        };
        vm.check()?;
        for child in node.children() {
            match utf8(child.name) {
                bundle::FIRMWARE if vm.firmware.is_none() => vm.firmware = Some(FirmwareConfig::parse(&child)?),
                _ => return Err(VmError::Unknown),
            }
        }
        Ok(vm)
    }

    fn check(&self) -> Result<(), VmError> {
        if !is_name(self.name) {
            return Err(VmError::Name);
        }
        if self.cores.as_slice().is_empty() {
            return Err(VmError::Missing(bundle::CORES));
        }
        if !self.slices.fits(self.cores.as_slice().len()) {
            return Err(VmError::Malformed(bundle::SLICES));
        }
        check_memory(self.memory).map_err(VmError::Memory)?;
        if self.dtb.is_some_and(|dtb| !is_tree(dtb)) {
            return Err(VmError::Malformed(bundle::DTB));
        }
        let is_wrong = |file: &&&[u8]| file.is_empty() || !fits_flash(file.len() as u64);
        if let Some(file) = self.flash.iter().flatten().flatten().find(is_wrong) {
            return Err(VmError::Flash(file.len()));
        }
        // Where such a VM has its RAM is known at boot alone.
        if self.settings.trust_dma && self.wish.load.is_some() {
            return Err(VmError::Load);
        }
        if !self.starts_in_flash() {
            Kernel::parse(self.kernel).map_err(VmError::Image)?;
        }
        self.layout(map::RAM).map_err(VmError::Image)?;
        Ok(())
    }

    /// The page size that the kernel works with, if it says so. On a CPU that lacks it such a kernel ends without a word.
    pub fn kernel_pages(&self) -> Option<PageSize> {
        Kernel::read_header(self.kernel).ok().and_then(|kernel| kernel.pages)
    }

    /// The page size that the kernel works with, if a CPU with this ID_AA64MMFR0_EL1 lacks it.
    pub fn lacking_pages(&self, id_aa64mmfr0: u64) -> Option<PageSize> {
        self.kernel_pages().filter(|pages| !pages.is_in(id_aa64mmfr0))
    }

    /// Whether its first instruction is the first one of its flash.
    pub const fn starts_in_flash(&self) -> bool {
        self.kernel.is_empty()
    }

    /// Where the VM's images go in its RAM, which starts at `ram`. For a checked VM this does not fail.
    ///
    /// # Errors
    ///
    /// [`ImageError`]: what does not fit.
    pub fn layout(&self, ram: u64) -> Result<Layout, ImageError> {
        let kernel = if self.starts_in_flash() { Kernel::IN_FLASH } else { Kernel::read_header(self.kernel)? };
        let initrd = self.initrd.map(|initrd| initrd.len() as u64);
        let ram = Range::sized(ram, self.memory);
        Layout::place(ram, &Parts { kernel, initrd, tree: self.tree_room }, self.wish)
    }
}

impl<'a> FirmwareConfig<'a> {
    /// The registers that it names: identifier and value.
    pub fn named(&self) -> impl Iterator<Item = (u64, u64)> {
        bundle::REGISTERS.into_iter().zip(self.registers).filter_map(|((_, id), value)| Some((id, value?)))
    }

    fn parse(node: &Node<'a>) -> Result<Self, VmError> {
        let mut config = Self::default();
        for property in node.properties() {
            let value = property.value;
            match utf8(property.name()) {
                bundle::KEEP if value.is_empty() => config.keep = true,
                bundle::KEEP => return Err(VmError::Malformed(bundle::KEEP)),
                bundle::FILTER => config.ranges = Ranges::parse(value)?,
                name => {
                    let mut known = bundle::REGISTERS.iter().zip(&mut config.registers);
                    let ((name, _), slot) = known.find(|((known, _), _)| *known == name).ok_or(VmError::Unknown)?;
                    *slot = Some(u64_of(name, value)?);
                }
            }
        }
        match node.children().next() {
            Some(_) => Err(VmError::Unknown),
            None => Ok(config),
        }
    }
}

/// The name of a SoC.
fn soc_id(value: &[u8]) -> Result<SocId, VmError> {
    let soc = match value.as_chunks::<4>() {
        ([version, revision], []) => {
            SocId { version: u32::from_be_bytes(*version), revision: u32::from_be_bytes(*revision) }
        }
        _ => return Err(VmError::Malformed(bundle::SOC_ID)),
    };
    // As an answer a number with the sign bit would be an error.
    if (soc.version | soc.revision) >> 31 == 0 { Ok(soc) } else { Err(VmError::Malformed(bundle::SOC_ID)) }
}

/// The images of the banks of flash.
fn flash<'a>(value: &[u8], images: Images<'a>) -> Result<[Option<&'a [u8]>; 2], VmError> {
    let (places, rest) = value.as_chunks::<16>();
    let mut files = [None; 2];
    if !rest.is_empty() || places.len() > files.len() {
        return Err(VmError::Malformed(bundle::FLASH));
    }
    for (file, place) in files.iter_mut().zip(places) {
        *file = Some(images.find(place).ok_or(VmError::Malformed(bundle::FLASH))?);
    }
    Ok(files)
}

/// Whether a bank of flash can hold a file of so many bytes.
pub const fn fits_flash(size: u64) -> bool {
    size <= map::FLASH_BANK && size.is_multiple_of(map::FLASH_BLOCK)
}

/// Whether this can be a VM's name: 1 to [`bundle::NAME_MAX`] characters of a-z, 0-9 and '-', the first one a letter.
pub fn is_name(name: &str) -> bool {
    name.len() <= bundle::NAME_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// True if the bytes start with a device tree's header that tells their number. The rest is for the guest to judge.
fn is_tree(dtb: &[u8]) -> bool {
    let (magic, size) = (be32(dtb, 0), be32(dtb, 4));
    magic == Some(MAGIC) && size.is_some_and(|size| size as usize <= dtb.len()) && dtb.len() as u64 <= DTB_MAX
}

/// A slot of a virtio transport.
fn slot(value: &[u8]) -> Result<usize, VmError> {
    let slot = value.try_into().map(u32::from_be_bytes).ok().map(|slot| slot as usize);
    slot.filter(|slot| *slot < map::VIRTIO_SLOTS).ok_or(VmError::Malformed(bundle::CONSOLE))
}

fn u64_of(name: &'static str, value: &[u8]) -> Result<u64, VmError> {
    value.try_into().map(u64::from_be_bytes).map_err(|_| VmError::Malformed(name))
}
