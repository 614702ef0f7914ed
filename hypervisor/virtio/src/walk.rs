//! Reading a chain: each descriptor is copied, and judged as the copy.

use crate::chain::Chain;
use crate::descriptor::{self, Descriptor};
use crate::fault::Fault;
use crate::memory::Shared;
use crate::segment::Segment;

/// A table of descriptors.
struct Table {
    address: u64,
    /// How many it has.
    size: u32,
}

impl Table {
    /// A copy of the descriptor with this number.
    #[inline(always)]
    fn get<M: Shared>(&self, memory: &mut M, number: u32) -> Result<Descriptor, Fault> {
        if number >= self.size {
            return Err(Fault::NextOutside { next: number as u16, size: self.size });
        }
        let address = self.address.wrapping_add(u64::from(number) * descriptor::SIZE as u64);
        Ok(Descriptor::of(memory.load_pair(address)?))
    }
}

/// Adds the only descriptor of a chain, `first`, to `chain`, which is cleared for it. False: it has more, or something is not in
/// order, and nothing was added.
#[inline(always)]
pub(crate) fn add_only<M: Shared>(memory: &M, first: &Descriptor, chain: &mut Chain) -> bool {
    let Descriptor { address, length, .. } = *first;
    let plain = first.is_alone() && length > 0 && chain.most > 0;
    if !plain || memory.check(address, length).is_err() || chain.segments.push(Segment { address, length }).is_err() {
        return false;
    }
    if first.is_writable() {
        chain.writable = length;
    } else {
        (chain.readable, chain.split) = (length, 1);
    }
    true
}

/// Reads the chain that `chain` is cleared for, and that begins with `first` in the table of `size` descriptors at `address`.
pub(crate) fn walk<M: Shared>(
    memory: &mut M,
    address: u64,
    size: u16,
    indirect: bool,
    first: Descriptor,
    chain: &mut Chain,
) -> Result<(), Fault> {
    let entry = if first.is_indirect() {
        first
    } else {
        let table = Table { address, size: u32::from(size) };
        let Some(entry) = follow(memory, &table, first, chain)? else { return Ok(()) };
        entry
    };
    if !indirect {
        return Err(Fault::IndirectUnknown);
    }
    // Whether it can be written says nothing of a table (section 2.7.5.3.2).
    if entry.next().is_some() {
        return Err(Fault::IndirectNext);
    }
    if entry.length == 0 || !entry.length.is_multiple_of(descriptor::SIZE as u32) {
        return Err(Fault::IndirectLength { length: entry.length });
    }
    memory.check(entry.address, entry.length)?;
    let table = Table { address: entry.address, size: entry.length / descriptor::SIZE as u32 };
    let first = table.get(memory, 0)?;
    match follow(memory, &table, first, chain)? {
        Some(_) => Err(Fault::IndirectTwice),
        None => Ok(()),
    }
}

/// Adds the descriptors of a table from `first` on. Returns the indirect one that the chain ends with.
fn follow<M: Shared>(
    memory: &mut M,
    table: &Table,
    first: Descriptor,
    chain: &mut Chain,
) -> Result<Option<Descriptor>, Fault> {
    let (head, most) = (chain.head, chain.most);
    let (mut descriptor, mut steps) = (first, 1);
    // As many as a chain has cannot be more than this.
    let (mut readable, mut writable) = (u64::from(chain.readable), u64::from(chain.writable));
    let ends_with = loop {
        if descriptor.is_indirect() {
            break Some(descriptor);
        }
        let Descriptor { address, length, .. } = descriptor;
        if chain.segments.len() >= most {
            return Err(Fault::TooLong { head, most });
        }
        if length == 0 {
            return Err(Fault::Empty { head });
        }
        memory.check(address, length)?;
        if descriptor.is_writable() {
            writable = writable.wrapping_add(length.into());
        } else if writable > 0 {
            return Err(Fault::Order { head });
        } else {
            readable = readable.wrapping_add(length.into());
            chain.split = chain.split.wrapping_add(1);
        }
        chain.segments.push(Segment { address, length }).map_err(|_| Fault::TooLong { head, most })?;
        let Some(next) = descriptor.next() else { break None };
        if steps >= table.size {
            return Err(Fault::Loop { head });
        }
        steps = steps.wrapping_add(1);
        descriptor = table.get(memory, u32::from(next))?;
    };
    if readable.wrapping_add(writable) > u64::from(u32::MAX) {
        return Err(Fault::TooLarge { head });
    }
    (chain.readable, chain.writable) = (readable as u32, writable as u32);
    Ok(ends_with)
}
