//! Firmware pseudo-registers: identifiers and bits, equal to those of Linux KVM for arm64 (`KVM_GET_ONE_REG`,
//! `Documentation/virt/kvm/arm/fw-pseudo-registers.rst`), and those that KVM has none for.
//!
//! KVM numbers its architectures in bits 63:56 of an identifier, up to 0x90. Registers of our own have 0xf0 there, and size and
//! group where KVM has them: no register of KVM's, today's or a later one, can have the identifier of one of ours.

/// Class (arm64), size (64 bit) and group of the enumerated firmware registers; bits 15:0 hold the index.
pub const GROUP_FW: u64 = 0x6030_0000_0014_0000;
/// Class (arm64), size (64 bit) and group of the bitmap firmware registers; bits 15:0 hold the index.
pub const GROUP_FW_BITMAP: u64 = 0x6030_0000_0016_0000;

/// Our own enumerated firmware registers; bits 15:0 hold the index.
pub const GROUP_OWN: u64 = 0xf030_0000_0014_0000;
/// Our own bitmap firmware registers; bits 15:0 hold the index.
pub const GROUP_OWN_BITMAP: u64 = 0xf030_0000_0016_0000;

/// PSCI version shown to the VM: `major << 16 | minor`.
pub const PSCI_VERSION: u64 = GROUP_FW;
/// State of the Spectre-v2 workaround (CVE-2017-5715) as the VM sees it.
pub const WORKAROUND_1: u64 = GROUP_FW | 1;
/// State of the speculative store bypass workaround (CVE-2018-3639) as the VM sees it.
pub const WORKAROUND_2: u64 = GROUP_FW | 2;
/// State of the Spectre-BHB workaround (CVE-2022-23960) as the VM sees it.
pub const WORKAROUND_3: u64 = GROUP_FW | 3;
/// Services of the Standard Secure owner.
pub const STD: u64 = GROUP_FW_BITMAP;
/// Services of the Standard Hypervisor owner.
pub const STD_HYP: u64 = GROUP_FW_BITMAP | 1;
/// Services of the Vendor-specific Hypervisor owner, functions 0 to 63.
pub const VENDOR_HYP: u64 = GROUP_FW_BITMAP | 2;
/// Services of the Vendor-specific Hypervisor owner, functions 64 to 127.
pub const VENDOR_HYP_2: u64 = GROUP_FW_BITMAP | 3;

/// SMCCC version shown to the VM: `major << 16 | minor`, 1.1 or 1.2.
pub const SMCCC_VERSION: u64 = GROUP_OWN;

/// Services in the range of the silicon provider.
pub const SIP: u64 = GROUP_OWN_BITMAP;

/// Every register in the order in which a register list shows them: KVM's, then our own.
pub const ALL: [u64; 10] = [
    PSCI_VERSION,
    WORKAROUND_1,
    WORKAROUND_2,
    WORKAROUND_3,
    STD,
    STD_HYP,
    VENDOR_HYP,
    VENDOR_HYP_2,
    SMCCC_VERSION,
    SIP,
];

/// Whether the register with this identifier is a bitmap, a bit per service, which the first write and REGISTER_CLEAR clear.
pub const fn is_bitmap(id: u64) -> bool {
    matches!(id & !0xffff, GROUP_FW_BITMAP | GROUP_OWN_BITMAP)
}

/// Bit of [`STD`]: the TRNG service, version 1.0 (Arm DEN0098).
pub const STD_TRNG: u64 = 1 << 0;
/// Bit of [`STD_HYP`]: paravirtualized time (Arm DEN0057).
pub const STD_HYP_PV_TIME: u64 = 1 << 0;
/// Bit of [`VENDOR_HYP`]: the vendor UID call and the feature word.
pub const VENDOR_HYP_FUNC_FEAT: u64 = 1 << 0;
/// Bit of [`VENDOR_HYP`]: the PTP clock call.
pub const VENDOR_HYP_PTP: u64 = 1 << 1;
/// Bit of [`VENDOR_HYP_2`]: the implementation-version call is announced.
pub const VENDOR_HYP_2_IMPL_VERSION: u64 = 1 << 0;
/// Bit of [`VENDOR_HYP_2`]: the implementation-CPU call is announced.
pub const VENDOR_HYP_2_IMPL_CPUS: u64 = 1 << 1;
/// Both bits: a guest asks which CPUs it may be on, and works around the errors of all of them. With one alone it does not ask.
pub const VENDOR_HYP_2_IMPL: u64 = VENDOR_HYP_2_IMPL_VERSION | VENDOR_HYP_2_IMPL_CPUS;

/// Bit of [`SIP`]: the watchdog ([`crate::watchdog`]).
pub const SIP_WATCHDOG: u64 = 1 << 0;

/// `WORKAROUND_1` and `_3`: vulnerable, no mitigation.
pub const WORKAROUND_NOT_AVAILABLE: u64 = 0;
/// `WORKAROUND_1` and `_3`: the mitigation call exists and is needed.
pub const WORKAROUND_AVAILABLE: u64 = 1;
/// `WORKAROUND_1` and `_3`: unaffected.
pub const WORKAROUND_NOT_REQUIRED: u64 = 2;
/// `WORKAROUND_2`: unaffected, or always mitigated.
pub const WORKAROUND_2_NOT_REQUIRED: u64 = 3;
