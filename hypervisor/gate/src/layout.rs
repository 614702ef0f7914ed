//! Where everything lies in the 64-bit word of a [`Profile`](crate::Profile).
//!
//! Each service is one bit, each field a few beside each other. A whole number of bytes per bitmap register leaves room for
//! services to come.
//!
//! ```text
//!  63   62   61   60   59   58  57 50 49 48 47 46 45 44 43 42 41 40 39 38 37   36 35   32 31   24 23   16 15    8 7     0
//! +----+----+----+----+----+----+-----+-----+-----+-----+-----+-----+-----+-------+-------+-------+-------+-------+-------+
//! |frz |wr  |keep|filt|ctl |soc | SIP |cond |SMCCC| WA3 | WA2 | WA1 |0,sus| major | minor |VENDOR2|VENDOR | STDHYP|  STD  |
//! +----+----+----+----+----+----+-----+-----+-----+-----+-----+-----+-----+-------+-------+-------+-------+-------+-------+
//! ```

/// Bits of the word that hold one register or property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Position of the lowest bit.
    pub shift: u32,
    /// Number of bits, at most 32.
    pub width: u32,
}

impl Field {
    const fn new(shift: u32, width: u32) -> Self {
        assert!(width >= 1 && width <= 32 && shift + width <= 64, "a field lies within the word");
        Self { shift, width }
    }

    /// The field's largest value, which is also the mask of its bits moved down to bit 0.
    pub const fn max(self) -> u64 {
        (1 << self.width) - 1
    }

    /// The mask of the field's bits in the word.
    pub const fn mask(self) -> u64 {
        self.max() << self.shift
    }

    /// The field's value in `word`.
    pub const fn get(self, word: u64) -> u64 {
        word >> self.shift & self.max()
    }

    /// `word` with the field set to `value`, of which only the bits that fit are taken.
    pub const fn put(self, word: u64, value: u64) -> u64 {
        word & !self.mask() | (value & self.max()) << self.shift
    }
}

/// STD register.
pub const STD: Field = Field::new(0, 8);
/// STD_HYP register.
pub const STD_HYP: Field = Field::new(8, 8);
/// VENDOR_HYP register.
pub const VENDOR_HYP: Field = Field::new(16, 8);
/// VENDOR_HYP_2 register.
pub const VENDOR_HYP_2: Field = Field::new(24, 8);
/// Minor number of the PSCI version.
pub const PSCI_MINOR: Field = Field::new(32, 4);
/// Major number of the PSCI version. It lies above the minor one, so both as one number compare as versions do.
pub const PSCI_MAJOR: Field = Field::new(36, 2);
/// WORKAROUND_1 register. `SMCCC_ARCH_FEATURES` answers the level minus one.
pub const WORKAROUND_1: Field = Field::new(40, 2);
/// WORKAROUND_2 register.
pub const WORKAROUND_2: Field = Field::new(42, 2);
/// WORKAROUND_3 register. `SMCCC_ARCH_FEATURES` answers the level minus one.
pub const WORKAROUND_3: Field = Field::new(44, 2);
/// SMCCC_VERSION register: its minor number less one. A word of zeros says 1.1, the least that a VM is shown.
pub const SMCCC_MINOR: Field = Field::new(46, 2);
/// The open conduits, as [`Conduits`](crate::Conduits) has them.
pub const CONDUITS: Field = Field::new(48, 2);
/// SIP register.
pub const SIP: Field = Field::new(50, 8);

/// Every bit of the bitmap registers.
pub const BITMAPS: u64 = STD.mask() | STD_HYP.mask() | VENDOR_HYP.mask() | VENDOR_HYP_2.mask() | SIP.mask();

/// Bit number: HVC is open.
pub const HVC_BIT: u32 = CONDUITS.shift;
/// Bit number: SMC is open.
pub const SMC_BIT: u32 = CONDUITS.shift + 1;
/// Bit number: there is a name of the SoC to tell.
pub const SOC_BIT: u32 = 58;
/// Bit number: the VM may suspend itself.
pub const SUSPEND_BIT: u32 = 38;
/// Bit number: the VM is the control VM, which has the management calls.
pub const CONTROL_BIT: u32 = 59;
/// Bit number: the VM has a range filter with at least one range, which stands before all bits of this word.
pub const FILTERED_BIT: u32 = 60;
/// Bit number: the first write does not clear the bitmaps.
pub const KEEP_BIT: u32 = 61;
/// Bit number: the first write has happened.
pub const WRITTEN_BIT: u32 = 62;
/// Bit number: the word is frozen. It is the sign bit.
pub const FROZEN_BIT: u32 = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps() {
        let fields = [
            STD,
            STD_HYP,
            VENDOR_HYP,
            VENDOR_HYP_2,
            PSCI_MINOR,
            PSCI_MAJOR,
            WORKAROUND_1,
            WORKAROUND_2,
            WORKAROUND_3,
            SMCCC_MINOR,
            CONDUITS,
            SIP,
        ];
        let marks =
            [SUSPEND_BIT, SOC_BIT, CONTROL_BIT, FILTERED_BIT, KEEP_BIT, WRITTEN_BIT, FROZEN_BIT].map(|bit| 1 << bit);
        let mut seen = 0;
        for mask in fields.map(Field::mask).into_iter().chain(marks) {
            assert_eq!(seen & mask, 0, "{mask:#x}");
            seen |= mask;
        }
        assert_eq!(BITMAPS, 0x03fc_0000_ffff_ffff);
        assert_eq!(PSCI_MAJOR.shift, PSCI_MINOR.shift + PSCI_MINOR.width);
    }

    #[test]
    fn put_touches_its_field_only() {
        for word in [0, u64::MAX, 0x1234_5678_9abc_def0] {
            let changed = VENDOR_HYP.put(word, 0x1a5);
            assert_eq!(VENDOR_HYP.get(changed), 0xa5);
            assert_eq!(changed & !VENDOR_HYP.mask(), word & !VENDOR_HYP.mask());
        }
    }
}
