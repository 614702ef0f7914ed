//! `[[disk]]`: a disk that a VM has, made of a file, of RAM, or of what another VM serves.

use std::path::Path;

use portcullis_abi::bundle::{BLOCKS, DISK_MAX, EXPORT_MAX, TIMEOUT_DEFAULT, TIMEOUT_MAX, TIMEOUT_MIN};
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::piece::Piece;
use super::section::Section;
use super::transports::Transports;
use super::{Board, Image, Images, duration, files, memory, system, wire};

/// The keys that say where a disk's bytes are.
const SOURCES: [&str; 3] = ["image", "scratch", "served-by"];
/// The keys of a disk that another VM serves.
const OF_SERVED: [&str; 4] = ["size", "read-only", "export", "timeout"];
/// Microseconds of a millisecond.
const MILLISECOND: u64 = 1_000;

/// A disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its name.
    pub name: String,
    /// Number of the VM that has it.
    pub vm: usize,
    /// Slot of its virtio transport.
    pub slot: usize,
    /// Bytes of a block.
    pub block: u32,
    /// Where its bytes are.
    pub source: Source,
}

impl Disk {
    /// Number of the VM that serves it, if one does: it has a serial port for that.
    pub const fn server(&self) -> Option<usize> {
        match &self.source {
            Source::Served(served) => Some(served.server),
            Source::Image(_) | Source::Scratch(_) => None,
        }
    }
}

/// Where the bytes of a disk are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a file, which goes into the bundle.
    Image(Image),
    /// In so many bytes of RAM.
    Scratch(u64),
    /// With another VM.
    Served(Served),
}

/// What another VM serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its number.
    pub server: usize,
    /// Bytes of the disk.
    pub size: u64,
    /// It is only read.
    pub read_only: bool,
    /// What the server calls it.
    pub export: String,
    /// Milliseconds after which a request has failed.
    pub timeout: u32,
}

/// A `[[disk]]` as it stands in the manifest. What is none was missing or wrong, and that has been reported, or it is optional.
pub struct DiskDraft {
    span: Span,
    name: Option<Spanned<String>>,
    vm: Option<Spanned<String>>,
    block: u32,
    source: Option<SourceDraft>,
}

enum SourceDraft {
    Image(Image),
    Scratch(u64),
    Served { server: Spanned<String>, size: u64, read_only: bool, export: String, timeout: u32 },
}

