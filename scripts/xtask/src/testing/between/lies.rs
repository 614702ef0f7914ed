//! Streams that are not what they should be: each is a saved VM with something else in it, and a checksum that is right but where
//! that is what is wrong.

use anyhow::{Context, Result};
use crc::{CRC_32_ISCSI, Crc};
use portcullis_abi::state::{Firmware, Needs};
use portcullis_stream::Kind;
use portcullis_stream::layout::{Head, PAGE, Preamble, Run, Tail};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A stream that is refused.
pub struct Lie {
    /// What is made of one that is right.
    make: fn(&mut [u8]) -> Option<()>,
    /// Why it is refused, as the hypervisor says behind the VM's name.
    pub said: &'static str,
}

/// All of them.
pub const LIES: [Lie; 6] = [
    Lie {
        make: |stream| {
            let mut preamble = Preamble::read_from_prefix(stream).ok()?.0;
            preamble.version += 1;
            preamble.write_to_prefix(stream).ok()
        },
        said: "not restored: the saved VM has format version 2; version 1 is understood here",
    },
    // As from an image that serves a later version than this one.
    Lie {
        make: |stream| change(stream, Kind::Firmware, |firmware: &mut Firmware| firmware.registers[0] = 0x1_0004),
        said: "not restored: section FIRMWARE: PSCI_VERSION: 0x10004 is none of 0x2, 0x10000, 0x10001, 0x10002, 0x10003",
    },
    // A service that nobody knows.
    Lie {
        make: |stream| change(stream, Kind::Firmware, |firmware: &mut Firmware| firmware.registers[4] |= 1 << 40),
        said: "not restored: section FIRMWARE: STD: bits 0x10000000000 are not supported here",
    },
    Lie {
        make: |stream| change(stream, Kind::Needs, |needs: &mut Needs| needs.list_registers = 64),
        said: "not restored: section NEEDS: the saved VM needs 64 list registers; there are ",
    },
    // Memory behind the VM's own.
    Lie {
        make: |stream| change(stream, Kind::Zero, |run: &mut Run| run.length += 1024 * PAGE),
        said: "not restored: section ZERO: 0x",
    },
    Lie {
        make: |stream| {
            let (_, body) = section(stream, Kind::Gic)?;
            *stream.get_mut(body + 100)? ^= 1;
            Some(())
        },
        said: "not restored: section GIC: it is damaged: its checksum says 0x",
    },
];

impl Lie {
    /// What becomes of `stream`.
    ///
    /// # Errors
    ///
    /// It has not what is to be another one.
    pub fn of(&self, stream: &[u8]) -> Result<Vec<u8>> {
        let mut stream = stream.to_vec();
        (self.make)(&mut stream)
            .with_context(|| format!("the stream cannot be one of which is said: {}", self.said))?;
        Ok(stream)
    }
}

/// Changes the body of the first section of this kind, and has its checksum be right.
fn change<T: FromBytes + IntoBytes + Immutable>(
    stream: &mut [u8],
    kind: Kind,
    change: impl FnOnce(&mut T),
) -> Option<()> {
    let (head, body) = section(stream, kind)?;
    let end = body + usize::try_from(head.length).ok()?;
    // It may lie anywhere.
    let mut value = T::read_from_bytes(stream.get(body..end)?).ok()?;
    change(&mut value);
    value.write_to(stream.get_mut(body..end)?).ok()?;
    let sum = Crc::<u32>::new(&CRC_32_ISCSI).checksum(stream.get(body - size_of::<Head>()..end)?);
    Tail { sum, reserved: 0 }.write_to_prefix(stream.get_mut(end..)?).ok()
}

/// The head of the first section of this kind, and where its body begins.
fn section(stream: &[u8], kind: Kind) -> Option<(Head, usize)> {
    let mut at = size_of::<Preamble>();
    loop {
        let head = Head::read_from_prefix(stream.get(at..)?).ok()?.0;
        let body = at + size_of::<Head>();
        if head.kind == kind as u32 {
            return Some((head, body));
        }
        at = body.checked_add(usize::try_from(head.length).ok()?)?.checked_add(size_of::<Tail>())?;
    }
}
