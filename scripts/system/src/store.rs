//! `image = "none"`: a VM whose images the control VM loads; and `store`, the RAM in which they are kept for further starts.

use portcullis_abi::bundle::MEMORY_UNIT;
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::{Diagnostics, Span};
use super::memory;
use super::section::Section;

/// What stands for no image.
const NONE: &str = "none";

/// What a VM has in place of an image.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where it says that it has no image.
    pub image: Span,
    /// Bytes that keep what is loaded; 0: it is for one start.
    pub bytes: u64,
    /// Where that stands, if it does.
    pub span: Span,
}

/// Reads it. None: the VM has an image. What it cannot have besides is reported.
pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Store> {
    let bytes = bytes(section, diagnostics);
    let image = section.value("image").filter(|image| image.get_ref().as_str() == Some(NONE)).map(|image| image.span());
    let Some(image) = image else {
        if let Some(store) = section.value("store") {
            let help = "leave `store` out, or write image = \"none\"";
            diagnostics.error(
                store.span(),
                "`store` keeps images that the control VM loads, and this VM has its own",
                help,
            );
        }
        return None;
    };
    let line = diagnostics.line(&image);
    if let Some(initrd) = section.value("initrd") {
        let message = format!("an initial RAM disk without an image, by line {line}");
        diagnostics.error(initrd.span(), message, "leave `initrd` out: `portcullis load VM --initrd FILE` brings it");
    }
    let is_empty = |value: &DeValue<'_>| value.as_array().is_some_and(|list| list.is_empty());
    if let Some(flash) = section.value("flash").filter(|flash| !is_empty(flash.get_ref())) {
        let message = format!("firmware in flash for a VM that starts from what is loaded, by line {line}");
        diagnostics.error(flash.span(), message, "leave `image` out to start in flash, or write flash = []");
    }
    if let Some(starts) = section.value("autostart").filter(|starts| starts.get_ref().as_bool() == Some(true)) {
        let message = format!("there is no image to start with, by line {line}");
        diagnostics.error(
            starts.span(),
            message,
            "leave `autostart` out: the control VM loads an image, then it starts the VM",
        );
    }
    let span = section.value("store").map_or(image.clone(), |store| store.span());
    Some(Store { image, bytes: bytes.map_or(0, Spanned::into_inner), span })
}

fn bytes(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<u64>> {
    let amount = section.amount("store", diagnostics)?;
    let bytes = *amount.get_ref();
    if bytes == 0 || !bytes.is_multiple_of(MEMORY_UNIT) {
        let message = format!("a store of {} cannot be had", memory::show(bytes));
        let right = memory::form(bytes.max(1).checked_next_multiple_of(MEMORY_UNIT).unwrap_or(MEMORY_UNIT));
        let help =
            format!("a store is a multiple of {}: write store = {right:?}, or leave it out", memory::show(MEMORY_UNIT));
        diagnostics.error(amount.span(), message, help);
        return None;
    }
    Some(amount)
}
