//! Reading a chain: each descriptor is copied, and judged as the copy.

use crate::chain::Chain;
use crate::descriptor::{self, Descriptor};
use crate::fault::Fault;
use crate::memory::Shared;
use crate::segment::Segment;

/// Descriptors that are copied at once, from a queue's table and from an indirect one: drivers take neighbours for a chain.
const AHEAD: usize = 4;
const AHEAD_INDIRECT: usize = 16;

/// A table of descriptors, and a copy of a few of them.
struct Table {
    address: u64,
    /// How many it has.
    size: u32,
    ahead: usize,
    copies: [[u8; descriptor::SIZE]; AHEAD_INDIRECT],
    /// Number of the first one that is here, and how many are.
    first: u32,
    count: u32,
}

impl Table {
    const fn new(address: u64, size: u32, ahead: usize) -> Self {
        Self { address, size, ahead, copies: [[0; descriptor::SIZE]; AHEAD_INDIRECT], first: 0, count: 0 }
    }

    /// The descriptor with this number.
    fn get<M: Shared>(&mut self, memory: &mut M, number: u32) -> Result<Descriptor, Fault> {
        let outside = Fault::NextOutside { next: number as u16, size: self.size };
        if number >= self.size {
            return Err(outside);
        }
        let mut place = number.wrapping_sub(self.first);
        if place >= self.count {
            let count = (self.ahead as u32).min(self.size.saturating_sub(number));
            let address = self.address.wrapping_add(u64::from(number) * descriptor::SIZE as u64);
            let wanted = self.copies.as_flattened_mut().get_mut(..count as usize * descriptor::SIZE);
            memory.copy_in(address, wanted.unwrap_or_default())?;
            (self.first, self.count, place) = (number, count, 0);
        }
        self.copies.get(place as usize).map(|bytes| Descriptor::new(*bytes)).ok_or(outside)
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
        let mut table = Table::new(address, u32::from(size), AHEAD);
        let Some(entry) = follow(memory, &mut table, first, chain)? else { return Ok(()) };
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
    let mut table = Table::new(entry.address, entry.length / descriptor::SIZE as u32, AHEAD_INDIRECT);
    let first = table.get(memory, 0)?;
    match follow(memory, &mut table, first, chain)? {
        Some(_) => Err(Fault::IndirectTwice),
        None => Ok(()),
    }
}

/// Adds the descriptors of a table from `first` on. Returns the indirect one that the chain ends with.
fn follow<M: Shared>(
    memory: &mut M,
    table: &mut Table,
    first: Descriptor,
    chain: &mut Chain,
) -> Result<Option<Descriptor>, Fault> {
    let (mut descriptor, mut steps) = (first, 1);
    loop {
        if descriptor.is_indirect() {
            return Ok(Some(descriptor));
        }
        add(memory, &descriptor, chain)?;
        let Some(next) = descriptor.next() else { return Ok(None) };
        if steps >= table.size {
            return Err(Fault::Loop { head: chain.head });
        }
        steps = steps.wrapping_add(1);
        descriptor = table.get(memory, u32::from(next))?;
    }
}

/// Adds what a descriptor stands for.
#[inline]
fn add<M: Shared>(memory: &M, descriptor: &Descriptor, chain: &mut Chain) -> Result<(), Fault> {
    let (head, Descriptor { address, length, .. }) = (chain.head, *descriptor);
    if chain.segments.len() >= chain.most {
        return Err(Fault::TooLong { head, most: chain.most });
    }
    if length == 0 {
        return Err(Fault::Empty { head });
    }
    memory.check(address, length)?;
    if descriptor.is_writable() {
        chain.writable = chain.writable.checked_add(length).ok_or(Fault::TooLarge { head })?;
    } else if chain.writable > 0 {
        return Err(Fault::Order { head });
    } else {
        chain.readable = chain.readable.checked_add(length).ok_or(Fault::TooLarge { head })?;
        chain.split = chain.split.wrapping_add(1);
    }
    chain.readable.checked_add(chain.writable).ok_or(Fault::TooLarge { head })?;
    let most = chain.most;
    chain.segments.push(Segment { address, length }).map_err(|_| Fault::TooLong { head, most })
}
