//! The files of a VM's flash: which ones the manifest names, and whether its banks can hold them.

use std::fs;
use std::path::Path;

use portcullis_abi::map::{FLASH, FLASH_BANK, FLASH_BLOCK};
use portcullis_board::vm_memory::Banks;
use portcullis_bundle::fits_flash;
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::files::{self, Images};
use super::image::Image;
use super::memory;
use super::section::Section;

/// What `flash` says.
pub struct Flash {
    /// Where it stands.
    pub span: Span,
    /// The files of the first bank and the second one, as far as there are some.
    pub names: Vec<Spanned<String>>,
    /// Their contents, once they are loaded.
    pub files: Vec<Image>,
}

impl Flash {
    /// Reads it: a file for the first bank, or a list of none, of one, or of one for each bank.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Self> {
        let value = section.value("flash")?;
        let names: Vec<Spanned<String>> = match value.get_ref() {
            DeValue::String(name) => vec![Spanned::new(value.span(), name.to_string())],
            DeValue::Array(_) => {
                let list = section.strings("flash", diagnostics)?.into_inner();
                list.into_iter().map(|name| Spanned::new(name.span(), (*name.get_ref()).to_owned())).collect()
            }
            _ => return section.wrong_type("flash", value, "a file or a list of files", diagnostics),
        };
        if let Some(third) = names.get(2) {
            let message = format!("{} files for the flash, which has two banks", names.len());
            diagnostics.error(third.span(), message, "name the file of the first bank, then that of the second one");
        }
        for name in names.iter().filter(|name| name.get_ref().is_empty() || name.get_ref().contains('\0')) {
            diagnostics.error(name.span(), "`flash` names no file", "name a file; flash = [] has two erased banks");
        }
        Some(Self { span: value.span(), names, files: Vec::new() })
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> u64 {
        Banks::size(self.first(), FLASH_BANK)
    }

    /// Bytes of the first bank's file; zero if it has none.
    pub fn first(&self) -> u64 {
        self.files.first().map_or(0, |file| file.bytes.len() as u64)
    }
}

/// Loads the files of `draft`'s flash. Relative paths start at `folder`.
pub fn load(draft: &mut Draft, folder: &Path, images: &dyn Images, diagnostics: &mut Diagnostics<'_>) {
    let Some(flash) = &mut draft.flash else { return };
    for name in flash.names.iter().take(2).filter(|name| !name.get_ref().is_empty()) {
        let known = |name: &str| images.flash(name);
        let Some(path) = files::find(name, folder, images, known, diagnostics) else { continue };
        let shown = path.display().to_string();
        let size = fs::metadata(&path).ok().filter(|metadata| metadata.is_file()).map_or(0, |metadata| metadata.len());
        if !fits_flash(size) {
            wrong_size(name, &shown, size, diagnostics);
            continue;
        }
        let file = files::read(name, path, FLASH_BANK, diagnostics);
        flash.files.extend(file.map(|(path, bytes)| Image { path, bytes }));
    }
}

fn wrong_size(name: &Spanned<String>, shown: &str, size: u64, diagnostics: &mut Diagnostics<'_>) {
    let bank = memory::show(FLASH_BANK);
    if size > FLASH_BANK {
        let message = format!("{shown:?} has {}, more than a bank of flash", memory::show(size));
        diagnostics.error(name.span(), message, format!("name a file of at most {bank}"));
        return;
    }
    let message =
        format!("{shown:?} has {size} bytes, no multiple of the {} of a block of flash", memory::show(FLASH_BLOCK));
    let right = size.next_multiple_of(FLASH_BLOCK) / 1024;
    diagnostics.error(name.span(), message, format!("fill it up: `truncate -s {right}K {shown}`; a bank has {bank}"));
}

/// Reports what cannot be had together with flash, or without it.
pub fn check(draft: &Draft, diagnostics: &mut Diagnostics<'_>) {
    let Some(flash) = &draft.flash else { return };
    if let Some(load) = draft.load.as_ref().filter(|_| draft.image.is_none()) {
        let help = "leave `load` out: without `image` the VM starts in its flash";
        diagnostics.error(load.span(), "a load address without an image", help);
    }
    for device in draft.devices.iter().filter(|device| is_in_flash(device.get_ref())) {
        let line = diagnostics.line(&flash.span);
        let message = format!("the device {:?} lies where the flash of line {line} is", device.get_ref());
        diagnostics.error(
            device.span(),
            message,
            "leave `flash` out, or this device: flash takes what is below 0x8000000",
        );
    }
}

/// Whether a device has the address of a bank by its path. Below the root the unit address is the CPU's; what else lies there is seen
/// at boot.
fn is_in_flash(path: &str) -> bool {
    let unit = path.strip_prefix('/').filter(|name| !name.contains('/')).and_then(|name| name.split_once('@'));
    let address = unit.and_then(|(_, unit)| u64::from_str_radix(unit.split(',').next()?, 16).ok());
    address.is_some_and(|address| (FLASH..FLASH + 2 * FLASH_BANK).contains(&address))
}
