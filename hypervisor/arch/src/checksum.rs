//! CRC-32 (IEEE 802.3) by the CPU's own instructions (FEAT_CRC32).

use crate::read_sysreg;

/// Whether this core has the CRC32 instructions (ID_AA64ISAR0_EL1.CRC32). The vectors need them too.
pub fn present() -> bool {
    cfg!(not(target_arch = "aarch64")) || (read_sysreg!("id_aa64isar0_el1") >> 16) & 0xf != 0
}

/// A CRC-32 in the making.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

impl Crc32 {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = double_word(self.0, u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.0 = single_byte(self.0, *byte);
        }
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

#[inline(always)]
fn double_word(crc: u32, word: u64) -> u32 {
    #[cfg(target_arch = "aarch64")]
    {
        let result: u32;
        // SAFETY: the instruction computes one register from two; that it exists was checked at boot.
        unsafe {
            core::arch::asm!(".arch_extension crc", "crc32x {0:w}, {1:w}, {2:x}", out(reg) result, in(reg) crc,
                in(reg) word, options(pure, nomem, nostack, preserves_flags));
        }
        result
    }
    #[cfg(not(target_arch = "aarch64"))]
    word.to_le_bytes().iter().fold(crc, |crc, byte| single_byte(crc, *byte))
}

fn single_byte(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ 0xedb8_8320 & (crc & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32() {
        let mut crc = Crc32::new();
        crc.update(b"1234");
        crc.update(b"56789");
        assert_eq!(crc.finish(), 0xcbf4_3926);
        assert_eq!(Crc32::new().finish(), 0);
    }
}
