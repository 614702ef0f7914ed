//! Page sizes: what a kernel's header asks for, and what a CPU has.

use core::fmt;

/// A translation granule of stage 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// 4 KiB.
    Kib4,
    /// 16 KiB.
    Kib16,
    /// 64 KiB.
    Kib64,
}

impl PageSize {
    /// Reads bits 2 and 1 of the flags in an arm64 Image's header (Linux, Documentation/arch/arm64/booting.rst, section 4);
    /// none if it does not say.
    pub const fn of_header(flags: u64) -> Option<Self> {
        match flags >> 1 & 3 {
            1 => Some(Self::Kib4),
            2 => Some(Self::Kib16),
            3 => Some(Self::Kib64),
            _ => None,
        }
    }

    /// Whether a CPU with this ID_AA64MMFR0_EL1 has pages of this size (Arm ARM, D24.2.82: TGran4, TGran16, TGran64).
    pub fn is_in(self, id_aa64mmfr0: u64) -> bool {
        let field = |lowest: u32| id_aa64mmfr0 >> lowest & 0xf;
        match self {
            Self::Kib4 => field(28) != 0xf,
            Self::Kib16 => field(20) != 0,
            Self::Kib64 => field(24) != 0xf,
        }
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kib4 => "4 KiB",
            Self::Kib16 => "16 KiB",
            Self::Kib64 => "64 KiB",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [PageSize; 3] = [PageSize::Kib4, PageSize::Kib16, PageSize::Kib64];

    #[test]
    fn the_header_says_which() {
        assert_eq!([0xa, 0xc, 0xe].map(PageSize::of_header), ALL.map(Some));
        assert_eq!([0, 1, 8, 9].map(PageSize::of_header), [None; 4]);
    }

    #[test]
    fn cpus_have_what_their_manuals_say() {
        let has = |register| ALL.map(|size| size.is_in(register));
        assert_eq!(has(0x1124), [true, false, true], "Cortex-A72");
        assert_eq!(has(0x10_1122), [true; 3], "Cortex-A55");
        // With 52-bit addresses (FEAT_LPA2) the fields are 1 and 2.
        assert_eq!(has(0x1020_1122), [true; 3]);
        assert_eq!(has(0xff00_1122), [false; 3]);
    }
}
