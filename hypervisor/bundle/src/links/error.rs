//! What can be wrong with what connects VMs.

use core::fmt;

use portcullis_abi::{bundle, map};

/// What is wrong with one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The name is empty, too long, has a character that names do not have, or another link of the kind has it.
    Name,
    /// A property that every link of the kind has is not there.
    Missing(&'static str),
    /// A property's value does not have the form that the format wants.
    Malformed(&'static str),
    /// A property or node that the format does not know.
    Unknown,
    /// A VM that does not exist, by its number.
    NoVm(usize),
    /// Both ends are the same VM's, or a VM is there twice.
    Same(usize),
    /// A line that no controller has.
    NoLine(usize),
    /// A line that another wire has.
    LineTaken {
        /// The VM.
        vm: usize,
        /// The line.
        line: usize,
    },
    /// An amount of memory that cannot be shared.
    Size(u64),
    /// A number of VMs that share it which is too small.
    Alone,
    /// A slot that no VM's transports have.
    NoSlot(usize),
    /// A slot that another device of the VM has.
    SlotTaken {
        /// The VM.
        vm: usize,
        /// The slot.
        slot: usize,
    },
    /// The address of a VM's port is that of many, or another port's.
    Mac(usize),
    /// A number of bytes that no packet may have at the most.
    Mtu(u32),
    /// A VM without a console, at which a port of its would be.
    NoConsole(usize),
    /// A disk has no source, or more than one.
    Source,
    /// A number of bytes that a disk cannot have, in blocks of so many.
    DiskSize {
        /// Bytes of the disk.
        size: u64,
        /// Bytes of a block.
        block: u32,
    },
    /// A number of bytes that no block of a disk may have.
    Block(u32),
    /// A time after which no request can have failed, in milliseconds.
    Timeout(u32),
    /// More links of the kind than there can be.
    TooMany(usize),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(
                f,
                "the name is wrong or there twice; it is 1 to {} characters of a-z, 0-9 and '-', the first one a letter, and its own",
                bundle::NAME_MAX
            ),
            Self::Missing(name) => write!(f, "\"{name}\" is missing; every one has it"),
            Self::Malformed(name) => write!(f, "\"{name}\" does not have the length or form that the format wants"),
            Self::Unknown => write!(f, "there is a property or node that format {} lacks", bundle::VERSION),
            Self::NoVm(vm) => write!(f, "{}{vm:x} does not exist; it leads from VM to VM", bundle::VM_NODE),
            Self::Same(vm) => write!(f, "{}{vm:x} has two ends of it; each end is another VM's", bundle::VM_NODE),
            Self::NoLine(line) => write!(f, "there is no line {line}; lines are 0 to {}", map::GPIO_LINES - 1),
            Self::LineTaken { vm, line } => {
                write!(f, "line {line} of {}{vm:x} has a wire already; each line has one", bundle::VM_NODE)
            }
            Self::Size(bytes) => {
                write!(
                    f,
                    "{bytes} bytes cannot be shared; it is a multiple of {} up to {}",
                    bundle::PAGE,
                    bundle::SHARED_SIZE_MAX
                )
            }
            Self::Alone => write!(f, "one VM alone has it; two at least do"),
            Self::NoSlot(slot) => write!(f, "there is no slot {slot}; slots are 0 to {}", map::VIRTIO_SLOTS - 1),
            Self::SlotTaken { vm, slot } => {
                write!(f, "slot {slot} of {}{vm:x} has a device already; each slot has one", bundle::VM_NODE)
            }
            Self::Mac(vm) => {
                write!(
                    f,
                    "the MAC address of {}{vm:x} is one of many or there twice; each port has its own",
                    bundle::VM_NODE
                )
            }
            Self::Mtu(mtu) => {
                write!(f, "an MTU of {mtu} bytes is none; it is from {} to {}", bundle::MTU_MIN, bundle::MTU_MAX)
            }
            Self::NoConsole(vm) => {
                write!(f, "{}{vm:x} has no \"{}\"; a VM with serial ports has one", bundle::VM_NODE, bundle::CONSOLE)
            }
            Self::Source => write!(
                f,
                "it has none of \"{}\", \"{}\" and \"{}\", or more than one; one says where its bytes are",
                bundle::IMAGE,
                bundle::SCRATCH,
                bundle::SERVER
            ),
            Self::DiskSize { size, block } => write!(
                f,
                "{size} bytes are no size of a disk; it is a multiple of {block}, one at least, up to {}",
                bundle::DISK_MAX
            ),
            Self::Block(bytes) => {
                write!(f, "blocks of {bytes} bytes; a block has {} or {}", bundle::BLOCKS[0], bundle::BLOCKS[1])
            }
            Self::Timeout(time) => {
                write!(f, "a timeout of {time} ms; it is {} to {} ms", bundle::TIMEOUT_MIN, bundle::TIMEOUT_MAX)
            }
            Self::TooMany(most) => write!(f, "there are more; {most} are the most"),
        }
    }
}

impl core::error::Error for LinkError {}
