//! What can be wrong with a bundle.

use core::fmt;

use portcullis_abi::{bundle, map};
use portcullis_gate::FilterError;
use portcullis_tree::TreeError;

use crate::image::ImageError;
use crate::limit::{Misfit, WrongCount, WrongMemory, WrongTime};
use crate::links::LinkError;

/// What is wrong with a bundle. The text says what is broken and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// Fewer bytes than a header has.
    TooShort(usize),
    /// A device tree blob, which bundles were up to version 1.
    Old,
    /// The first eight bytes are not those of a bundle.
    Magic(u64),
    /// Another version of the format.
    Version(u32),
    /// The header's size is more than what was loaded, or less than a header.
    Size {
        /// The size that the header tells.
        total: u64,
        /// The bytes at hand.
        available: usize,
    },
    /// The header places the images outside the bundle, in the header, or not at a multiple of the alignment.
    Images {
        /// Where they would begin.
        at: u64,
        /// Bytes of the bundle.
        total: u64,
    },
    /// The bytes do not add up to the checksum.
    Checksum {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The tree is not well-formed.
    Tree(TreeError),
    /// The root has a property or a node that the format does not know.
    Unknown,
    /// More VMs than the hypervisor can hold.
    TooManyVms,
    /// No VM at all.
    NoVms,
    /// The VM nodes are not numbered one after the other.
    Order(usize),
    /// The nodes of cores are not in ascending order, or one is there twice.
    CoreOrder(u32),
    /// Two VMs have the same name.
    DuplicateName(usize),
    /// The property `control` does not name a VM.
    Control,
    /// Something is wrong with one VM.
    Vm(usize, VmError),
    /// Something is wrong with the schedule of one core.
    Core(u32, CoreError),
    /// Something is wrong with what connects VMs: how it is called, which of them, counted from 0, and what.
    Link(&'static str, usize, LinkError),
}

/// What is wrong with a VM of the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmError {
    /// A property that every VM has is not there.
    Missing(&'static str),
    /// A property's value does not have the form that the format wants.
    Malformed(&'static str),
    /// A property or node that the format does not know.
    Unknown,
    /// The name is empty, too long, or has a character that names do not have.
    Name,
    /// An amount of memory that no VM can have.
    Memory(WrongMemory),
    /// A number of cores that is zero or above the limit.
    CoreCount(WrongCount),
    /// A time slice that is too short or too long.
    Slice(WrongTime),
    /// A property has bits that stand for nothing: its name, its value, and the bits that exist.
    Bits(&'static str, u32, u32),
    /// A range of the filter is wrong or does not fit the others; by its number.
    Filter(usize, FilterError),
    /// A load address for a VM whose RAM lies where the board has it.
    Load,
    /// The image of a bank of flash has a length that no bank takes.
    Flash(usize),
    /// The images are wrong or do not fit.
    Image(ImageError),
    /// Its images come from the control VM, and it has some here.
    Loaded,
    /// So many bytes cannot keep its images.
    Store(u64),
    /// It is the control VM and has more serial ports than one can have.
    Ports,
}

/// What is wrong with the schedule of a core. Windows are told by their place, VMs by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreError {
    /// A property that every core's node has is not there.
    Missing(&'static str),
    /// A property's value does not have the length that the format wants.
    Malformed(&'static str),
    /// A property or node that the format does not know.
    Unknown,
    /// A frame that is too short or too long.
    Frame(WrongTime),
    /// A number of windows that is zero or above the limit.
    WindowCount(WrongCount),
    /// A window that is too short or too long.
    WindowLength(usize, WrongTime),
    /// A window that does not fit into the frame.
    Misfit(usize, Misfit),
    /// A VM is named that does not exist or has no vCPU on this core.
    NotHere(usize),
    /// A VM has a vCPU on this core, but neither a window nor a place in the background.
    Forgotten(usize),
}

/// What helps against a bundle of another version.
const AGAIN: &str = "take hypervisor and bundle from one run of scripts/image";

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(length) => {
                write!(f, "it has {length} bytes; a bundle has more than {}", bundle::HEADER_SIZE)
            }
            Self::Old => write!(f, "it starts with 0xd00dfeed, as bundles of version 1 did; {AGAIN}"),
            Self::Magic(found) => write!(
                f,
                "it starts with {found:#018x}; a bundle starts with {:#018x}, so load bundle.img",
                u64::from_be_bytes(bundle::MAGIC)
            ),
            Self::Version(found) => {
                write!(f, "its format is version {found}; this hypervisor reads version {}: {AGAIN}", bundle::VERSION)
            }
            Self::Size { total, available } => {
                write!(f, "its header tells {total} bytes, {available} are there; load the whole file")
            }
            Self::Images { at, total } => {
                write!(f, "its header places the images at {at:#x}, it has {total} bytes; load it again")
            }
            Self::Checksum { stored, computed } => {
                write!(f, "it is damaged: its checksum is {computed:#010x}, {stored:#010x} was stored; load it again")
            }
            Self::Tree(error) => write!(f, "{error}; make the bundle again"),
            Self::Unknown => write!(f, "its root has a property or node that format {} lacks", bundle::VERSION),
            Self::TooManyVms => write!(f, "it has too many VMs; {} are the most", map::MAX_VMS),
            Self::NoVms => write!(f, "it has no VM; one at least is needed"),
            Self::Order(index) => write!(f, "a VM node is out of order; {}{index:x} is expected", bundle::VM_NODE),
            Self::CoreOrder(core) => {
                write!(f, "{}{core:x} is out of order or there twice; they ascend", bundle::CORE_NODE)
            }
            Self::DuplicateName(index) => {
                write!(f, "{}{index:x}: another VM has the same name; names are unique", bundle::VM_NODE)
            }
            Self::Control => write!(f, "\"{}\" names no VM of the bundle; it must name one", bundle::CONTROL),
            Self::Vm(index, error) => write!(f, "{}{index:x}: {error}", bundle::VM_NODE),
            Self::Core(core, error) => write!(f, "{}{core:x}: {error}", bundle::CORE_NODE),
            Self::Link(kind, index, error) => write!(f, "{kind} {index}: {error}"),
        }
    }
}

impl fmt::Display for VmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the property \"{name}\" is missing; every VM has it"),
            Self::Malformed(name) => write!(f, "\"{name}\" does not have the length or form that the format wants"),
            Self::Unknown => write!(f, "there is a property or node that format {} lacks", bundle::VERSION),
            Self::Name => write!(
                f,
                "the name is wrong; it is 1 to {} characters of a-z, 0-9 and '-', the first one a letter",
                bundle::NAME_MAX
            ),
            Self::Memory(error) => error.fmt(f),
            Self::CoreCount(error) => error.fmt(f),
            Self::Slice(error) => error.fmt(f),
            Self::Bits(name, bits, known) => {
                write!(f, "\"{name}\" is {bits:#x}; only the bits of {known:#x} exist")
            }
            Self::Filter(index, error) => write!(f, "range {index} of its filter: {error}"),
            Self::Load => write!(
                f,
                "it has \"{}\" and \"{}\"; where its RAM lies is known at boot, so one of them has to go",
                bundle::LOAD,
                bundle::TRUST_DMA
            ),
            Self::Flash(length) => write!(
                f,
                "a file of {length:#x} bytes is for its flash; a multiple of {:#x} up to {:#x} is needed",
                map::FLASH_BLOCK,
                map::FLASH_BANK
            ),
            Self::Image(error) => error.fmt(f),
            Self::Loaded => {
                write!(
                    f,
                    "its images come from the control VM (store), and it has a kernel, an initrd or firmware here"
                )
            }
            Self::Store(size) => {
                write!(f, "a store of {size:#x} bytes cannot be had; it has a multiple of {:#x}", bundle::MEMORY_UNIT)
            }
            Self::Ports => {
                let most = bundle::SERIAL_PORTS - bundle::OWN_PORTS;
                write!(f, "it is the control VM and has more serial ports; {most} are the most")
            }
        }
    }
}

impl fmt::Display for CoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the property \"{name}\" is missing; every core's node has it"),
            Self::Malformed(name) => write!(f, "\"{name}\" does not have the length that the format wants"),
            Self::Unknown => write!(f, "there is a property or node that format {} lacks", bundle::VERSION),
            Self::Frame(error) => error.fmt(f),
            Self::WindowCount(error) => error.fmt(f),
            Self::WindowLength(index, error) => write!(f, "window {index}: {error}"),
            Self::Misfit(index, misfit) => misfit.of(format_args!("window {index}"), "the one before it").fmt(f),
            Self::NotHere(vm) => {
                write!(f, "{}{vm:x} is named; only VMs with a vCPU on this core can be", bundle::VM_NODE)
            }
            Self::Forgotten(vm) => write!(
                f,
                "{}{vm:x} could never run; a VM with a vCPU here has a window or is in \"{}\"",
                bundle::VM_NODE,
                bundle::BACKGROUND
            ),
        }
    }
}

impl core::error::Error for BundleError {}
impl core::error::Error for VmError {}
impl core::error::Error for CoreError {}
