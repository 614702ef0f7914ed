//! What connects the VM with others, against what did so before.

use portcullis_abi::state::{LinkNeeds, PortNeeds, Unfit, WireNeeds};

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

/// Checks that a port of the console has the name that it had; none: there is no such port.
///
/// # Errors
///
/// [`Lack`].
pub fn check_port(number: u32, saved: &PortNeeds, here: Option<&[u8; 32]>) -> Result<(), Lack> {
    Unfit::check_version(saved.version, PortNeeds::VERSION).map_err(Lack::Unfit)?;
    Unfit::check_reserved(saved.reserved).map_err(Lack::Unfit)?;
    match here {
        Some(here) if *here == saved.name => Ok(()),
        _ => Err(Lack::Port { number, name: saved.name }),
    }
}

/// Checks that each line of the VM's PL061 has the wire that it had; none: there is no PL061.
///
/// # Errors
///
/// [`Lack`]: the first line that has another one.
pub fn check_wires(saved: &WireNeeds, here: Option<&WireNeeds>) -> Result<(), Lack> {
    Unfit::check_version(saved.version, WireNeeds::VERSION).map_err(Lack::Unfit)?;
    let here = here.ok_or(Lack::Device("PL061"))?;
    if saved.outputs > u8::MAX.into() {
        return Err(Lack::Unfit(Unfit::Value("the lines that are outputs")));
    }
    for ((line, name), other) in (0..).zip(&saved.names).zip(&here.names) {
        let same = name == other && (saved.outputs ^ here.outputs) >> line & 1 == 0;
        if !same && name.iter().any(|byte| *byte != 0) {
            return Err(Lack::Wire { line, name: *name, drives: saved.outputs >> line & 1 != 0 });
        }
    }
    Ok(())
}
