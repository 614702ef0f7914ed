//! Function identifiers: the number in w0 that names the call (Arm DEN0028).

use core::fmt;

/// Bit 31: fast call. Clear: yielding call.
const FAST: u32 = 1 << 31;
/// Bit 30: SMC64/HVC64 convention.
const SMC64: u32 = 1 << 30;
/// Bit 16: the caller has no live SVE state (SMCCC 1.3 and later; reserved before).
const SVE_HINT: u32 = 1 << 16;
/// Bits 23:17: zero in a fast call.
const RESERVED: u32 = 0x00fe_0000;

/// An SMCCC function identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// The convention of a call: width of its arguments and results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// SMC32/HVC32: 32-bit arguments.
    Smc32,
    /// SMC64/HVC64: 64-bit arguments.
    Smc64,
}

/// Who owns a function identifier: its bits 29:24 (DEN0028, owning entity numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// 0: Arm architecture calls.
    Arch,
    /// 1: CPU service calls.
    Cpu,
    /// 2: silicon provider calls.
    Sip,
    /// 3: OEM calls.
    Oem,
    /// 4: standard secure service calls: PSCI, TRNG, SDEI, FF-A.
    StandardSecure,
    /// 5: standard hypervisor service calls: PV time.
    StandardHypervisor,
    /// 6: vendor-specific hypervisor service calls.
    VendorHypervisor,
    /// 7 to 47: reserved.
    Reserved(u8),
    /// 48 and 49: trusted applications.
    TrustedApplication(u8),
    /// 50 to 63: trusted operating systems.
    TrustedOs(u8),
}

impl FunctionId {
    /// The identifier in `x0`. It is w0: bits 63:32 of x0 do not belong to it and are ignored.
    #[allow(clippy::cast_possible_truncation, reason = "the identifier is the low word")]
    pub const fn from_x0(x0: u64) -> Self {
        Self(x0 as u32)
    }

    /// The owner, bits 29:24.
    pub const fn owner(self) -> Owner {
        let owner = self.0.to_be_bytes()[0] & 0x3f;
        match owner {
            0 => Owner::Arch,
            1 => Owner::Cpu,
            2 => Owner::Sip,
            3 => Owner::Oem,
            4 => Owner::StandardSecure,
            5 => Owner::StandardHypervisor,
            6 => Owner::VendorHypervisor,
            48 | 49 => Owner::TrustedApplication(owner),
            50.. => Owner::TrustedOs(owner),
            _ => Owner::Reserved(owner),
        }
    }

    /// The function number within the owner's range, bits 15:0.
    pub const fn number(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// True for a fast call, false for a yielding one.
    pub const fn is_fast(self) -> bool {
        self.0 & FAST != 0
    }

    /// True for the SMC64/HVC64 convention.
    pub const fn is_64(self) -> bool {
        self.0 & SMC64 != 0
    }

    /// The convention as a type.
    pub const fn width(self) -> Width {
        if self.is_64() { Width::Smc64 } else { Width::Smc32 }
    }

    /// Bit 16: from SMCCC 1.3 on, the caller's promise that it has no live SVE state.
    pub const fn sve_hint(self) -> bool {
        self.0 & SVE_HINT != 0
    }

    /// Bits 23:17, which are zero in every defined fast call.
    pub const fn reserved(self) -> u32 {
        (self.0 & RESERVED) >> 17
    }

    /// True for a fast call whose bits 23:16 are zero: the only form that SMCCC 1.1, which we report, defines.
    pub const fn is_well_formed(self) -> bool {
        self.0 & (FAST | RESERVED | SVE_HINT) == FAST
    }
}

impl fmt::Debug for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_fast() { "fast" } else { "yielding" };
        write!(
            f,
            "FunctionId({:#010x}: {kind} {:?}, {:?}, number {:#x}",
            self.0,
            self.width(),
            self.owner(),
            self.number()
        )?;
        if self.sve_hint() {
            write!(f, ", SVE hint")?;
        }
        if self.reserved() != 0 {
            write!(f, ", reserved bits {:#x}", self.reserved())?;
        }
        write!(f, ")")
    }
}

impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let id = FunctionId::from_x0(0xffff_ffff_c400_0053);
        assert_eq!(id, FunctionId(0xc400_0053));
        assert!(id.is_fast() && id.is_64() && id.is_well_formed() && !id.sve_hint());
        assert_eq!((id.owner(), id.number(), id.reserved()), (Owner::StandardSecure, 0x53, 0));
        assert_eq!(id.width(), Width::Smc64);
    }

    #[test]
    fn every_owner_has_its_name() {
        let owner = |number: u32| FunctionId(0x8000_0000 | number << 24).owner();
        assert_eq!(owner(0), Owner::Arch);
        assert_eq!(owner(1), Owner::Cpu);
        assert_eq!(owner(2), Owner::Sip);
        assert_eq!(owner(3), Owner::Oem);
        assert_eq!(owner(5), Owner::StandardHypervisor);
        assert_eq!(owner(6), Owner::VendorHypervisor);
        assert_eq!(owner(7), Owner::Reserved(7));
        assert_eq!(owner(47), Owner::Reserved(47));
        assert_eq!(owner(48), Owner::TrustedApplication(48));
        assert_eq!(owner(49), Owner::TrustedApplication(49));
        assert_eq!(owner(50), Owner::TrustedOs(50));
        assert_eq!(owner(63), Owner::TrustedOs(63));
    }

    #[test]
    fn malformed_identifiers_are_seen() {
        assert!(!FunctionId(0x0400_0000).is_well_formed());
        assert!(!FunctionId(0x8401_0000).is_well_formed());
        for bit in 17..24 {
            let id = FunctionId(0x8400_0000 | 1 << bit);
            assert!(!id.is_well_formed());
            assert_eq!(id.reserved(), 1 << (bit - 17));
        }
        assert!(FunctionId(0x8401_0000).sve_hint());
    }

    #[test]
    fn debug_shows_the_fields() {
        assert_eq!(
            format!("{:?}", FunctionId(0xc503_0021)),
            "FunctionId(0xc5030021: fast Smc64, StandardHypervisor, number 0x21, SVE hint, reserved bits 0x1)"
        );
        assert_eq!(format!("{}", FunctionId(0x10)), "0x00000010");
    }
}
