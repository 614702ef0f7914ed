//! Whether a VM's files fit into its memory, where they would lie. The hypervisor's own code judges, so that the two always
//! agree.

use portcullis_abi::bundle::MEMORY_UNIT;
use portcullis_abi::map::RAM;
use portcullis_board::Range;
use portcullis_bundle::guest_tree::GuestTree;
use portcullis_bundle::image::{ImageError, Kernel, Layout, Parts, Wish};
use toml::Spanned;

use super::diagnostic::Diagnostics;
use super::draft::Draft;
use super::flash::{self, Flash};
use super::{Board, memory};

/// What lies in RAM takes whole pages.
const PAGE: u64 = 4096;

/// Reports a kernel that the hypervisor or the board's cores would refuse, and files that do not fit together with the device
/// tree.
pub fn check(draft: &Draft, board: &Board, diagnostics: &mut Diagnostics<'_>) {
    flash(draft, diagnostics);
    if let Some(load) = draft.load.as_ref().filter(|_| draft.settings.trust_dma) {
        let help = "leave `load` out: where the RAM of a VM with `trust-dma` lies is known at boot alone";
        diagnostics.error(load.span(), "a load address for a VM whose RAM lies where the board has it", help);
        return;
    }
    let Some(amount) = &draft.memory else { return };
    let (image, kernel) = match (&draft.image, &draft.kernel, &draft.flash) {
        (Some(image), Some(file), _) => match Kernel::parse(&file.bytes) {
            Ok(kernel) => (image, kernel),
            Err(error) => return diagnostics.of_bundle(image.span(), error),
        },
        (None, _, Some(Flash { names, .. })) if let Some(first) = names.first() => (first, Kernel::IN_FLASH),
        _ => return,
    };
    pages(kernel, image, board, diagnostics);
    let ram = Range::sized(RAM, *amount.get_ref());
    let initrd = draft.ramdisk.as_ref().map(|disk| disk.bytes.len() as u64);
    let tree = GuestTree::room(draft.cores.len(), &draft.cmdline, draft.devices.len());
    let parts = Parts { kernel, initrd, tree };
    let load = draft.load.as_ref().filter(|_| draft.image.is_some()).map(|load| *load.get_ref());
    let wish = Wish { load, tree_low: draft.tree_low() };
    match (Layout::place(ram, &parts, wish), &draft.load, &draft.tree) {
        (Ok(_), ..) => {}
        (Err(ImageError::TooLarge { needed, .. }), ..) => {
            too_large(draft, image, ram, &parts, wish, needed, diagnostics)
        }
        (Err(ImageError::Load { load, .. }), Some(place), _) => {
            let last = RAM.saturating_add(ram.size().saturating_sub(4));
            let message = format!("the load address {load:#x} is no multiple of 4 in the RAM of {}", draft.title());
            diagnostics.error(
                place.span(),
                message,
                format!("its RAM is from {RAM:#x} on; {last:#x} is the last address"),
            );
        }
        (Err(ImageError::TreeLow { room, tree }), _, Some(place)) => {
            let (room, tree) = (memory::show(room), memory::show(tree.next_multiple_of(PAGE)));
            let message = format!("the device tree has up to {tree}, but the kernel begins {room} into RAM");
            diagnostics.error(place.span(), message, "write tree = \"high\", or give the kernel a higher `load`");
        }
        (Err(error), ..) => diagnostics.of_bundle(image.span(), error),
    }
}

/// Reports what cannot be had together with flash, or without an image.
fn flash(draft: &Draft, diagnostics: &mut Diagnostics<'_>) {
    let Some(wanted) = &draft.flash else { return };
    if let Some(load) = draft.load.as_ref().filter(|_| draft.image.is_none()) {
        let help = "leave `load` out: without `image` the VM starts in its flash";
        diagnostics.error(load.span(), "a load address without an image", help);
    }
    for device in draft.devices.iter().filter(|device| flash::is_in_flash(device.get_ref())) {
        let line = diagnostics.line(&wanted.span);
        let message = format!("the device {:?} lies where the flash of line {line} is", device.get_ref());
        diagnostics.error(
            device.span(),
            message,
            "leave `flash` out, or this device: flash takes what is below 0x8000000",
        );
    }
}

/// Reports a kernel whose pages the board's cores lack: it would end without a word.
fn pages(kernel: Kernel, image: &Spanned<String>, board: &Board, diagnostics: &mut Diagnostics<'_>) {
    let Some((pages, cpu)) = kernel.pages.zip(board.cpu) else { return };
    if !pages.is_in(cpu.memory_model) {
        let message = format!("the kernel has pages of {pages}, which the cores of {} ({}) lack", board.name, cpu.name);
        diagnostics.error(image.span(), message, "name a kernel with pages of 4 KiB");
    }
}

/// Reports that there is not enough memory, and how much would do.
fn too_large(
    draft: &Draft,
    image: &Spanned<String>,
    ram: Range,
    parts: &Parts,
    wish: Wish,
    needed: u64,
    diagnostics: &mut Diagnostics<'_>,
) {
    let &Parts { kernel, initrd, tree } = parts;
    let begins = wish.load.map_or(kernel.offset, |load| load.saturating_sub(ram.start));
    let mut said = vec![format!("the kernel ends {} into RAM", memory::show(begins.saturating_add(kernel.size)))];
    said.extend(initrd.map(|disk| format!("the initial RAM disk has {}", memory::show(disk))));
    if !wish.tree_low {
        said.push(format!("the device tree has up to {}", memory::show(tree.next_multiple_of(PAGE))));
    }
    let message = format!("too much for the {} of {}: {}", memory::show(ram.size()), draft.title(), said.join(", "));
    let help = match needed.checked_next_multiple_of(MEMORY_UNIT) {
        Some(enough) => format!("give it at least memory = {:?}", memory::form(enough)),
        None => "name an undamaged kernel: no memory is large enough for what this header says".to_owned(),
    };
    // The RAM disk is to blame only where the kernel alone would fit.
    let alone = Layout::place(ram, &Parts { initrd: None, ..*parts }, wish);
    let blamed = draft.initrd.as_ref().filter(|_| alone.is_ok()).unwrap_or(image);
    diagnostics.error(blamed.span(), message, help);
}
