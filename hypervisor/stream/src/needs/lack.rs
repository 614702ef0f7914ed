//! What a machine lacks for a saved VM.

use core::fmt;

use portcullis_abi::state::Unfit;
use portcullis_gate::SetError;

use super::link::Link;
use super::name::text;

/// The first thing that this machine, or the VM that was created on it, cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A number is another one.
    Other {
        /// What it counts or is.
        what: &'static str,
        /// What was saved.
        saved: u64,
        /// What there is here.
        here: u64,
    },
    /// There are fewer of something.
    Less {
        /// Of what.
        what: &'static str,
        /// How many the VM needs.
        saved: u64,
        /// How many there are here.
        here: u64,
    },
    /// There is no such device.
    Device(&'static str),
    /// There is such a device, and there was none.
    NoDevice(&'static str),
    /// There is no device in the virtio transport with this number.
    Transport(u32),
    /// Another device is in a virtio transport.
    Link {
        /// The transport's number.
        transport: u32,
        /// What was saved.
        saved: Link,
        /// What there is here.
        here: Link,
        /// What must be the same.
        what: &'static str,
    },
    /// A port of the console is another one.
    Port {
        /// Its number.
        number: u32,
        /// The name of the one that was saved.
        name: [u8; 32],
    },
    /// A line of the PL061 has another wire.
    Wire {
        /// The line.
        line: u32,
        /// The name of the wire that was there.
        name: [u8; 32],
        /// The VM drove it.
        drives: bool,
    },
    /// What it says of a device is not taken on.
    Unfit(Unfit),
    /// A firmware register cannot have its value.
    Register(SetError),
    /// There is no firmware at EL3 for the range of the filter that begins with this function identifier.
    Forward(u32),
    /// The CPU is another implementation, of which the VM was not told.
    Implementation {
        /// The vCPU.
        vcpu: u32,
        /// Which register tells: MIDR_EL1, REVIDR_EL1 or AIDR_EL1.
        register: &'static str,
        /// What was saved.
        saved: u64,
        /// What there is here.
        here: u64,
    },
    /// The CPU lacks a feature that the VM was shown.
    Feature {
        /// The vCPU.
        vcpu: u32,
        /// The register.
        register: &'static str,
        /// Its lowest bit of the field.
        bit: u32,
        /// The field as it was saved.
        saved: u64,
        /// The field as it is here.
        here: u64,
    },
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { what, saved, here } => {
                write!(
                    f,
                    "the saved VM has {saved} (0x{saved:x}) {what}, this one {here} (0x{here:x}): they must be the same"
                )
            }
            Self::Less { what, saved, here } => write!(f, "the saved VM needs {saved} {what}; there are {here} here"),
            Self::Device(what) => write!(f, "the saved VM has a {what}; this one must have one too"),
            Self::NoDevice(what) => write!(f, "the saved VM has no {what}; this one must have none either"),
            Self::Transport(slot) => {
                write!(f, "the saved VM has a device in virtio transport {slot}; this one must have the same there")
            }
            Self::Link { transport, saved, here, what } => {
                write!(f, "the saved VM has {saved} in virtio transport {transport}, this one {here}: {what}")
            }
            Self::Port { number, name } => write!(
                f,
                "the saved VM has serial port \"{}\" as port {number} of its console; this one must have the same there, by the order of \
                 the links in its manifest",
                text(name)
            ),
            Self::Wire { line, name, drives } => write!(
                f,
                "the saved VM has {} of wire \"{}\" at line {line}; this one must have the same there",
                if *drives { "the beginning" } else { "the end" },
                text(name)
            ),
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Register(error) => error.fmt(f),
            Self::Forward(first) => write!(
                f,
                "the filter range from {first:#010x} on goes to firmware at EL3, and there is none here that it could go to"
            ),
            Self::Implementation { vcpu, register, saved, here } => write!(
                f,
                "vCPU {vcpu}: {register} was {saved:#x} and is {here:#x} here; a VM can move there that has both bits of \
                 VENDOR_HYP_2 and was told of both CPUs (`implementations` in its manifest)"
            ),
            Self::Feature { vcpu, register, bit, saved, here } => write!(
                f,
                "vCPU {vcpu}: {register} has {here:#x} from bit {bit} on here; the VM was shown {saved:#x} and may go by that"
            ),
        }
    }
}

impl core::error::Error for Lack {}
