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
//! let board = system::Board { name: "virt".to_owned(), cores: 4, memory: 2 << 30, forwards: false, time: true, cpu: None, ram:
//! None, devices: Vec::new() }; let manifest = system::Manifest::load(Path::new("system.toml"), &board, &images).unwrap();
//! system::bundle::write(&manifest, Path::new("bundle")).unwrap();
//! ```

mod attachments;
mod board;
pub mod bundle;
mod console;
mod cpu;
mod cycle;
mod diagnostic;
mod disk;
mod draft;
mod duration;
mod files;
mod firmware;
mod flash;
mod hardware;
mod image;
mod key;
mod memory;
mod movable;
mod network;
mod piece;
mod placement;
mod ram;
mod schedule;
mod section;
mod serial;
mod settings;
mod shared_memory;
mod slice;
mod store;
mod summary;
mod suspend;
mod system;
mod transports;
mod vm;
mod watchdog;
mod wire;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use toml::de::DeTable;

pub use board::{Board, Cpu};
pub use diagnostic::{Diagnostic, Report};
pub use disk::{Disk, Served, Source};
pub use files::Images;
pub use firmware::{Action, Filter, Firmware};
pub use image::Image;
pub use network::Network;
pub use ram::{Ram, Tree};
pub use schedule::{Core, Window};
pub use serial::Serial;
pub use shared_memory::SharedMemory;
pub use system::HYPERVISOR_MEMORY;
pub use vm::Vm;
pub use wire::Wire;

use cycle::CoreDraft;
use diagnostic::Diagnostics;
use disk::DiskDraft;
use draft::Draft;
use network::NetworkDraft;
use piece::Piece;
use section::Section;
use serial::SerialDraft;
use shared_memory::SharedMemoryDraft;
use transports::Transports;
use wire::WireDraft;

/// One system, checked.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Name of the VM that manages the others.
    pub control: Option<String>,
    /// The VMs in the manifest's order.
    pub vms: Vec<Vm>,
    /// The cores with a cyclic schedule, in the order of their numbers; all others are shared by round robin.
    pub cores: Vec<Core>,
    /// The wires between VMs.
    pub wires: Vec<Wire>,
    /// The memory that VMs share.
    pub shared_memory: Vec<SharedMemory>,
    /// The networks between VMs.
    pub networks: Vec<Network>,
    /// The pairs of serial ports between VMs.
    pub serials: Vec<Serial>,
    /// By VM: the slot of its console's virtio transport, if it has serial ports, that of the control VM included.
    pub consoles: Vec<Option<usize>>,
    /// The disks of VMs.
    pub disks: Vec<Disk>,
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
                _ => {
                    "a manifest is TOML: lines of `key = value` under [machine], [[vm]], [vm.firmware], [[core]], [[wire]], [[shared-memory]], [[network]], [[serial]] and [[disk]]"
                }
            };
            diagnostics.error(error.span().unwrap_or(0..0), error.message(), help);
        }
        return None;
    }

    let root = Section::new(&key::ROOT, 0..0, document.get_ref(), diagnostics);
    let machine = root.section("machine", &key::MACHINE, diagnostics);
    let control = machine.as_ref().and_then(|machine| machine.string("control", diagnostics));
    let port = machine.as_ref().and_then(|machine| machine.spanned_boolean("control-port", diagnostics));
    root.require("vm", diagnostics);
    let sections = root.sections("vm", &key::VM, diagnostics);
    let mut drafts: Vec<Draft> = sections.iter().map(|section| Draft::read(section, diagnostics)).collect();
    for draft in &mut drafts {
        files::load(draft, folder, images, diagnostics);
        placement::check(draft, board, diagnostics);
    }
    let cores = root.sections("core", &key::CORE, diagnostics);
    let cores: Vec<CoreDraft> = cores.iter().map(|section| CoreDraft::read(section, diagnostics)).collect();
    let wires = root.sections("wire", &key::WIRE, diagnostics);
    let wires: Vec<WireDraft> = wires.iter().map(|section| WireDraft::read(section, diagnostics)).collect();
    let shared = root.sections("shared-memory", &key::SHARED_MEMORY, diagnostics);
    let shared: Vec<SharedMemoryDraft> =
        shared.iter().map(|section| SharedMemoryDraft::read(section, diagnostics)).collect();
    let networks = root.sections("network", &key::NETWORK, diagnostics);
    let networks: Vec<NetworkDraft> = networks.iter().map(|section| NetworkDraft::read(section, diagnostics)).collect();
    let serials = root.sections("serial", &key::SERIAL, diagnostics);
    let serials: Vec<SerialDraft> = serials.iter().map(|section| SerialDraft::read(section, diagnostics)).collect();
    let disks = root.sections("disk", &key::DISK, diagnostics);
    let mut read = |section| DiskDraft::read(section, board, folder, images, diagnostics);
    let disks: Vec<DiskDraft> = disks.iter().map(&mut read).collect();
    let shared_pieces = shared.iter().filter_map(SharedMemoryDraft::piece);
    let pieces: Vec<Piece> = shared_pieces.chain(disks.iter().filter_map(DiskDraft::piece)).collect();
    let contents: Vec<&Image> = disks.iter().filter_map(DiskDraft::image).collect();
    system::check(control.as_ref(), &drafts, board, diagnostics);
    attachments::check(control.as_ref(), &drafts, &shared, diagnostics);
    system::memory(&drafts, &pieces, &contents, board, diagnostics);
    let wires = wire::wires(&wires, &drafts, diagnostics);
    let shared_memory = shared_memory::shared_memory(&shared, &drafts, diagnostics);
    let mut transports = Transports::of(&drafts, board);
    let serials = serial::serials(&serials, &drafts, diagnostics);
    let ends = |(serial, span): &(Serial, diagnostic::Span)| serial.vms.map(|vm| (vm, span.clone()));
    let disks = disk::disks(disks, &drafts, diagnostics);
    let served = disks.iter().filter_map(|(disk, span)| Some((disk.server()?, span.clone())));
    let ports: Vec<_> = serials.iter().flat_map(ends).chain(served).collect();
    let controls = system::control_port(control.as_ref(), port.as_ref(), &drafts, diagnostics);
    let managing = control.as_ref().and_then(|control| system::position(control, &drafts));
    let consoles = console::consoles(&ports, controls.as_ref(), managing, &drafts, &mut transports, diagnostics);
    let networks = network::networks(&networks, &drafts, &mut transports, diagnostics);
    let disks = disk::place(disks, &mut transports, diagnostics);
    let cores = schedule::cores(&cores, &drafts, board, diagnostics);

    let vms = drafts.into_iter().map(Draft::finish).collect::<Option<Vec<Vm>>>()?;
    Some(Manifest {
        control: control.map(toml::Spanned::into_inner),
        vms,
        cores,
        wires,
        shared_memory,
        networks,
        serials: serials.into_iter().map(|(serial, _)| serial).collect(),
        consoles,
        disks,
    })
}
