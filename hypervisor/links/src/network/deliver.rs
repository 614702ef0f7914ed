//! Giving a frame to a driver.

use heapless::Vec;
use portcullis_virtio::{Budget, Chain, Cursor, Fault, MAX_CHAIN, Only, Queue, Segment, Shared};

use super::HEADER;
use super::counters::Dropped;
use super::features::{GUEST_CSUM, MRG_RXBUF};
use super::frame::{Frame, Passage};
use super::header::Header;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The driver has it.
    Done,
    /// The driver does not get it.
    Dropped(Dropped),
    /// The budget is not enough for it: it is to be given again by a piece of work of its own. No buffer was taken.
    Later,
}

/// Copies a frame out of the memory `from` into the buffers of `queue`, whose driver accepted `features` and has the memory `to`.
/// The driver sees it when the queue is published. A frame for which there is no room is dropped and takes no buffer.
///
/// Whoever has taken the frame's chain has told the budget of it. A frame for which a whole budget is not enough, by the number of
/// buffers that it is in and is to be spread over, or by the bytes whose checksum is to be finished, is dropped as
/// [`Dropped::Full`].
///
/// # Errors
///
/// [`Fault`] of the receiver: what it gave are no buffers.
pub fn deliver<M: Shared>(
    frame: &Frame<'_>,
    from: &mut M,
    queue: &mut Queue,
    to: &mut M,
    chain: &mut Chain,
    features: u64,
    budget: &mut Budget,
) -> Result<Given, Fault> {
    if let Some(Header { segmentation: Some(segmentation), .. }) = frame.header
        && !segmentation.is_taken(features)
    {
        return Ok(Given::Dropped(Dropped::Unsegmented));
    }
    let short = if budget.is_fresh() { Given::Dropped(Dropped::Full) } else { Given::Later };
    let length = frame.length();
    budget.copied(HEADER.saturating_add(length));
    let is_partial = frame.header.is_some_and(|header| header.checksum.is_some());
    let finish = is_partial && features & GUEST_CSUM == 0;
    if finish {
        budget.summed(length);
    }
    match next(queue, to, chain, budget)? {
        Next::Chain => {}
        Next::None => return Ok(Given::Dropped(Dropped::Full)),
        Next::Long => return Ok(short),
    }
    let Some(room) = chain.writable().checked_sub(HEADER) else {
        return Err(Fault::Narrow { what: "a frame's header", length: chain.writable(), least: HEADER });
    };
    if length > room && features & MRG_RXBUF == 0 {
        queue.rewind(queue.before(chain.head()));
        return Ok(Given::Dropped(Dropped::Small));
    }
    if !finish && length <= room {
        // One buffer, which is what drivers give for frames of no segments.
        frame.copy_whole(from, &mut chain.writer(), to)?;
        queue.put(to, chain.head(), HEADER.saturating_add(length))?;
        return Ok(Given::Done);
    }
    let mark = queue.before(chain.head());
    let mut passage = Passage::of(frame);
    if finish {
        passage.finish(from)?;
    }
    let reason = match spread(passage, from, queue, to, chain, budget)? {
        Next::Chain => return Ok(Given::Done),
        Next::None => Given::Dropped(Dropped::Full),
        Next::Long => short,
    };
    queue.rewind(mark);
    Ok(reason)
}

/// Whether there was a next chain.
enum Next {
    /// There was.
    Chain,
    /// There was none.
    None,
    /// There is one, and there is not enough left of the budget for it.
    Long,
}

/// Takes the next chain of a receiver.
fn next<M: Shared>(queue: &mut Queue, memory: &mut M, chain: &mut Chain, budget: &mut Budget) -> Result<Next, Fault> {
    let most = budget.descriptors();
    match queue.take_within(memory, chain, most) {
        Ok(true) => {
            budget.chain(chain);
            Ok(Next::Chain)
        }
        Ok(false) => Ok(Next::None),
        Err(Fault::TooLong { .. }) if most < MAX_CHAIN => Ok(Next::Long),
        Err(fault) => Err(fault),
    }
}

/// The next chain of a receiver if it is of one buffer that can be written; mostly it is.
#[inline(always)]
fn next_only<M: Shared>(queue: &mut Queue, memory: &mut M, budget: &mut Budget) -> Option<Only> {
    let room = queue.only(memory).filter(|room| room.writable && room.length > 0 && budget.descriptors() > 0)?;
    budget.only();
    Some(room)
}

/// Copies a frame into several buffers, the first of which is in `chain`. Returns why it could not, or that all of it has a place.
fn spread<M: Shared>(
    mut passage: Passage<'_, '_>,
    from: &mut M,
    queue: &mut Queue,
    to: &mut M,
    chain: &mut Chain,
    budget: &mut Budget,
) -> Result<Next, Fault> {
    // How many there are stands in the first one, and is known in the end.
    let mut places: Vec<Segment, { HEADER as usize }> = Vec::new();
    let mut first = chain.writer();
    let mut missing = HEADER;
    while let Some(piece) = first.piece(missing) {
        missing = missing.saturating_sub(piece.length);
        // A piece has a byte at least, so that there are no more than bytes.
        let _ = places.push(piece);
    }
    let mut buffers = 1_u16;
    let copied = passage.copy(from, &mut first, to)?;
    queue.put(to, chain.head(), HEADER.saturating_add(copied))?;
    while passage.left() > 0 {
        buffers = buffers.saturating_add(1);
        if let Some(room) = next_only(queue, to, budget) {
            let copied = passage.copy(from, &mut Cursor::over(&room.segment()), to)?;
            queue.pass(to, room, copied)?;
            continue;
        }
        match next(queue, to, chain, budget)? {
            Next::Chain => {}
            other => return Ok(other),
        }
        let copied = passage.copy(from, &mut chain.writer(), to)?;
        queue.put(to, chain.head(), copied)?;
    }
    let bytes = passage.header(buffers);
    let mut rest = bytes.as_slice();
    for place in places {
        let Some((now, later)) = rest.split_at_checked(place.length as usize) else { break };
        to.copy_out(place.address, now)?;
        rest = later;
    }
    Ok(Next::Chain)
}
