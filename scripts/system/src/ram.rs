//! Where each VM's RAM would lie. A VM has its RAM in one piece, so that the sum alone does not tell whether all of them fit.
//! The rule is the hypervisor's own; what only the board knows counts as free, so that nothing is refused that boot would take.

use portcullis_abi::bundle::{ALIGNMENT, HEADER_SIZE};
use portcullis_abi::map::FLASH_BANK;
use portcullis_board::vm_memory::Banks;
use portcullis_board::{Range, Regions, vm_memory};

use super::diagnostic::Diagnostics;
use super::draft::Draft;
use super::memory;
use super::piece::Piece;

/// A board's RAM, and what a loader has put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ram {
    /// All of it.
    pub range: Range,
    /// Where the hypervisor's image lies, or as much of it as is certain.
    pub image: Range,
    /// Where the bundle begins.
    pub bundle: u64,
    /// Where the device tree lies.
    pub tree: Tree,
}

/// Where a loader has put the board's device tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Here.
    At(Range),
    /// Behind the bundle, at the next multiple of this size, so many bytes.
    BehindBundle(u64, u64),
    /// That is not known.
    Unknown,
}

impl Ram {
    /// What is free for so many VMs if the bundle has images of so many bytes; none if it is in too many pieces.
    fn free(&self, vms: usize, images: u64) -> Option<Regions> {
        // The description between header and images takes some more.
        let bundle = Range::sized(self.bundle, images.saturating_add(HEADER_SIZE as u64).saturating_add(ALIGNMENT));
        let tree = match self.tree {
            Tree::At(range) => range,
            Tree::BehindBundle(align, size) => Range::sized(bundle.end.checked_next_multiple_of(align)?, size),
            Tree::Unknown => Range::default(),
        };
        let mut free = Regions::new();
        free.add(self.range).ok()?;
        for taken in [self.image, bundle, tree] {
            free.remove(taken).ok()?;
        }
        for size in [vm_memory::HEAP, vm_memory::more_heap(vms)].into_iter().filter(|size| *size != 0) {
            vm_memory::take_heap(&mut free, size, self.image.start)?;
        }
        Some(free)
    }
}

/// Reports the first of `pieces`, or the first VM, for which no piece of RAM is left that is large enough.
pub fn check(
    drafts: &[Draft],
    pieces: &[Piece],
    ram: &Ram,
    images: u64,
    board: &str,
    diagnostics: &mut Diagnostics<'_>,
) {
    let Some(mut free) = ram.free(drafts.len(), images) else { return };
    for Piece { span, what, size } in pieces {
        let largest = vm_memory::largest(&free);
        if vm_memory::take(&mut free, *size, false).is_none() {
            let (size, largest) = (memory::show(*size), memory::show(largest));
            let message = format!(
                "{what} wants {size} of memory in one piece; the largest that is left on {board} has {largest}"
            );
            diagnostics.error(span.clone(), message, format!("make it {largest} at the most"));
            return;
        }
    }
    for draft in drafts {
        let Some(amount) = &draft.memory else { continue };
        let largest = vm_memory::largest(&free);
        if vm_memory::take(&mut free, *amount.get_ref(), draft.settings.trust_dma).is_some() {
            if let Some(store) = draft.store.as_ref().filter(|store| store.bytes != 0) {
                let largest = memory::show(vm_memory::largest(&free));
                if vm_memory::take(&mut free, store.bytes, false).is_none() {
                    let (title, size) = (draft.title(), memory::show(store.bytes));
                    let message = format!(
                        "the store of {title} wants {size} of memory in one piece; the largest that is left on {board} has {largest}"
                    );
                    diagnostics.error(store.span.clone(), message, format!("make it {largest} at the most"));
                    return;
                }
            }
            let Some(flash) = &draft.flash else { continue };
            if Banks::take(&mut free, flash.first(), FLASH_BANK).is_some() {
                continue;
            }
            let message = format!(
                "the flash of {} wants {} of memory, each bank in one piece; the largest piece that is left on {board} has {}",
                draft.title(),
                memory::show(flash.memory()),
                memory::show(vm_memory::largest(&free))
            );
            diagnostics.error(flash.span.clone(), message, "give the VMs less memory, or leave `flash` out");
            return;
        }
        let wanted = memory::show(*amount.get_ref());
        let message = match draft.settings.trust_dma {
            false => format!(
                "{} wants {wanted} of memory in one piece; the largest that is left on {board} has {}",
                draft.title(),
                memory::show(largest)
            ),
            true => format!(
                "{} wants {wanted} of memory in one piece that its devices reach; {board} has none left",
                draft.title()
            ),
        };
        let help = match largest {
            0 => "give the VMs before it less memory".to_owned(),
            _ => format!(
                "bundle and heap lie in between: give it memory = {:?}, or name the larger VMs first",
                memory::form(largest)
            ),
        };
        diagnostics.error(amount.span(), message, help);
        return;
    }
}
