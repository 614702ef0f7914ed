//! One `[[vm]]` as it stands in the manifest: what could be read of it, with its places.

use portcullis_abi::bundle::NAME_MAX;
use portcullis_board::SocId;
use portcullis_bundle::implementations::Implementation;
use portcullis_bundle::limit::{CORES, check_memory};
use portcullis_bundle::{Settings, is_name};
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::firmware::{self, Filter, Firmware};
use super::flash::Flash;
use super::image::Image;
use super::section::Section;
use super::store::{self, Store};
use super::vm::Vm;
use super::{cpu, hardware, key, movable, settings, slice, suspend};

/// Bytes of the longest command line: arm64 Linux cuts what is longer without a word (`COMMAND_LINE_SIZE`, which counts
/// the end mark, in `arch/arm64/include/uapi/asm/setup.h`).
const CMDLINE_MAX: usize = 2047;

/// A VM under construction. What is none was missing or wrong, and that has been reported, or it is optional.
pub struct Draft {
    /// Where the header stands.
    pub span: Span,
    /// The VM's name.
    pub name: Option<Spanned<String>>,
    /// What `image` says.
    pub image: Option<Spanned<String>>,
    /// What it has in place of an image.
    pub store: Option<Store>,
    /// What `initrd` says.
    pub initrd: Option<Spanned<String>>,
    /// The kernel, once it is loaded.
    pub kernel: Option<Image>,
    /// The initial RAM disk, once it is loaded.
    pub ramdisk: Option<Image>,
    /// The kernel's command line.
    pub cmdline: String,
    /// Bytes of RAM.
    pub memory: Option<Spanned<u64>>,
    /// What `load` says.
    pub load: Option<Spanned<u64>>,
    /// What `tree` says: whether it is low.
    pub tree: Option<Spanned<bool>>,
    /// The physical core of each vCPU.
    pub cores: Vec<Spanned<u64>>,
    /// Microseconds of each vCPU's time slice.
    pub slices: Vec<u32>,
    /// What of it is a flag, a number or a choice.
    pub settings: Settings,
    /// Where it says whether it has a clock.
    pub clock: Option<Span>,
    /// Where it says that it can be saved.
    pub movable: Option<Span>,
    /// What `flash` says.
    pub flash: Option<Flash>,
    /// Device tree paths of devices.
    pub devices: Vec<Spanned<String>>,
    /// CPUs of boards to which it may move.
    pub implementations: Option<Spanned<Vec<Implementation>>>,
    /// The CPU that it is shown.
    pub cpu: Option<Spanned<cpu::Shown>>,
    /// The SoC that it is told of.
    pub soc: Option<Spanned<SocId>>,
    /// The firmware registers.
    pub firmware: Option<Firmware>,
    /// The filters of the firmware section, with their places.
    pub filters: Vec<Spanned<Filter>>,
}

impl Draft {
    /// Reads `section`; whatever is wrong inside it is reported.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Self {
        let flash = Flash::read(section, diagnostics);
        // What has a file in its first bank of flash starts there.
        let is_firmware = flash.as_ref().is_some_and(|flash| !flash.names.is_empty());
        for key in ["name", "image", "memory", "cores"] {
            if key != "image" || !is_firmware {
                section.require(key, diagnostics);
            }
        }
        let firmware = section.section("firmware", &key::FIRMWARE, diagnostics);
        let filters = firmware.as_ref().map(|firmware| firmware::filters(firmware, diagnostics)).unwrap_or_default();
        let store = store::read(section, diagnostics);
        let mut settings = settings::read(section, diagnostics);
        settings.autostart &= store.is_none();
        let draft = Self {
            span: section.span.clone(),
            name: name(section, diagnostics),
            image: path(section, "image", diagnostics),
            initrd: path(section, "initrd", diagnostics),
            kernel: None,
            ramdisk: None,
            cmdline: cmdline(section, diagnostics),
            memory: amount(section, diagnostics),
            load: section.number("load", diagnostics),
            tree: tree(section, diagnostics),
            cores: cores(section, diagnostics),
            slices: slice::slices(section, diagnostics),
            settings,
            store,
            clock: settings::clock(section),
            movable: movable::read(section, diagnostics),
            flash,
            devices: devices(section, diagnostics),
            cpu: cpu::read(section, diagnostics),
            soc: hardware::soc_id(section, diagnostics),
            implementations: hardware::implementations(section, diagnostics),
            firmware: firmware.map(|firmware| Firmware {
                filters: filters.iter().map(|filter| *filter.get_ref()).collect(),
                ..firmware::registers(&firmware, diagnostics)
            }),
            filters,
        };
        suspend::check(section, draft.settings.suspend, draft.firmware.as_ref(), diagnostics);
        draft
    }

    /// The VM's name for messages about it.
    pub fn title(&self) -> String {
        self.name.as_ref().map_or("this VM".to_owned(), |name| format!("VM {:?}", name.get_ref()))
    }

    /// Whether its device tree lies at the start of RAM: where firmware looks for it, if the manifest says nothing else.
    pub fn tree_low(&self) -> bool {
        self.tree.as_ref().map_or(self.image.is_none(), |tree| *tree.get_ref())
    }

    /// The VM, if everything it needs is there.
    pub fn finish(self) -> Option<Vm> {
        let tree_low = self.tree_low();
        if self.store.is_none() && self.image.is_some() != self.kernel.is_some() {
            return None;
        }
        Some(Vm {
            name: self.name?.into_inner(),
            kernel: self.kernel,
            store: self.store.map(|store| store.bytes),
            flash: self.flash.map(|flash| flash.files),
            initrd: self.ramdisk,
            cmdline: self.cmdline,
            memory: self.memory?.into_inner(),
            load: self.load.map(Spanned::into_inner),
            tree_low,
            cores: self.cores.into_iter().map(|core| core.into_inner().try_into().ok()).collect::<Option<_>>()?,
            slices: self.slices,
            settings: self.settings,
            devices: self.devices.into_iter().map(Spanned::into_inner).collect(),
            cpu: self.cpu.map(|cpu| cpu.into_inner().registers),
            soc: self.soc.map(Spanned::into_inner),
            implementations: self.implementations.map(Spanned::into_inner).unwrap_or_default(),
            firmware: self.firmware,
        })
    }
}

