//! CRC-32 (IEEE 802.3) and CRC-32C (RFC 3720, appendix B.4) by the CPU's own instructions (FEAT_CRC32).

use crate::read_sysreg;

/// Whether this core has the CRC32 instructions (ID_AA64ISAR0_EL1.CRC32). The vectors need them too.
pub fn present() -> bool {
    cfg!(not(target_os = "none")) || (read_sysreg!("id_aa64isar0_el1") >> 16) & 0xf != 0
}

/// A CRC-32 in the making.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

impl Crc32 {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Takes in more bytes: single ones up to the first whole word, then words, two loads for four of them, then the rest.
    /// Code that never loads unaligned words would put each one together from eight bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        // SAFETY: any eight bytes are a `u64`.
        let (head, words, tail) = unsafe { bytes.align_to::<u64>() };
        let crc = head.iter().fold(self.0, |crc, byte| single_byte(crc, *byte));
        let (fours, words) = words.as_chunks::<4>();
        let crc = fours.iter().fold(crc, |crc, four| four.iter().fold(crc, |crc, word| double_word(crc, *word)));
        let crc = words.iter().fold(crc, |crc, word| double_word(crc, *word));
        self.0 = tail.iter().fold(crc, |crc, byte| single_byte(crc, *byte));
    }

    /// The CRC of all bytes taken in.
    pub const fn finish(self) -> u32 {
        !self.0
    }
}

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes in eight bytes, as they lie in memory.
#[inline(always)]
fn double_word(crc: u32, word: u64) -> u32 {
    #[cfg(target_os = "none")]
    {
        let result: u32;
        // SAFETY: the instruction computes one register from two; that it exists was checked at boot.
        unsafe {
            core::arch::asm!(".arch_extension crc", "crc32x {0:w}, {1:w}, {2:x}", out(reg) result, in(reg) crc,
                in(reg) word.to_le(), options(pure, nomem, nostack, preserves_flags));
        }
        result
    }
    #[cfg(not(target_os = "none"))]
    word.to_ne_bytes().iter().fold(crc, |crc, byte| single_byte(crc, *byte))
}

/// Takes in one byte.
#[inline(always)]
fn single_byte(crc: u32, byte: u8) -> u32 {
    #[cfg(target_os = "none")]
    {
        let result: u32;
        // SAFETY: as in `double_word`.
        unsafe {
            core::arch::asm!(".arch_extension crc", "crc32b {0:w}, {1:w}, {2:w}", out(reg) result, in(reg) crc,
                in(reg) u32::from(byte), options(pure, nomem, nostack, preserves_flags));
        }
        result
    }
    #[cfg(not(target_os = "none"))]
    (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ 0xedb8_8320 & (crc & 1).wrapping_neg())
}

/// Takes `bytes` into a CRC-32C in the making. It begins with all bits set, and is inverted in the end.
pub fn crc32c(sum: u32, bytes: &[u8]) -> u32 {
    #[cfg(target_os = "none")]
    {
        let result: u32;
        // SAFETY: it reads the bytes of the slice; that the instructions exist was checked at boot. A word that is not aligned is
        // loaded at once, which the compiler may not do by itself: SCTLR_EL2.A is 0.
        unsafe {
            core::arch::asm!(
                ".arch_extension crc",
                "subs {left}, {left}, #16",
                "b.lo 3f",
                "2:",
                "ldp {a}, {b}, [{from}], #16",
                "crc32cx {sum:w}, {sum:w}, {a}",
                "crc32cx {sum:w}, {sum:w}, {b}",
                "subs {left}, {left}, #16",
                "b.hs 2b",
                "3:",
                "adds {left}, {left}, #16",
                "b.eq 5f",
                "4:",
                "ldrb {a:w}, [{from}], #1",
                "crc32cb {sum:w}, {sum:w}, {a:w}",
                "subs {left}, {left}, #1",
                "b.ne 4b",
                "5:",
                from = inout(reg) bytes.as_ptr() => _,
                left = inout(reg) bytes.len() => _,
                sum = inout(reg) sum => result,
                a = out(reg) _,
                b = out(reg) _,
                options(nostack, readonly),
            );
        }
        result
    }
    #[cfg(not(target_os = "none"))]
    {
        let mut sum = sum;
        for byte in bytes {
            let of = CASTAGNOLI.get(usize::from(sum as u8 ^ byte)).copied();
            sum = sum >> 8 ^ of.unwrap_or_default();
        }
        sum
    }
}

