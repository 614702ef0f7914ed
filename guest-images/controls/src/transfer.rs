//! What is moved by the port of data, and how that stands.

use portcullis_abi::manage::*;

use crate::calls::Calls;
use crate::names::name;
use crate::pieces;
use crate::status::Status;

/// Pieces of a reason that are read at the most: more than one has.
const PIECES: u64 = 64;

/// How the transfer stands that was begun last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// A `TRANSFER_*` that says what it is.
    pub what: u64,
    /// The VM.
    pub vm: u64,
    /// It has not ended.
    pub goes_on: bool,
    /// Its bytes go by the port of data.
    pub by_port: bool,
    /// Bytes that were moved.
    pub bytes: u64,
    /// How it has ended.
    pub status: Status,
}

impl Transfer {
    /// What it is, in one word.
    pub fn what_name(&self) -> &'static str {
        name(&TRANSFERS, self.what)
    }
}

/// `TRANSFER_STATE`.
///
/// # Errors
/// The call's status.
pub fn state<C: Calls + ?Sized>(calls: &mut C) -> Result<Transfer, C::Error> {
    let [what, bytes, status] = calls.call(TRANSFER_STATE, [0; 3])?;
    Ok(Transfer {
        what: what & 0xff,
        vm: what >> 8 & 0xff,
        goes_on: what & TRANSFER_GOES_ON != 0,
        by_port: what & TRANSFER_BY_PORT != 0,
        bytes,
        status: Status(status.cast_signed()),
    })
}

/// `TRANSFER_REASON`: why the last transfer has failed, in words, piece by piece; nothing if it has not, or its status says all.
///
/// # Errors
/// The call's status.
pub fn reason<C: Calls + ?Sized>(calls: &mut C, take: impl FnMut(&[u8])) -> Result<(), C::Error> {
    pieces::read(calls, PIECES, |calls, position| calls.call(TRANSFER_REASON, [position, 0, 0]), take)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// A hypervisor that tells this reason.
    struct Told(&'static [u8]);

    impl Calls for Told {
        type Error = Status;

        fn call(&mut self, function: u32, [position, ..]: [u64; 3]) -> Result<[u64; 3], Status> {
            if function == TRANSFER_STATE {
                let what = TRANSFER_RESTORE | 3 << 8 | TRANSFER_BY_PORT;
                return Ok([what, 77, UNFIT.cast_unsigned()]);
            }
            let rest = self.0.get(position as usize..).filter(|rest| !rest.is_empty()).ok_or(Status(NO_ITEM))?;
            let count = rest.len().min(16);
            let mut bytes = [0; 16];
            bytes[..count].copy_from_slice(&rest[..count]);
            let text = u128::from_le_bytes(bytes);
            Ok([(position + count as u64) | (count as u64) << 56, text as u64, (text >> 64) as u64])
        }
    }

    #[test]
    fn a_reason_is_read_to_its_end_whatever_its_length() {
        for text in ["", "x", "sixteen bytes ..", "seventeen bytes ..", "this is no saved VM; one begins with PORTC-VM"]
        {
            let mut read = Vec::new();
            reason(&mut Told(text.as_bytes()), |piece| read.extend_from_slice(piece)).unwrap();
            assert_eq!(read, text.as_bytes());
        }
    }

    #[test]
    fn a_state_is_taken_apart() {
        let transfer = state(&mut Told(b"")).unwrap();
        let expected = Transfer { what: 2, vm: 3, goes_on: false, by_port: true, bytes: 77, status: Status(UNFIT) };
        assert_eq!((transfer, transfer.what_name()), (expected, "restore"));
    }
}
