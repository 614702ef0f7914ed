//! Requests of a driver: read from their chain, and judged.

use portcullis_virtio::{Chain, Fault, Shared};
use virtio_spec::blk::{S, T};

use super::geometry::{Geometry, MOST_SECTORS, NAME, SECTOR};

/// Bytes of a request's header: type, reserved, sector.
pub(super) const HEADER: u32 = 16;
/// Bytes of a range that is discarded or zeroed: sector, sectors, flags.
const RANGE: u32 = 16;
/// A flag of a range: a hole will do.
const UNMAP: u32 = 1;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// It was done.
    Ok = S::Ok as u8,
    /// It could not be done.
    Error = S::Ioerr as u8,
    /// It is not known.
    Unsupported = S::Unsupp as u8,
}

/// What is asked for; ranges are inside of the disk, in whole blocks, and have a byte at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read.
    Read,
    /// Write.
    Write,
    /// Flush.
    Flush,
    /// Discard.
    Discard,
    /// Write zeros; true: a hole will do.
    WriteZeroes(bool),
}

/// A request that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub action: Action,
    /// From which byte of the disk on.
    pub offset: u64,
    /// To how many bytes.
    pub length: u32,
}

/// What a chain turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It is to be done.
    Do(Request),
    /// The name is asked for.
    Name,
    /// It is over: it asks for nothing, or for what cannot be.
    Over(Status),
}

/// Reads the request in a chain.
///
/// # Errors
///
/// [`Fault`]: it has no header, or no place for a status.
pub(super) fn read<M: Shared>(disk: &Geometry, memory: &mut M, chain: &Chain) -> Result<Judged, Fault> {
    let (Some(sent), Some(room)) = (chain.readable().checked_sub(HEADER), chain.writable().checked_sub(1)) else {
        return Err(if chain.writable() == 0 {
            Fault::Narrow { what: "a request's status", length: 0, least: 1 }
        } else {
            Fault::Short { what: "a request's header", length: chain.readable(), least: HEADER }
        });
    };
    let mut reader = chain.reader();
    let mut header = [0; HEADER as usize];
    reader.read(memory, &mut header)?;
    let (kind, sector) = halves(header);
    // What is reserved is in the upper half.
    let (flush, name) = (T::Flush as u32, T::GetId as u32);
    let (action, offset, length) = match kind as u32 {
        kind if kind == T::In as u32 => (Action::Read, bytes(sector), room),
        kind if kind == T::Out as u32 => (Action::Write, bytes(sector), sent),
        kind if kind == flush => {
            return Ok(Judged::Do(Request { action: Action::Flush, offset: 0, length: 0 }));
        }
        kind if kind == name => {
            let fits = room as usize >= NAME;
            return Ok(if fits { Judged::Name } else { Judged::Over(Status::Error) });
        }
        kind if kind == T::Discard as u32 || kind == T::WriteZeroes as u32 => {
            if sent != RANGE {
                return Ok(Judged::Over(Status::Error));
            }
            let mut range = [0; RANGE as usize];
            reader.read(memory, &mut range)?;
            let (sector, rest) = halves(range);
            let (sectors, flags) = (rest as u32, (rest >> 32) as u32);
            let discard = kind == T::Discard as u32;
            // A flag that is not known, or that a discard may not have (section 5.2.6.2).
            if flags & !UNMAP != 0 || discard && flags != 0 {
                return Ok(Judged::Over(Status::Unsupported));
            }
            if sectors > MOST_SECTORS {
                return Ok(Judged::Over(Status::Error));
            }
            let action = if discard { Action::Discard } else { Action::WriteZeroes(flags != 0) };
            (action, bytes(sector), sectors.wrapping_mul(SECTOR as u32))
        }
        _ => return Ok(Judged::Over(Status::Unsupported)),
    };
    Ok(judge(disk, action, offset, length))
}

fn judge(disk: &Geometry, action: Action, offset: Option<u64>, length: u32) -> Judged {
    let block = u64::from(disk.block);
    let inside = |offset: &u64| {
        let end = offset.checked_add(u64::from(length));
        end.is_some_and(|end| end <= disk.size) && offset.is_multiple_of(block)
    };
    match offset.filter(inside) {
        Some(offset) if u64::from(length).is_multiple_of(block) && (action == Action::Read || !disk.read_only) => {
            if length == 0 {
                return Judged::Over(Status::Ok);
            }
            Judged::Do(Request { action, offset, length })
        }
        _ => Judged::Over(Status::Error),
    }
}

/// The byte at which a sector begins; none: behind every disk.
const fn bytes(sector: u64) -> Option<u64> {
    sector.checked_mul(SECTOR)
}

/// The two halves of 16 bytes, little-endian.
const fn halves(bytes: [u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(bytes);
    (word as u64, (word >> 64) as u64)
}
