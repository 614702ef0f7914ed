//! The virtio header of a frame: read, judged, and written anew for who gets it.

use virtio_spec::net::{HdrF, HdrGso};

use super::counters::Dropped;
use super::features::*;
use super::{ETHERNET, HEADER, LONGEST, TAG};

const NEEDS_CSUM: u8 = HdrF::NEEDS_CSUM.bits();
const ECN: u8 = HdrGso::Ecn as u8;
const NONE: u8 = HdrGso::None as u8;
const TCPV4: u8 = HdrGso::Tcpv4 as u8;
const TCPV6: u8 = HdrGso::Tcpv6 as u8;

/// A checksum that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// From where on in the frame the bytes are summed up, to its end.
    pub start: u16,
    /// Where the sum is put, from there on. Two bytes, in which the sum of the pseudo header is.
    pub offset: u16,
}

impl Checksum {
    /// Where in the frame the sum is put.
    pub const fn place(self) -> u32 {
        self.start as u32 + self.offset as u32
    }
}

/// A frame that is to be cut into segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmentation {
    /// As in the header: what it is over, and whether it has the bits of congestion notification.
    kind: u8,
    /// Bytes of a segment's payload.
    size: u16,
    /// Bytes of the headers, as far as the driver says.
    headers: u16,
}

impl Segmentation {
    /// The features of which one driver has to have all, by this table.
    const fn needs(self, tcpv4: u64, tcpv6: u64, ecn: u64) -> u64 {
        let ecn = if self.kind & ECN != 0 { ecn } else { 0 };
        ecn | if self.kind & !ECN == TCPV4 { tcpv4 } else { tcpv6 }
    }

    /// Whether a driver that accepted `features` takes such frames.
    pub const fn is_taken(self, features: u64) -> bool {
        let needs = self.needs(GUEST_TSO4, GUEST_TSO6, GUEST_ECN);
        features & needs == needs
    }

    /// Whether a driver that accepted `features` may send such frames.
    const fn is_allowed(self, features: u64) -> bool {
        let needs = self.needs(HOST_TSO4, HOST_TSO6, HOST_ECN);
        features & needs == needs
    }
}

/// What a frame's header says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Its checksum is to be finished.
    pub checksum: Option<Checksum>,
    /// It is to be cut.
    pub segmentation: Option<Segmentation>,
}

/// Bytes of the longest frame of a network of `mtu` that is not to be cut.
#[inline]
pub const fn longest(mtu: u16) -> u32 {
    ETHERNET + TAG + mtu as u32
}

impl Header {
    /// The header that receivers get of a frame of which nothing is to be done, in one buffer.
    pub const PLAIN: [u8; HEADER as usize] = Self { checksum: None, segmentation: None }.write(0, 1);

    /// Whether a header with these first eight bytes asks for nothing.
    #[inline]
    pub const fn is_plain(first: u64) -> bool {
        first & (NEEDS_CSUM as u64 | 0xff << 8) == (NONE as u64) << 8
    }

    /// Reads the header of a frame of `length` bytes, which a driver sends that accepted `features`, to a network of `mtu`. Bits
    /// that mean nothing are ignored (virtio 1.2, section 5.1.6.2.2).
    ///
    /// # Errors
    ///
    /// [`Dropped::Header`], [`Dropped::Long`].
    pub const fn read(bytes: [u8; HEADER as usize], length: u32, features: u64, mtu: u16) -> Result<Self, Dropped> {
        let [flags, kind, headers @ .., _, _] = bytes;
        let [h0, h1, s0, s1, c0, c1, o0, o1] = headers;
        let checksum = if flags & NEEDS_CSUM == 0 {
            None
        } else {
            let checksum = Checksum { start: u16::from_le_bytes([c0, c1]), offset: u16::from_le_bytes([o0, o1]) };
            let inside = checksum.start as u32 >= ETHERNET && checksum.place() + 2 <= length;
            if !inside || features & CSUM == 0 {
                return Err(Dropped::Header);
            }
            Some(checksum)
        };
        if kind == NONE {
            return if length <= longest(mtu) { Ok(Self { checksum, segmentation: None }) } else { Err(Dropped::Long) };
        }
        let segmentation =
            Segmentation { kind, size: u16::from_le_bytes([s0, s1]), headers: u16::from_le_bytes([h0, h1]) };
        let known = matches!(kind & !ECN, TCPV4 | TCPV6);
        // Whoever has it cut has its checksum finished (section 5.1.6.2.1).
        if !known || !segmentation.is_allowed(features) || segmentation.size == 0 || checksum.is_none() {
            return Err(Dropped::Header);
        }
        if length > ETHERNET + TAG + LONGEST {
            return Err(Dropped::Long);
        }
        Ok(Self { checksum, segmentation: Some(segmentation) })
    }

    /// The header of a frame of `length` bytes for a driver that takes it as it is, in `buffers` buffers.
    pub const fn write(self, length: u32, buffers: u16) -> [u8; HEADER as usize] {
        let mut flags = 0;
        let [mut c0, mut c1, mut o0, mut o1] = [0; 4];
        if let Some(checksum) = self.checksum {
            flags = NEEDS_CSUM;
            [c0, c1] = checksum.start.to_le_bytes();
            [o0, o1] = checksum.offset.to_le_bytes();
        }
        let (mut kind, [mut h0, mut h1], [mut s0, mut s1]) = (NONE, [0; 2], [0; 2]);
        if let Some(segmentation) = self.segmentation {
            kind = segmentation.kind;
            [s0, s1] = segmentation.size.to_le_bytes();
            // It is a hint, and never more than there is.
            let headers = if (segmentation.headers as u32) < length { segmentation.headers } else { 0 };
            [h0, h1] = headers.to_le_bytes();
        }
        let [n0, n1] = buffers.to_le_bytes();
        [flags, kind, h0, h1, s0, s1, c0, c1, o0, o1, n0, n1]
    }
}
