//! The Internet checksum (RFC 1071), piece by piece.

/// A sum of 16-bit words in ones' complement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    sum: u64,
    /// A byte is missing to the last word.
    odd: bool,
}

impl Sum {
    /// Adds bytes behind those that were added before.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if self.odd
            && let Some((first, rest)) = bytes.split_first()
        {
            self.sum = self.sum.wrapping_add(u64::from(*first) << 8);
            (self.odd, bytes) = (false, rest);
        }
        // Words of any width give the same sum, and no 2^32 of them are added (RFC 1071, section 2).
        let (words, rest) = bytes.as_chunks::<4>();
        for word in words {
            self.sum = self.sum.wrapping_add(u64::from(u32::from_le_bytes(*word)));
        }
        let (halves, rest) = rest.as_chunks::<2>();
        for half in halves {
            self.sum = self.sum.wrapping_add(u64::from(u16::from_le_bytes(*half)));
        }
        if let [last] = rest {
            self.sum = self.sum.wrapping_add(u64::from(*last));
            self.odd = true;
        }
    }

    /// The checksum as it stands in a packet. Never 0, which says that there is none (RFC 768).
    pub const fn finish(self) -> [u8; 2] {
        let mut sum = self.sum;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        match !(sum as u16) {
            0 => [0xff; 2],
            sum => sum.to_le_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 1071 says it, with words in network order.
    fn plain(bytes: &[u8]) -> [u8; 2] {
        let mut sum = 0_u32;
        for pair in bytes.chunks(2) {
            let word = u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
            sum += word;
            sum = (sum & 0xffff) + (sum >> 16);
        }
        match !(sum as u16) {
            0 => [0xff; 2],
            sum => sum.to_be_bytes(),
        }
    }

    #[test]
    fn it_is_the_same_in_whatever_pieces() {
        let mut seed = 0x243f_6a88_85a3_08d3_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..if cfg!(miri) { 20 } else { 2000 } {
            let bytes: Vec<u8> = (0..random(300)).map(|_| random(256) as u8).collect();
            let (mut sum, mut rest) = (Sum::default(), bytes.as_slice());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(random(rest.len() as u64 + 1) as usize);
                sum.add(now);
                rest = later;
            }
            assert_eq!(sum.finish(), plain(&bytes), "{bytes:?}");
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let mut sum = Sum::default();
        sum.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), [0x22, 0x0d], "the complement of ddf2");
        let mut sum = Sum::default();
        sum.add(&[0xff; 20]);
        assert_eq!(sum.finish(), [0xff, 0xff]);
        let mut sum = Sum::default();
        sum.add(&[0xff; 0x1_0000]);
        assert_eq!(sum.finish(), [0xff, 0xff]);
    }
}
