//! Why nothing is started, in words and as an EFI status.

use core::fmt;

use portcullis_board::Range;
use portcullis_bundle::BundleError;
use portcullis_bundle::page_size::PageSize;
use portcullis_bundle::room::NoRoom;
use portcullis_platform::facts::FactsError;
use portcullis_platform::passthrough::Impossible;
use uefi_raw::Status;

use crate::path::CHARACTERS;
use crate::source::Source;

/// Why nothing is started. The text says what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The firmware does not run at EL2.
    Level(u64),
    /// The CPU lacks the CRC32 instructions.
    NoCrc,
    /// The configuration table has no device tree.
    NoTree {
        /// It has ACPI's tables.
        acpi: bool,
    },
    /// What the configuration table calls a device tree is none.
    NotATree,
    /// The device tree does not describe a board that can be used.
    Facts(FactsError),
    /// The firmware does not tell its memory map.
    NoMap(Status),
    /// Nobody has brought a bundle.
    NoBundle,
    /// The bundle cannot be read.
    Unread {
        /// Where it would come from.
        source: Source,
        /// The firmware's word for why.
        status: Status,
    },
    /// The option `initrd=` names a path that is too long.
    LongPath,
    /// The bundle does not lie in RAM that the memory map gives away.
    Outside(Range),
    /// Something lies where EL2 maps nothing.
    OutOfReach {
        /// What it is.
        what: &'static str,
        /// Where it is.
        at: u64,
        /// Below which address it would have to be.
        reach: u64,
    },
    /// The bundle is broken.
    Bundle {
        /// Where it comes from.
        source: Source,
        /// What is wrong.
        error: BundleError,
    },
    /// As many bytes are not free for the hypervisor itself.
    NoHeap(u64),
    /// What is free is in more pieces than can be kept track of.
    Fragmented,
    /// Somebody asks for more memory than is left.
    NoRoom(NoRoom<'static>),
    /// A VM's kernel works with pages that the CPU lacks.
    Pages {
        /// The VM.
        vm: &'static str,
        /// The pages.
        pages: PageSize,
    },
    /// A VM asks for a core that the device tree does not list.
    NoSuchCore {
        /// The VM.
        vm: &'static str,
        /// The number of the core.
        core: usize,
        /// How many there are.
        cores: usize,
    },
    /// A VM cannot have a device.
    Device(Impossible),
    /// Boot services cannot be left. Nothing may be written to the console any more.
    NotLeft(Status),
}

impl Refusal {
    /// What the firmware, or the boot loader, is told.
    pub const fn status(&self) -> Status {
        match self {
            Self::Level(_) | Self::NoCrc | Self::NoTree { .. } => Status::UNSUPPORTED,
            Self::NotATree | Self::Facts(_) | Self::Outside(_) => Status::INCOMPATIBLE_VERSION,
            Self::NoBundle => Status::NOT_FOUND,
            Self::LongPath => Status::INVALID_PARAMETER,
            Self::Bundle { .. } => Status::LOAD_ERROR,
            Self::NoHeap(_) | Self::Fragmented | Self::NoRoom(_) | Self::OutOfReach { .. } => Status::OUT_OF_RESOURCES,
            Self::Pages { .. } | Self::NoSuchCore { .. } | Self::Device(_) => Status::UNSUPPORTED,
            Self::NoMap(status) | Self::Unread { status, .. } | Self::NotLeft(status) => *status,
        }
    }

    /// Whether it may be said by the firmware's console: not once boot services were to be left (UEFI 7.4.6).
    pub const fn can_be_said(&self) -> bool {
        !matches!(self, Self::NotLeft(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(
                f,
                "the firmware runs at EL{level}, and EL2 is needed; switch virtualization on in its setup (in QEMU: -machine \
                 virtualization=on)"
            ),
            Self::NoCrc => write!(f, "this CPU lacks the CRC32 instructions (FEAT_CRC32), which are needed"),
            Self::NoTree { acpi: true } => write!(
                f,
                "this machine describes itself by ACPI only, and a device tree is needed; choose it in the firmware's setup (in \
                 QEMU: -machine acpi=off), or load one by the boot loader's devicetree command"
            ),
            Self::NoTree { acpi: false } => write!(
                f,
                "the firmware's configuration table has no device tree; load one by the boot loader's devicetree command"
            ),
            Self::NotATree => {
                write!(f, "what the firmware's configuration table has for a device tree is none; load one that is")
            }
            Self::Facts(error) => write!(f, "device tree: {error}"),
            Self::NoMap(status) => write!(f, "the firmware does not tell its memory map (EFI status {:#x})", status.0),
            Self::NoBundle => write!(
                f,
                "there is no bundle; give one to the boot loader as initrd, by the option initrd=PATH, or as bundle.img beside \
                 the image"
            ),
            Self::Unread { source, status } => {
                write!(f, "the bundle, {source}, cannot be read (EFI status {:#x}); look whether it is there", status.0)
            }
            Self::LongPath => write!(
                f,
                "the option initrd= names a path of more than {CHARACTERS} characters; put the bundle where a shorter one leads"
            ),
            Self::Outside(Range { start, end }) => write!(
                f,
                "the bundle, {start:#x} to {end:#x}, is not in RAM that the firmware's memory map gives away; have the boot loader put \
                 it there"
            ),
            Self::OutOfReach { what, at, reach } => write!(
                f,
                "{what} lies at {at:#x}, and this version can use what lies below {reach:#x} only; have the firmware load it lower, or use \
                 less of the memory"
            ),
            Self::Bundle { source, error } => write!(f, "bundle, {source}: {error}"),
            Self::NoHeap(size) => write!(
                f,
                "no {} KiB of contiguous memory are free for the hypervisor in the firmware's memory map",
                size >> 10
            ),
            Self::Fragmented => {
                write!(f, "the firmware's memory map has free memory in more pieces than this version keeps track of")
            }
            Self::NoRoom(error) => write!(f, "{error} by the firmware's memory map"),
            Self::Pages { vm, pages } => {
                write!(f, "{vm}: its kernel has pages of {pages}, which this CPU lacks; take one with pages of 4 KiB")
            }
            Self::NoSuchCore { vm, core, cores } => {
                write!(f, "{vm} wants core {core}; this board has cores 0 to {}", cores.saturating_sub(1))
            }
            Self::Device(error) => error.fmt(f),
            Self::NotLeft(status) => write!(f, "boot services cannot be left (EFI status {:#x})", status.0),
        }
    }
}

impl core::error::Error for Refusal {}
