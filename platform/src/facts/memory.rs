//! Lists of memory as the walk comes upon it: RAM, and what of it is reserved.

use portcullis_board::Range;

use super::error::FactsError;
use super::list::List;
use super::{MEMORY, RESERVED};

/// Notes a reserved range.
pub fn reserve(reserved: &mut List<Range, RESERVED>, region: Range) -> Result<(), FactsError> {
    if region.size() == 0 || reserved.push(region) {
        return Ok(());
    }
    Err(FactsError::TooMany { what: "reserved memory ranges", limit: RESERVED })
}

/// Notes RAM, as one range with what it adjoins: a node of NUMA's is no hole. False: there is no room.
pub fn add(memory: &mut List<Range, MEMORY>, mut region: Range) -> bool {
    let adjoin = |one: &Range, other: &Range| one.start <= other.end && other.start <= one.end;
    while let Some(at) = memory.iter().position(|other| adjoin(other, &region)) {
        let other = memory.swap_remove(at).unwrap_or(region);
        region = Range { start: region.start.min(other.start), end: region.end.max(other.end) };
    }
    memory.push(region)
}
