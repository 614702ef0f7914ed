//! What is known of the board that a manifest is read for.

use portcullis_board::device::Device;

use crate::ram::Ram;

/// The board for which a manifest is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its name, for messages.
    pub name: String,
    /// Number of its cores; they are numbered from 0.
    pub cores: u32,
    /// Bytes of its RAM, all of it.
    pub memory: u64,
    /// Whether firmware at EL3 takes forwarded calls there, or may, as far as is known.
    pub forwards: bool,
    /// Whether it knows the time of day, or may, as far as is known.
    pub time: bool,
    /// What is known of its cores.
    pub cpu: Option<Cpu>,
    /// Where its RAM lies and what is in it at boot, if that is known.
    pub ram: Option<Ram>,
    /// Devices that VMs may be given, as far as they are known: where they are, and their interrupts.
    pub devices: Vec<Device>,
}

/// A model of CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Its name, for messages.
    pub name: &'static str,
    /// Its ID_AA64MMFR0_EL1, which tells its page sizes.
    pub memory_model: u64,
}
