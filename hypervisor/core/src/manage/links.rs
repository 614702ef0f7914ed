//! Links between VMs, and what was counted at their ends.

use portcullis_abi::manage;

use super::Answer;
use super::show::name_words;
use super::status::Status;
use crate::links::report::{End, Link};
use crate::machine::Machine;

/// `LINK`.
pub fn link(machine: &Machine, index: u64) -> Answer {
    let link = find(machine, index)?;
    let [low, high] = name_words(link.name());
    Ok([low, high, link.kind() & 0xff | (link.ends() as u64 & 0xff) << 8])
}

/// `LINK_END`.
pub fn end(machine: &Machine, index: u64, end: u64) -> Answer {
    let found = usize::try_from(end).ok().and_then(|end| find(machine, index).ok()?.end(end));
    let End { vm, up, about, intid } = found.ok_or(Status::NoItem)?;
    Ok([vm as u64 & 0xff | if up { manage::LINK_END_UP } else { 0 }, about, intid.into()])
}

/// `LINK_COUNTER`.
pub fn counter(machine: &Machine, index: u64, end: u64, counter: u64) -> Answer {
    let place = usize::try_from(end).ok().zip(usize::try_from(counter).ok());
    let found = place.and_then(|(end, counter)| find(machine, index).ok()?.counter(end, counter));
    Ok([found.ok_or(Status::NoItem)?, 0, 0])
}

/// The link with this number, of which every bit counts.
fn find(machine: &Machine, index: u64) -> Result<&'static dyn Link, Status> {
    let index = usize::try_from(index).map_err(|_| Status::NoItem)?;
    machine.links.all().nth(index).ok_or(Status::NoItem)
}