/// The CRC-32C of bytes that never change, which is worked out a piece at a time.
#[derive(Clone, Copy, Debug)]
pub struct Pieces {
    done: usize,
    sum: u32,
}

impl Pieces {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self { done: 0, sum: u32::MAX }
    }

    /// Takes in the next piece of `bytes`, `most` of them at the most. True: there is no more.
    pub fn take_in(&mut self, bytes: &[u8], most: usize) -> bool {
        let rest = bytes.get(self.done..).unwrap_or_default();
        let piece = rest.get(..most).unwrap_or(rest);
        self.sum = crc32c(self.sum, piece);
        self.done = self.done.saturating_add(piece.len());
        self.done >= bytes.len()
    }

    /// The CRC of the bytes taken in.
    pub const fn finish(self) -> u32 {
        !self.sum
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self::new()
    }
}

/// What CRC-32C makes of each byte. Tests on a host save and restore whole VMs.
#[cfg(not(target_os = "none"))]
static CASTAGNOLI: [u32; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = sum >> 1 ^ 0x82f6_3b78 & (sum & 1).wrapping_neg();
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32c_in_whatever_pieces() {
        let whole = b"123456789";
        for middle in 0..=whole.len() {
            let (first, second) = whole.split_at(middle);
            assert_eq!(!crc32c(crc32c(u32::MAX, first), second), 0xe306_9283);
        }
    }

    #[test]
    fn a_piece_at_a_time_is_as_good_as_all_at_once() {
        for most in 1..12 {
            let (mut pieces, mut calls) = (Pieces::new(), 1);
            while !pieces.take_in(b"123456789", most) {
                calls += 1;
            }
            assert_eq!((pieces.finish(), calls), (0xe306_9283, 9_usize.div_ceil(most)));
            assert!(pieces.take_in(b"123456789", most) && pieces.finish() == 0xe306_9283, "there is no more");
        }
        assert!(Pieces::new().take_in(b"", 1) && Pieces::new().finish() == 0);
    }

    /// The sum of `bytes`, byte by byte.
    fn plain(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| single_byte(crc, *byte))
    }

    #[test]
    fn the_check_value_of_crc_32() {
        let mut crc = Crc32::new();
        crc.update(b"1234");
        crc.update(b"56789");
        assert_eq!(crc.finish(), 0xcbf4_3926);
        assert_eq!(Crc32::new().finish(), 0);
    }

    #[test]
    fn every_alignment_and_length_gives_the_same_sum() {
        let bytes: Vec<u8> = (0..128u32).map(|n| (n * 37 + 11) as u8).collect();
        for start in 0..16 {
            for end in (start..bytes.len()).step_by(if cfg!(miri) { 61 } else { 1 }) {
                let mut crc = Crc32::new();
                crc.update(&bytes[start..end]);
                assert_eq!(crc.finish(), plain(&bytes[start..end]), "{start} to {end}");
            }
        }
    }

    #[test]
    fn pieces_add_up() {
        let bytes = [0xa5; 70];
        for middle in (0..bytes.len()).step_by(if cfg!(miri) { 17 } else { 1 }) {
            let mut crc = Crc32::new();
            crc.update(&bytes[..middle]);
            crc.update(&bytes[middle..]);
            assert_eq!(crc.finish(), plain(&bytes));
        }
    }
}
