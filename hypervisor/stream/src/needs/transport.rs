//! What is in a virtio transport, against what was there.

use portcullis_abi::state::{LinkNeeds, Unfit};

use super::lack::Lack;
use super::link::Link;

/// Checks that a virtio transport has what the saved one had; none: there is nothing in it. What a driver accepted of a device's
/// features is compared with the device's state.
///
/// # Errors
///
/// The first [`Lack`].
pub fn check_link(transport: u32, saved: &LinkNeeds, here: Option<&LinkNeeds>) -> Result<(), Lack> {
    if let Err(unfit) = Unfit::check_version(saved.version, LinkNeeds::VERSION) {
        return Err(Lack::Unfit(unfit));
    }
    let Some(here) = here else { return Err(Lack::Transport(transport)) };
    let what = |what| Err(Lack::Link { transport, saved: Link::of(saved), here: Link::of(here), what });
    let is = |device| saved.device == device;
    if saved.device != here.device || saved.name != here.name {
        return what("they must be of the same kind and name");
    }
    if saved.address != here.address {
        return what("their addresses must be the same (`mac` in the manifest)");
    }
    if is(LinkNeeds::NETWORK) && saved.kind != here.kind {
        return what("their MTUs must be the same");
    }
    if is(LinkNeeds::CONSOLE) && saved.kind != here.kind {
        return what("they must have as many ports");
    }
    if is(LinkNeeds::DISK) && saved.kind != here.kind {
        return what("both must be from an image, or scratch, or served");
    }
    if (saved.size, saved.block) != (here.size, here.block) {
        return what("their sizes and blocks must be the same");
    }
    if saved.read_only != here.read_only {
        return what("both must be for reading only, or neither");
    }
    if saved.sum != here.sum {
        return what("their images must be the same, and have different checksums");
    }
    Ok(())
}