fn name(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<String>> {
    let name = section.string("name", diagnostics)?;
    let text = name.get_ref();
    if is_name(text) {
        return Some(name);
    }
    let help = format!("a name is 1 to {NAME_MAX} characters of a-z, 0-9 and '-', the first one a letter");
    diagnostics.error(name.span(), format!("{text:?} cannot be the name of a VM"), help);
    None
}

fn path(section: &Section<'_>, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<String>> {
    let path = section.string(key, diagnostics)?;
    if !path.get_ref().is_empty() && !path.get_ref().contains('\0') {
        return Some(path);
    }
    let help = match key {
        "initrd" => "name a file, or leave the line out",
        _ => "name a known guest or a file",
    };
    diagnostics.error(path.span(), format!("`{key}` names no file"), help);
    None
}

fn cmdline(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> String {
    let Some(cmdline) = section.string("cmdline", diagnostics) else { return String::new() };
    let text = cmdline.get_ref();
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        let message = format!("the command line contains {control:?}");
        diagnostics.error(cmdline.span(), message, "write it as one line of printable characters");
    }
    if text.len() > CMDLINE_MAX {
        let message = format!("the command line has {} bytes", text.len());
        diagnostics.error(cmdline.span(), message, format!("a kernel takes at most {CMDLINE_MAX} bytes"));
    }
    cmdline.into_inner()
}

fn amount(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<u64>> {
    let amount = section.amount("memory", diagnostics)?;
    if let Err(error) = check_memory(*amount.get_ref()) {
        diagnostics.of_bundle(amount.span(), error);
        return None;
    }
    Some(amount)
}

fn tree(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<bool>> {
    let word = section.string("tree", diagnostics)?;
    let known = [("low", true), ("high", false)];
    let low = firmware::choice("tree", "place of the device tree", &word, &known, diagnostics)?;
    Some(Spanned::new(word.span(), low))
}

fn cores(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Vec<Spanned<u64>> {
    let what = "a list of core numbers";
    let Some(list) = section.list("cores", what, diagnostics) else { return Vec::new() };
    if let Err(error) = CORES.check(list.get_ref().len()) {
        diagnostics.of_bundle(list.span(), error);
    }
    let mut cores: Vec<Spanned<u64>> = Vec::new();
    for item in *list.get_ref() {
        let Some(integer) = item.get_ref().as_integer() else {
            section.wrong_type::<()>("cores", item, what, diagnostics);
            continue;
        };
        cores.extend(section.unsigned("cores", item.span(), integer, diagnostics));
    }
    cores
}

fn devices(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Vec<Spanned<String>> {
    let mut devices = Vec::new();
    for device in section.strings("devices", diagnostics).iter().flat_map(|list| list.get_ref()) {
        let path: &str = device.get_ref();
        if !path.starts_with('/') || path.chars().any(char::is_control) {
            let help = "write it like `devices = [\"/pl061@9030000\"]`";
            diagnostics.error(device.span(), format!("{path:?} is not a device tree path"), help);
        }
        devices.push(Spanned::new(device.span(), path.to_owned()));
    }
    devices
}
