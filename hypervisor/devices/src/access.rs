//! A guest's load or store of a device, decoded.

/// A load or store of a guest that reached no memory, as ESR_ELx.ISS describes it (Arm ARM, D19.2.37, "ISS encoding for
/// an exception from a Data Abort").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Bytes: 1, 2, 4 or 8.
    pub size: u8,
    /// General register that is loaded or stored.
    pub register: u64,
    /// It is a store.
    pub write: bool,
    sign_extend: bool,
    wide: bool,
}

impl Access {
    /// None when the syndrome does not describe the instruction: pairs, write-back, cache maintenance, table walks.
    #[inline]
    pub const fn new(syndrome: u64) -> Option<Self> {
        const ISV: u64 = 1 << 24;
        const CM: u64 = 1 << 8;
        const S1PTW: u64 = 1 << 7;
        if syndrome & ISV == 0 || syndrome & (CM | S1PTW) != 0 {
            return None;
        }
        Some(Self {
            size: 1 << (syndrome >> 22 & 3),
            register: syndrome >> 16 & 0x1f,
            write: syndrome & 1 << 6 != 0,
            sign_extend: syndrome & 1 << 21 != 0,
            wide: syndrome & 1 << 15 != 0,
        })
    }

    /// What a load of `value` leaves in its register.
    #[inline]
    pub fn extend(&self, value: u64) -> u64 {
        let shift = 64u32.saturating_sub(u32::from(self.size) * 8);
        let value = value << shift;
        let value = if self.sign_extend { (value.cast_signed() >> shift).cast_unsigned() } else { value >> shift };
        if self.wide { value } else { value & 0xffff_ffff }
    }

    /// What a store of its register's `value` puts on the bus.
    #[inline]
    pub fn truncate(&self, value: u64) -> u64 {
        value & (u64::MAX >> 64u32.saturating_sub(u32::from(self.size) * 8))
    }
}

/// A load or store of 32 bits, which a load leaves zero-extended in its register, as most registers of devices are accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// General register that is loaded or stored.
    pub register: u64,
    /// It is a store.
    pub write: bool,
}

impl Word {
    /// Bytes of it.
    pub const SIZE: u8 = 4;

    /// None when the syndrome describes another [`Access`], or none.
    #[inline]
    pub const fn new(syndrome: u64) -> Option<Self> {
        // ISV, SAS, SSE; CM and S1PTW.
        const MASK: u64 = 1 << 24 | 3 << 22 | 1 << 21 | 1 << 8 | 1 << 7;
        const WORD: u64 = 1 << 24 | 2 << 22;
        if syndrome & MASK != WORD {
            return None;
        }
        Some(Self { register: syndrome >> 16 & 0x1f, write: syndrome & 1 << 6 != 0 })
    }
}

/// Whether an abort is a translation fault (ESR_ELx.xFSC 0b0001LL): then HPFAR_EL2 holds the address.
#[inline]
pub const fn is_translation_fault(syndrome: u64) -> bool {
    syndrome & 0b11_1100 == 0b00_0100
}

/// Whether an abort is a permission fault of the access itself (ESR_ELx.xFSC 0b0011LL, no ISS.S1PTW): what it meets is mapped, and
/// no register holds the address.
#[inline]
pub const fn is_permission_fault(syndrome: u64) -> bool {
    const S1PTW: u64 = 1 << 7;
    syndrome & 0b11_1100 == 0b00_1100 && syndrome & S1PTW == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_load_is_described() {
        // ldr w1, [x0]
        let access = Access::new(1 << 24 | 2 << 22 | 1 << 16 | 5).unwrap();
        assert_eq!((access.size, access.register, access.write), (4, 1, false));
        assert_eq!(access.extend(0xffff_ffff_8000_0001), 0x8000_0001);
    }

    /// Whatever the syndrome, a word is an access that is the same by the general way.
    #[test]
    fn a_word_is_an_access_of_four_bytes() {
        for bits in 0..1_u64 << 9 {
            let bit = |from: u64, to: u64| (bits >> from & 1) << to;
            let syndrome =
                bit(0, 24) | bit(1, 22) | bit(2, 23) | bit(3, 21) | bit(4, 15) | bit(5, 8) | bit(6, 7) | bit(7, 6);
            let syndrome = syndrome | (bit(8, 16) * 0x1b);
            let access = Access::new(syndrome);
            let plain = access.filter(|access| access.size == Word::SIZE && !access.sign_extend);
            let word = plain.map(|Access { register, write, .. }| Word { register, write });
            assert_eq!(Word::new(syndrome), word, "{syndrome:#x}");
            if let Some(access) = plain {
                assert_eq!(access.extend(0xffff_ffff_8000_0001), 0x8000_0001);
                assert_eq!(access.truncate(0xffff_ffff_8000_0001), 0x8000_0001);
            }
        }
    }

    #[test]
    fn signed_loads_extend_to_their_register() {
        let ldrsb_w = Access::new(1 << 24 | 1 << 21).unwrap();
        assert_eq!(ldrsb_w.extend(0x80), 0xffff_ff80);
        let ldrsh_x = Access::new(1 << 24 | 1 << 22 | 1 << 21 | 1 << 15).unwrap();
        assert_eq!(ldrsh_x.extend(0x8000), 0xffff_ffff_ffff_8000);
    }

    #[test]
    fn permission_faults_and_external_aborts_have_no_address() {
        for level in 0..4 {
            assert!(is_translation_fault(0x9380_0000 | 0b100 | level));
            assert!(!is_translation_fault(0x9380_0000 | 0b1100 | level));
            assert!(is_permission_fault(0x9380_0000 | 0b1100 | level));
            assert!(!is_permission_fault(0x9380_0000 | 0b1100 | 1 << 7 | level), "a walk");
            assert!(!is_permission_fault(0x9380_0000 | 0b100 | level));
        }
        assert!(!is_translation_fault(0x9380_0010));
    }

    #[test]
    fn stores_are_cut_to_their_size() {
        let strb = Access::new(1 << 24 | 1 << 6).unwrap();
        assert!(strb.write);
        assert_eq!(strb.truncate(0x1234), 0x34);
        let str_x = Access::new(1 << 24 | 3 << 22 | 1 << 6 | 1 << 15).unwrap();
        assert_eq!(str_x.truncate(u64::MAX), u64::MAX);
    }

    #[test]
    fn pairs_walks_and_cache_maintenance_are_not() {
        assert_eq!(Access::new(5), None);
        assert_eq!(Access::new(1 << 24 | 1 << 7), None);
        assert_eq!(Access::new(1 << 24 | 1 << 8), None);
    }
}
