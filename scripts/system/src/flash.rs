//! The files of a VM's flash: which ones the manifest names, and whether its banks can hold them.

use portcullis_abi::map::{FLASH, FLASH_BANK, FLASH_BLOCK};
use portcullis_board::vm_memory::Banks;
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::{Diagnostics, Span};
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

/// Reports a file that no bank can hold as it is; `shown` is its name.
pub fn wrong_size(name: &Spanned<String>, shown: &str, size: u64, diagnostics: &mut Diagnostics<'_>) {
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

/// Whether a device has the address of a bank by its path. Below the root the unit address is the CPU's; what else lies there is
/// seen at boot.
pub fn is_in_flash(path: &str) -> bool {
    let unit = path.strip_prefix('/').filter(|name| !name.contains('/')).and_then(|name| name.split_once('@'));
    let address = unit.and_then(|(_, unit)| u64::from_str_radix(unit.split(',').next()?, 16).ok());
    address.is_some_and(|address| (FLASH..FLASH + 2 * FLASH_BANK).contains(&address))
}
