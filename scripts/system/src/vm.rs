//! A VM as a manifest describes it, once everything in it is right.

use crate::firmware::Firmware;
use crate::image::Image;

/// One VM.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Its name, in the form that `portcullis_abi::bundle::NAME` describes.
    pub name: String,
    /// Its kernel; none: it starts in flash.
    pub kernel: Option<Image>,
    /// The files of its banks of flash, none, of the first or of both; none at all: it has no flash.
    pub flash: Option<Vec<Image>>,
    /// Its initial RAM disk.
    pub initrd: Option<Image>,
    /// Its kernel's command line.
    pub cmdline: String,
    /// Bytes of its RAM.
    pub memory: u64,
    /// Address of its kernel in its RAM, if not as the image says.
    pub load: Option<u64>,
    /// Whether its device tree lies at the start of its RAM.
    pub tree_low: bool,
    /// The physical core of each vCPU; several may share one.
    pub cores: Vec<u32>,
    /// Microseconds of each vCPU's time slice.
    pub slices: Vec<u32>,
    /// Whether it starts with the machine.
    pub autostart: bool,
    /// Whether it is audited: it runs with everything that the board supports, and what it uses is noted.
    pub audit: bool,
    /// Whether an access that reaches nothing ends it, in place of the abort that a board would report to it.
    pub stop_on_fault: bool,
    /// How often it starts again when it fails; 0 is never.
    pub restart_limit: u32,
    /// Its open conduits, as in `portcullis_abi::bundle::CONDUITS`.
    pub conduits: u32,
    /// What it may do to the machine, as in `portcullis_abi::bundle::MACHINE`.
    pub machine: u32,
    /// Device tree paths of the devices passed through to it.
    pub devices: Vec<String>,
    /// Whether devices that can master the bus may be among them.
    pub trust_dma: bool,
    /// Whether it has a real-time clock; none: if the machine knows the time of day when it starts.
    pub rtc: Option<bool>,
    /// The generated device tree has seeds, if the VM is offered TRNG and the board has entropy.
    pub kaslr: bool,
    /// Its firmware registers; none for the defaults.
    pub firmware: Option<Firmware>,
}
