//! The manifest: the TOML description of one system. Reading it reports everything that is wrong at once, each with its
//! place and with what would be right; a [`Manifest`] that exists is right for the [`Board`] it was read for. What it becomes, the
//! file that the hypervisor reads at boot, is in [`bundle`].
//!
//! # Example
//!
//! ```no_run
//! use std::path::Path;
//!
//! # struct NoGuests;
//! # impl system::Images for NoGuests {
//! #     fn names(&self) -> Vec<String> { Vec::new() }
//! #     fn kernel(&self, _: &str) -> Result<Option<std::path::PathBuf>, Box<dyn std::error::Error + Send + Sync>> { Ok(None) }
//! #     fn initrd(&self, _: &str) -> Result<Option<std::path::PathBuf>, Box<dyn std::error::Error + Send + Sync>> { Ok(None) }
//! # }
//! # let images = NoGuests;
//! let board = system::Board { name: "virt".to_owned(), cores: 4, memory: 2 << 30, forwards: false, time: true, cpu: None, ram: None };
//! let manifest = system::Manifest::load(Path::new("system.toml"), &board, &images).unwrap();
//! system::bundle::write(&manifest, Path::new("bundle")).unwrap();
//! ```

pub mod bundle;
mod cycle;
mod diagnostic;
mod draft;
mod duration;
mod firmware;
mod form;
mod image;
mod key;
mod memory;
mod placement;
mod ram;
mod schedule;
mod section;
mod slice;
mod summary;
mod system;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use diagnostic::{Diagnostic, Report};
pub use firmware::{Action, Filter, Firmware};
pub use image::Image;
pub use ram::{Ram, Tree};
pub use schedule::{Core, Window};
pub use system::HYPERVISOR_MEMORY;

use cycle::CoreDraft;
use diagnostic::Diagnostics;
use draft::Draft;
use section::Section;

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
}

/// A model of CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Its name, for messages.
    pub name: &'static str,
    /// Its ID_AA64MMFR0_EL1, which tells its page sizes.
    pub memory_model: u64,
}

/// The guests that the project knows by name.
pub trait Images {
    /// Every known name, for messages.
    fn names(&self) -> Vec<String>;

    /// The kernel of the guest `name`; none if no guest has this name.
    ///
    /// # Errors
    ///
    /// Why the kernel of this known guest cannot be had.
    fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>>;

    /// The initial RAM disk of the guest `name`; none if no guest has this name, or if it needs none.
    ///
    /// # Errors
    ///
    /// Why the RAM disk of this known guest cannot be had.
    fn initrd(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>>;
}

/// One system, checked.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Name of the VM that manages the others.
    pub control: Option<String>,
    /// The VMs in the manifest's order.
    pub vms: Vec<Vm>,
    /// The cores with a cyclic schedule, in the order of their numbers; all others are shared by round robin.
    pub cores: Vec<Core>,
}

/// One VM.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Its name, in the form that `portcullis_abi::bundle::NAME` describes.
    pub name: String,
    /// Its kernel.
    pub kernel: Image,
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

impl Manifest {
    /// Reads the manifest at `path` with the files that it names.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, or why the file could not be read.
    pub fn load(path: &Path, board: &Board, images: &dyn Images) -> Result<Self, Report> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| {
            let help = "name a manifest that exists and can be read";
            Report::unreadable(&file, format!("the manifest cannot be read: {error}"), help)
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&file, &text, folder, board, images),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let mut diagnostics = Diagnostics::new(&text);
                diagnostics.error(start..start, "this byte is not UTF-8 text", "save the manifest as UTF-8");
                Err(diagnostics.into_report(&file))
            }
        }
    }

    /// Reads the manifest `text`, called `file` in messages, whose relative paths start at `folder`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(file: &str, text: &str, folder: &Path, board: &Board, images: &dyn Images) -> Result<Self, Report> {
        let mut diagnostics = Diagnostics::new(text);
        let manifest = read(text, folder, board, images, &mut diagnostics);
        match manifest {
            Some(manifest) if diagnostics.is_empty() => Ok(manifest),
            _ => Err(diagnostics.into_report(file)),
        }
    }
}

/// Reads and checks in steps; none, with at least one error reported, if the text does not make a system.
fn read(
    text: &str,
    folder: &Path,
    board: &Board,
    images: &dyn Images,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Manifest> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was recovered is a guess, so nothing more is said about it.
        for error in errors {
            let help = match error.message() {
                "duplicate key" => "write each key once; a further VM starts with a further [[vm]]",
                _ => "a manifest is TOML: lines of `key = value` under [machine], [[vm]], [vm.firmware] and [[core]]",
            };
            diagnostics.error(error.span().unwrap_or(0..0), error.message(), help);
        }
        return None;
    }

    let root = Section::new(&key::ROOT, 0..0, document.get_ref(), diagnostics);
    let control =
        root.section("machine", &key::MACHINE, diagnostics).and_then(|machine| machine.string("control", diagnostics));
    root.require("vm", diagnostics);
    let sections = root.sections("vm", &key::VM, diagnostics);
    let mut drafts: Vec<Draft> = sections.iter().map(|section| Draft::read(section, diagnostics)).collect();
    for draft in &mut drafts {
        image::load(draft, folder, images, diagnostics);
        placement::check(draft, board, diagnostics);
    }
    let cores = root.sections("core", &key::CORE, diagnostics);
    let cores: Vec<CoreDraft> = cores.iter().map(|section| CoreDraft::read(section, diagnostics)).collect();
    system::check(control.as_ref(), &drafts, board, diagnostics);
    let cores = schedule::cores(&cores, &drafts, board, diagnostics);

    let vms = drafts.into_iter().map(Draft::finish).collect::<Option<Vec<Vm>>>()?;
    Some(Manifest { control: control.map(toml::Spanned::into_inner), vms, cores })
}
