//! Which RAM of the board nobody uses when the hypervisor starts.

use portcullis_board::{Range, Regions};

use crate::assemble;
use crate::facts::Facts;

/// Bytes of a page: EL2's map knows no less.
const PAGE: u64 = 4096;

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RamError {
    /// It is in more pieces than can be kept track of.
    Fragmented,
    /// The bundle does not lie in it.
    BundleOutside(Range),
}

/// RAM that no one uses yet: not the `image`, not the device tree at `tree`, not the bundle, not what firmware keeps. The
/// firmware's own list of what is `usable` counts more than the device tree's of what there is.
///
/// # Errors
///
/// [`RamError`].
pub fn free(facts: &Facts, image: Range, tree: Range, usable: Option<&Regions>) -> Result<Regions, RamError> {
    let mut free = usable.cloned().unwrap_or_default();
    for memory in facts.memory.iter().filter(|_| usable.is_none()) {
        free.add(*memory).map_err(|_| RamError::Fragmented)?;
    }
    // Whoever loaded the bundle may have known more of the memory than the device tree tells; nobody else would.
    if let Some(bundle) = facts.bundle.filter(|bundle| !free.iter().any(|free| free.contains(bundle))) {
        return Err(RamError::BundleOutside(bundle));
    }
    let taken = [image, tree].into_iter().chain(facts.reserved.iter().chain(&facts.bundle).copied());
    for range in taken.chain(assemble::firmware_memory(facts).iter().copied()) {
        let pages = Range { start: range.start & !(PAGE - 1), end: range.end.saturating_add(PAGE - 1) & !(PAGE - 1) };
        free.remove(pages).map_err(|_| RamError::Fragmented)?;
    }
    Ok(free)
}
