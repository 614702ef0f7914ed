//! The firmware registers by name.

use core::fmt;

use portcullis_abi::{firmware, function};

/// The PSCI versions that a VM can be shown. There is always at least PSCI 0.2, so 0.1 is none of them.
const PSCI_VERSIONS: &[u32] = &[
    function::PSCI_VERSION_0_2,
    function::PSCI_VERSION_1_0,
    function::PSCI_VERSION_1_1,
    function::PSCI_VERSION_1_2,
    function::PSCI_VERSION_1_3,
];
/// The SMCCC versions that a VM can be shown. What it is shown from 1.3 on, the SVE hint among it, is not served.
const SMCCC_VERSIONS: &[u32] = &[function::SMCCC_VERSION_1_1, function::SMCCC_VERSION_1_2];

/// One of a VM's firmware registers. Identifiers and bits are those of Linux KVM, as far as it has the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// PSCI version, `major << 16 | minor`.
    PsciVersion,
    /// State of the CVE-2017-5715 workaround.
    Workaround1,
    /// State of the CVE-2018-3639 workaround.
    Workaround2,
    /// State of the CVE-2022-23960 workaround.
    Workaround3,
    /// Bitmap of the standard secure services.
    Std,
    /// Bitmap of the standard hypervisor services.
    StdHyp,
    /// Bitmap of the vendor-specific hypervisor services, functions 0 to 63.
    VendorHyp,
    /// Bitmap of the vendor-specific hypervisor services, functions 64 to 127.
    VendorHyp2,
    /// SMCCC version, `major << 16 | minor`. Not one of KVM's.
    SmcccVersion,
    /// Bitmap of the services in the range of the silicon provider. Not one of KVM's.
    Sip,
}

impl Register {
    /// Every register in the order of a register list.
    pub const ALL: [Self; firmware::ALL.len()] = [
        Self::PsciVersion,
        Self::Workaround1,
        Self::Workaround2,
        Self::Workaround3,
        Self::Std,
        Self::StdHyp,
        Self::VendorHyp,
        Self::VendorHyp2,
        Self::SmcccVersion,
        Self::Sip,
    ];

    /// The register with this identifier, compared over all 64 bits.
    pub const fn from_id(id: u64) -> Option<Self> {
        Some(match id {
            firmware::PSCI_VERSION => Self::PsciVersion,
            firmware::WORKAROUND_1 => Self::Workaround1,
            firmware::WORKAROUND_2 => Self::Workaround2,
            firmware::WORKAROUND_3 => Self::Workaround3,
            firmware::STD => Self::Std,
            firmware::STD_HYP => Self::StdHyp,
            firmware::VENDOR_HYP => Self::VendorHyp,
            firmware::VENDOR_HYP_2 => Self::VendorHyp2,
            firmware::SMCCC_VERSION => Self::SmcccVersion,
            firmware::SIP => Self::Sip,
            _ => return None,
        })
    }

    /// The register's identifier.
    pub const fn id(self) -> u64 {
        match self {
            Self::PsciVersion => firmware::PSCI_VERSION,
            Self::Workaround1 => firmware::WORKAROUND_1,
            Self::Workaround2 => firmware::WORKAROUND_2,
            Self::Workaround3 => firmware::WORKAROUND_3,
            Self::Std => firmware::STD,
            Self::StdHyp => firmware::STD_HYP,
            Self::VendorHyp => firmware::VENDOR_HYP,
            Self::VendorHyp2 => firmware::VENDOR_HYP_2,
            Self::SmcccVersion => firmware::SMCCC_VERSION,
            Self::Sip => firmware::SIP,
        }
    }

    /// True for the registers that hold a bit per service, which the first-write rule and "clear all" clear.
    pub const fn is_bitmap(self) -> bool {
        firmware::is_bitmap(self.id())
    }

    /// The values that a register which is a version can have, in ascending order; none for any other.
    pub const fn versions(self) -> &'static [u32] {
        match self {
            Self::PsciVersion => PSCI_VERSIONS,
            Self::SmcccVersion => SMCCC_VERSIONS,
            _ => &[],
        }
    }

    /// The register's name as documentation and messages have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PsciVersion => "PSCI_VERSION",
            Self::Workaround1 => "WORKAROUND_1",
            Self::Workaround2 => "WORKAROUND_2",
            Self::Workaround3 => "WORKAROUND_3",
            Self::Std => "STD",
            Self::StdHyp => "STD_HYP",
            Self::VendorHyp => "VENDOR_HYP",
            Self::VendorHyp2 => "VENDOR_HYP_2",
            Self::SmcccVersion => "SMCCC_VERSION",
            Self::Sip => "SIP",
        }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    /// The identifiers written out once more: a manager's binary holds them as numbers.
    const IDS: [u64; 10] = [
        0x6030_0000_0014_0000,
        0x6030_0000_0014_0001,
        0x6030_0000_0014_0002,
        0x6030_0000_0014_0003,
        0x6030_0000_0016_0000,
        0x6030_0000_0016_0001,
        0x6030_0000_0016_0002,
        0x6030_0000_0016_0003,
        0xf030_0000_0014_0000,
        0xf030_0000_0016_0000,
    ];

    /// Peer case G1: the list holds FW 0 to 3 and FW_FEAT_BMAP 0 to 3, in this order; our own come behind them.
    #[test]
    fn g1_list_is_complete_and_in_order() {
        assert_eq!(Register::ALL.map(Register::id), IDS);
        assert_eq!(firmware::ALL, IDS);
        assert_eq!(IDS.map(|id| Register::from_id(id).unwrap()), Register::ALL);
    }

    #[test]
    fn a_stray_bit_makes_an_identifier_unknown() {
        for id in IDS {
            for bit in 0..64 {
                let other = id ^ 1 << bit;
                assert_eq!(Register::from_id(other).is_some(), IDS.contains(&other), "{other:#x}");
            }
        }
    }

    #[test]
    fn bitmaps_are_the_second_group() {
        for register in Register::ALL {
            assert_eq!(register.is_bitmap(), register.id() & 0xfff_0000 == 0x16_0000, "{register}");
            assert_eq!(
                register.is_bitmap(),
                crate::layout::BITMAPS & Profile(0).with(register, u64::MAX).0 != 0,
                "{register}"
            );
        }
    }
}
