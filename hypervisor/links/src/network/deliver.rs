//! Giving a frame to a driver.

use heapless::Vec;
use portcullis_virtio::{Budget, Chain, Fault, Mark, Queue, Segment, Shared};

use super::HEADER;
use super::counters::Dropped;
use super::features::{GUEST_CSUM, MRG_RXBUF};
use super::frame::Frame;

/// Copies a frame out of the memory `from` into the buffers of `queue`, whose driver accepted `features` and has the memory `to`.
/// The driver sees it when the queue is published. A frame for which there is no room is dropped and takes no buffer.
///
/// # Errors
///
/// [`Fault`] of the receiver: what it gave are no buffers. A frame that it does not get is dropped, in the inner result.
pub fn deliver<M: Shared>(
    frame: &Frame<'_>,
    from: &mut M,
    queue: &mut Queue,
    to: &mut M,
    chain: &mut Chain,
    features: u64,
) -> Result<Result<(), Dropped>, Fault> {
    if frame.header.segmentation.is_some_and(|segmentation| !segmentation.is_taken(features)) {
        return Ok(Err(Dropped::Unsegmented));
    }
    let mark = queue.mark();
    if !queue.take(to, chain)? {
        return Ok(Err(Dropped::Full));
    }
    if chain.writable() < HEADER {
        return Err(Fault::Narrow { what: "a frame's header", length: chain.writable(), least: HEADER });
    }
    let mut frame = *frame;
    if features & GUEST_CSUM == 0 {
        frame.finish(from)?;
    }
    let length = frame.length();
    if length <= chain.writable().saturating_sub(HEADER) {
        // One buffer, which is what drivers give for frames of no segments.
        frame.copy_whole(from, &mut chain.writer(), to)?;
        queue.put(to, chain.head(), HEADER.saturating_add(length))?;
        return Ok(Ok(()));
    }
    if features & MRG_RXBUF == 0 {
        queue.rewind(mark);
        return Ok(Err(Dropped::Small));
    }
    spread(frame, from, queue, to, chain, mark)
}

/// Copies a frame into several buffers, the first of which is in `chain`.
fn spread<M: Shared>(
    mut frame: Frame<'_>,
    from: &mut M,
    queue: &mut Queue,
    to: &mut M,
    chain: &mut Chain,
    mark: Mark,
) -> Result<Result<(), Dropped>, Fault> {
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
    let copied = frame.copy(from, &mut first, to)?;
    queue.put(to, chain.head(), HEADER.saturating_add(copied))?;
    while frame.left() > 0 {
        if u32::from(buffers) >= Budget::CHAINS || !queue.take(to, chain)? {
            queue.rewind(mark);
            return Ok(Err(Dropped::Full));
        }
        buffers = buffers.saturating_add(1);
        let copied = frame.copy(from, &mut chain.writer(), to)?;
        queue.put(to, chain.head(), copied)?;
    }
    let bytes = frame.header.write(frame.length(), buffers);
    let mut rest = bytes.as_slice();
    for place in places {
        let Some((now, later)) = rest.split_at_checked(place.length as usize) else { break };
        to.copy_out(place.address, now)?;
        rest = later;
    }
    Ok(Ok(()))
}