impl DiskDraft {
    /// Reads `section`, and the file that it names; whatever is wrong inside it is reported.
    pub fn read(
        section: &Section<'_>,
        board: &Board,
        folder: &Path,
        images: &dyn Images,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Self {
        section.require("name", diagnostics);
        section.require("vm", diagnostics);
        let block = block(section, diagnostics);
        let source = match one_source(section, diagnostics) {
            Some("image") => image(section, block, board, folder, images, diagnostics).map(SourceDraft::Image),
            Some("scratch") => size(section, "scratch", block, diagnostics).map(SourceDraft::Scratch),
            Some(_) => served(section, block, diagnostics),
            None => None,
        };
        let (name, vm) = (wire::name(section, diagnostics), section.string("vm", diagnostics));
        Self { span: section.span.clone(), name, vm, block, source }
    }

    /// The RAM that it takes, if it does.
    pub fn piece(&self) -> Option<Piece> {
        let (name, source) = (self.name.as_ref()?.get_ref(), self.source.as_ref()?);
        let SourceDraft::Scratch(size) = source else { return None };
        Some(Piece::new(self.span.clone(), format!("disk {name:?}"), *size))
    }

    /// The file that it is made of, if it is.
    pub const fn image(&self) -> Option<&Image> {
        match &self.source {
            Some(SourceDraft::Image(image)) => Some(image),
            _ => None,
        }
    }

    /// Resolves the names of VMs; the disk's slot is yet to be chosen.
    fn finish(self, vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Option<Disk> {
        let vm = self.vm.and_then(|vm| Some((system::vm_of(&vm, vms, diagnostics)?, vm)));
        let source = match self.source? {
            SourceDraft::Image(image) => Source::Image(image),
            SourceDraft::Scratch(size) => Source::Scratch(size),
            SourceDraft::Served { server: name, size, read_only, export, timeout } => {
                let server = system::vm_of(&name, vms, diagnostics)?;
                if vm.as_ref().is_some_and(|(vm, _)| *vm == server) {
                    let message = format!("{:?} would serve itself", name.get_ref());
                    diagnostics.error(name.span(), message, "name another VM, in which a server runs");
                }
                Source::Served(Served { server, size, read_only, export, timeout })
            }
        };
        Some(Disk { name: self.name?.into_inner(), vm: vm?.0, slot: 0, block: self.block, source })
    }
}

/// The only key that says where the disk's bytes are; none if there is not one, which is reported.
fn one_source(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<&'static str> {
    let mut given: Vec<_> = SOURCES.into_iter().filter_map(|key| Some((key, section.value(key)?.span()))).collect();
    given.sort_by_key(|(_, span)| span.start);
    let Some((source, _)) = given.first() else {
        let help = r#"say where its bytes are: `image = "data.img"`, `scratch = "64M"` or `served-by = "linux-b"`"#;
        diagnostics.error(section.span.clone(), "a disk without a source", help);
        return None;
    };
    if let Some((second, span)) = given.get(1) {
        let message = format!("a disk with `{source}` and `{second}`");
        diagnostics.error(span.clone(), message, "leave one of them out: a disk has one source");
        return None;
    }
    if *source != "served-by" {
        for key in OF_SERVED {
            let Some(value) = section.value(key) else { continue };
            let help = match (key, *source) {
                ("size", "image") => "leave it out: a disk is as large as its image",
                ("size", _) => "leave it out: the amount stands behind `scratch`",
                ("read-only", "image") => "leave it out: an image is only read",
                _ => "leave it out, or have another VM serve the disk: `served-by`",
            };
            diagnostics.error(value.span(), format!("`{key}` is for a disk with `served-by`"), help);
        }
    }
    Some(*source)
}

fn block(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> u32 {
    let Some(bytes) = section.number("block-size", diagnostics) else { return BLOCKS[0] };
    let known = BLOCKS.into_iter().find(|block| u64::from(*block) == *bytes.get_ref());
    known.unwrap_or_else(|| {
        let message = format!("blocks of {} bytes", bytes.get_ref());
        diagnostics.error(bytes.span(), message, format!("`block-size` is {} or {}", BLOCKS[0], BLOCKS[1]));
        BLOCKS[0]
    })
}

/// The amount at `key`, which is a whole number of blocks.
fn size(section: &Section<'_>, key: &str, block: u32, diagnostics: &mut Diagnostics<'_>) -> Option<u64> {
    let amount = section.amount(key, diagnostics)?;
    let bytes = *amount.get_ref();
    let (message, help) = match bytes {
        0 => ("a disk of no bytes".to_owned(), format!("write it like {key} = \"64M\"")),
        1..=DISK_MAX if bytes.is_multiple_of(block.into()) => return Some(bytes),
        1..=DISK_MAX => (format!("{bytes} bytes are no whole number of blocks"), nearest(bytes, block)),
        _ => (format!("a disk of {}", memory::show(bytes)), format!("{} is the most", memory::show(DISK_MAX))),
    };
    diagnostics.error(amount.span(), message, help);
    None
}

/// What would be right in the place of a size that is not.
fn nearest(bytes: u64, block: u32) -> String {
    let below = bytes - bytes % u64::from(block);
    let above = below.saturating_add(block.into());
    match below {
        0 => format!("a block has {block} bytes: {above} is the least"),
        _ => format!("a block has {block} bytes: the nearest sizes are {below} and {above}"),
    }
}

fn image(
    section: &Section<'_>,
    block: u32,
    board: &Board,
    folder: &Path,
    images: &dyn Images,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Image> {
    let name = section.string("image", diagnostics)?;
    if name.get_ref().is_empty() || name.get_ref().contains('\0') {
        diagnostics.error(name.span(), "`image` names no file", "name a file, as `image = \"data.img\"`");
        return None;
    }
    let image = files::disk(&name, board.memory, folder, images, diagnostics)?;
    let bytes = image.bytes.len() as u64;
    if !bytes.is_multiple_of(block.into()) {
        let message = format!("{:?} has {bytes} bytes, no whole number of blocks", image.path.display().to_string());
        let help = format!("{}; `truncate -s %{block} FILE` fills it up with zeros", nearest(bytes, block));
        diagnostics.error(name.span(), message, help);
        return None;
    }
    Some(image)
}

fn served(section: &Section<'_>, block: u32, diagnostics: &mut Diagnostics<'_>) -> Option<SourceDraft> {
    if section.value("size").is_none() {
        let help =
            "add a line like `size = \"64M\"`: the VM may look at its disk before the server is there to be asked";
        diagnostics.error(section.span.clone(), "a served disk without `size`", help);
    }
    let size = size(section, "size", block, diagnostics);
    let read_only = section.boolean("read-only", diagnostics).unwrap_or(false);
    let export = section.string("export", diagnostics).map(|export| {
        let text = export.get_ref();
        if text.len() > EXPORT_MAX || text.chars().any(char::is_control) {
            let help = format!("it has {EXPORT_MAX} bytes at the most, all of them printable");
            diagnostics.error(export.span(), format!("{text:?} cannot be the name of an export"), help);
        }
        export.into_inner()
    });
    let timeout = timeout(section, diagnostics);
    let server = section.string("served-by", diagnostics)?;
    Some(SourceDraft::Served { server, size: size?, read_only, export: export.unwrap_or_default(), timeout })
}

/// Milliseconds after which a request has failed.
fn timeout(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> u32 {
    let Some(value) = section.value("timeout") else { return TIMEOUT_DEFAULT };
    let DeValue::String(text) = value.get_ref() else {
        return section.wrong_type("timeout", value, "a time like \"30s\"", diagnostics).unwrap_or(TIMEOUT_DEFAULT);
    };
    let Some(time) = duration::parse(text) else {
        let help = r#"write a whole number of ms or s, like "500ms" or "30s""#;
        diagnostics.error(value.span(), format!("{text:?} is not a time"), help);
        return TIMEOUT_DEFAULT;
    };
    match u32::try_from(time / MILLISECOND) {
        Ok(short @ TIMEOUT_MIN..=TIMEOUT_MAX) if time.is_multiple_of(MILLISECOND) => short,
        _ => {
            let [least, most] = [TIMEOUT_MIN, TIMEOUT_MAX].map(|time| duration::show(u64::from(time) * MILLISECOND));
            let message = format!("a timeout of {}", duration::show(time));
            diagnostics.error(value.span(), message, format!("it is {least} to {most}, in whole milliseconds"));
            TIMEOUT_DEFAULT
        }
    }
}

/// The disks of `vms`, each with its place; their slots are yet to be chosen. Whatever does not fit is reported.
pub fn disks(drafts: Vec<DiskDraft>, vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Vec<(Disk, Span)> {
    wire::once("disk", drafts.iter().filter_map(|draft| draft.name.as_ref()), diagnostics);
    let mut finish = |draft: DiskDraft| {
        let span = draft.span.clone();
        Some((draft.finish(vms, diagnostics)?, span))
    };
    drafts.into_iter().filter_map(&mut finish).collect()
}

/// The disks, each in the next of its VM's `transports`. One that has none left is reported.
pub fn place(disks: Vec<(Disk, Span)>, transports: &mut Transports, diagnostics: &mut Diagnostics<'_>) -> Vec<Disk> {
    let mut place = |(disk, span): (Disk, Span)| {
        let slot = transports.take(disk.vm, &span, "leave a disk out", diagnostics).unwrap_or(disk.slot);
        Disk { slot, ..disk }
    };
    disks.into_iter().map(&mut place).collect()
}
