//! A VM as a manifest describes it, once everything in it is right.

use portcullis_abi::state::Cpu;
use portcullis_board::SocId;
use portcullis_bundle::Settings;
use portcullis_bundle::implementations::Implementation;

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
    /// What of it is a flag, a number or a choice.
    pub settings: Settings,
    /// Device tree paths of the devices passed through to it.
    pub devices: Vec<String>,
    /// CPUs of boards to which it may move.
    pub implementations: Vec<Implementation>,
    /// The registers of the CPU that it is shown; none for its cores' own.
    pub cpu: Option<Cpu>,
    /// The SoC that it is told of, in place of the board's.
    pub soc: Option<SocId>,
    /// Its firmware registers; none for the defaults.
    pub firmware: Option<Firmware>,
}
