//! Why a machine cannot start, in words.

use core::fmt;

use portcullis_board::Range;
use portcullis_bundle::BundleError;
use portcullis_core::life::cores::UnfitCores;
use portcullis_core::life::create::CreateError;
use portcullis_core::life::shared_memory::SharedMemoryError;
use portcullis_core::links::disk::DiskError;
use portcullis_core::run::assign::NoSuchCore;
use portcullis_platform::assemble::BoardError;
use portcullis_platform::facts::FactsError;
use portcullis_platform::passthrough::Impossible;

/// Why a core does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Whoever starts cores refuses, with this code of PSCI's (DEN0022, section 5.2.2).
    Refused(i64),
    /// It was started, and has not been heard of for so many seconds.
    Silent(u64),
    /// It cannot be used.
    Unfit,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "which does not start: code {code} of PSCI's"),
            Self::Silent(seconds) => write!(f, "which was started and has not come within {seconds} s"),
            Self::Unfit => write!(f, "which cannot be used, as a line above says"),
        }
    }
}

/// Why the machine cannot start.
pub enum Stop {
    /// It was entered at this exception level.
    Level(u64),
    /// The device tree begins here, where it cannot be mapped.
    FarTree(usize),
    /// There is no device tree where x0 points.
    NoTree(usize),
    /// There is a list of ATAGs where x0 points.
    Atags(usize),
    /// The CPU lacks the CRC32 instructions.
    NoCrc,
    /// The device tree does not describe a board that can be used.
    Facts(FactsError),
    /// The board cannot be driven.
    Board(BoardError),
    /// The memory is in more pieces than can be kept track of.
    Fragmented,
    /// No memory is left for the hypervisor itself.
    NoRoom(u64),
    /// A range cannot be mapped.
    Unmappable(Range),
    /// The core that this runs on is not in the device tree.
    UnknownCore(u64),
    /// No bundle was loaded.
    NoBundle,
    /// The bundle does not lie in the RAM of the device tree.
    BundleOutside(Range),
    /// The bundle is broken.
    Bundle(BundleError),
    /// A VM cannot run on its cores.
    Cores(UnfitCores),
    /// A VM asks for a core that the board lacks.
    NoSuchCore(NoSuchCore),
    /// A core that a VM has does not come.
    CoreMissing { vm: &'static str, core: usize, why: Missing },
    /// The core that this runs on cannot be used.
    BootCoreUnfit(usize),
    /// There is not enough memory at EL2 for so many vCPUs.
    NoRoomForVcpus { count: usize, wanted: usize, free: u64 },
    /// A VM cannot have a device.
    Device(Impossible),
    /// A VM cannot be made.
    Vm(CreateError),
    /// VMs cannot share memory as they are to.
    SharedMemory(SharedMemoryError),
    /// A VM cannot have a disk.
    Disk(DiskError),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(1) => write!(
                f,
                "the image was entered at EL1, and EL2 is needed: the firmware or boot loader keeps EL2 for itself or has left it; in \
                 QEMU, -machine virtualization=on gives it"
            ),
            Self::Level(level) => write!(
                f,
                "the image was entered at EL{level}, and EL2 is needed: have firmware such as TF-A start it, as BL33"
            ),
            Self::FarTree(at) => write!(
                f,
                "the device tree begins at {at:#x}, beyond the 512 GiB that can be mapped; have the boot loader put it lower"
            ),
            Self::NoTree(at) => write!(f, "there is no device tree at {at:#x}; x0 must hold its address at entry"),
            Self::Atags(at) => {
                write!(f, "there is no device tree, but a list of ATAGs at {at:#x}; the firmware needs a .dtb file")
            }
            Self::NoCrc => write!(f, "this CPU lacks the CRC32 instructions (FEAT_CRC32), which are needed"),
            Self::Facts(error) => write!(f, "device tree: {error}"),
            Self::Board(error) => error.fmt(f),
            Self::Fragmented => write!(f, "the board's memory is in more pieces than this version keeps track of"),
            Self::NoRoom(size) => write!(f, "no {} KiB of contiguous memory are free for the hypervisor", size >> 10),
            Self::Unmappable(range) => CreateError::Unmappable(*range).fmt(f),
            Self::UnknownCore(affinity) => write!(f, "device tree: no cpu node has reg {affinity:#x}, this core's"),
            Self::NoBundle => write!(f, "there is no bundle; load one as initrd, or as a multiboot ramdisk module"),
            Self::BundleOutside(Range { start, end }) => {
                write!(f, "the bundle, {start:#x} to {end:#x}, reaches beyond the RAM that the device tree tells of")
            }
            Self::Bundle(error) => write!(f, "bundle: {error}"),
            Self::Cores(error) => error.fmt(f),
            Self::NoSuchCore(none) => none.fmt(f),
            Self::CoreMissing { vm, core, why } => {
                write!(f, "{vm} has core {core}, {why}; give {vm} other cores, or the board another device tree")
            }
            Self::BootCoreUnfit(core) => {
                write!(f, "core {core}, on which this was started, cannot be used, as a line above says")
            }
            Self::NoRoomForVcpus { count, wanted, free } => write!(
                f,
                "{count} vCPUs need {} KiB at EL2, of which {} are free; give the VMs fewer",
                wanted.div_ceil(1024),
                free >> 10
            ),
            Self::Device(impossible) => impossible.fmt(f),
            Self::Vm(error) => error.fmt(f),
            Self::SharedMemory(error) => error.fmt(f),
            Self::Disk(error) => error.fmt(f),
        }
    }
}
