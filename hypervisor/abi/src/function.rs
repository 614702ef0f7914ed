//! SMCCC function identifiers (Arm DEN0028) of every service that the gate knows.

/// `SMCCC_VERSION`.
pub const SMCCC_VERSION: u32 = 0x8000_0000;
/// `SMCCC_ARCH_FEATURES`.
pub const ARCH_FEATURES: u32 = 0x8000_0001;
/// `SMCCC_ARCH_SOC_ID`, 32-bit form.
pub const ARCH_SOC_ID: u32 = 0x8000_0002;
/// `SMCCC_ARCH_WORKAROUND_1`.
pub const ARCH_WORKAROUND_1: u32 = 0x8000_8000;
/// `SMCCC_ARCH_WORKAROUND_2`.
pub const ARCH_WORKAROUND_2: u32 = 0x8000_7fff;
/// `SMCCC_ARCH_WORKAROUND_3`.
pub const ARCH_WORKAROUND_3: u32 = 0x8000_3fff;

/// Bit 30 of a function identifier: the SMC64/HVC64 convention.
pub const SMC64: u32 = 1 << 30;

/// The watchdog call of Linux' `arm,smc-wdt`, in the range of the silicon provider; see [`crate::watchdog`].
pub const WATCHDOG: u32 = 0x8200_3d06;

/// PSCI (Arm DEN0022) `PSCI_VERSION`.
pub const PSCI_VERSION: u32 = 0x8400_0000;
/// PSCI `CPU_SUSPEND`, 32-bit form; the 64-bit form has [`SMC64`] set.
pub const PSCI_CPU_SUSPEND: u32 = 0x8400_0001;
/// PSCI `CPU_OFF`.
pub const PSCI_CPU_OFF: u32 = 0x8400_0002;
/// PSCI `CPU_ON`, 32-bit form; the 64-bit form has [`SMC64`] set.
pub const PSCI_CPU_ON: u32 = 0x8400_0003;
/// PSCI `AFFINITY_INFO`, 32-bit form; the 64-bit form has [`SMC64`] set.
pub const PSCI_AFFINITY_INFO: u32 = 0x8400_0004;
/// PSCI `MIGRATE_INFO_TYPE`.
pub const PSCI_MIGRATE_INFO_TYPE: u32 = 0x8400_0006;
/// PSCI `SYSTEM_OFF`.
pub const PSCI_SYSTEM_OFF: u32 = 0x8400_0008;
/// PSCI `SYSTEM_RESET`.
pub const PSCI_SYSTEM_RESET: u32 = 0x8400_0009;
/// PSCI `PSCI_FEATURES`.
pub const PSCI_FEATURES: u32 = 0x8400_000a;
/// PSCI `SYSTEM_SUSPEND`, 32-bit form; the 64-bit form has [`SMC64`] set.
pub const PSCI_SYSTEM_SUSPEND: u32 = 0x8400_000e;
/// PSCI `SYSTEM_RESET2`, 32-bit form; the 64-bit form has [`SMC64`] set.
pub const PSCI_SYSTEM_RESET2: u32 = 0x8400_0012;
/// PSCI `SYSTEM_OFF2`, 32-bit form; the 64-bit form has [`SMC64`] set.
pub const PSCI_SYSTEM_OFF2: u32 = 0x8400_0015;

/// TRNG (Arm DEN0098) `TRNG_VERSION`.
pub const TRNG_VERSION: u32 = 0x8400_0050;
/// TRNG `TRNG_FEATURES`.
pub const TRNG_FEATURES: u32 = 0x8400_0051;
/// TRNG `TRNG_GET_UUID`.
pub const TRNG_GET_UUID: u32 = 0x8400_0052;
/// TRNG `TRNG_RND32`: at most 96 bits.
pub const TRNG_RND32: u32 = 0x8400_0053;
/// TRNG `TRNG_RND64`: at most 192 bits.
pub const TRNG_RND64: u32 = 0xc400_0053;

/// PV time (Arm DEN0057) `PV_TIME_FEATURES`.
pub const PV_TIME_FEATURES: u32 = 0xc500_0020;
/// PV time `PV_TIME_ST`.
pub const PV_TIME_ST: u32 = 0xc500_0021;

/// Vendor hypervisor feature word, as Linux KVM defines it.
pub const VENDOR_FEATURES: u32 = 0x8600_0000;
/// Vendor hypervisor PTP call, as Linux KVM defines it.
pub const VENDOR_PTP: u32 = 0x8600_0001;
/// Vendor hypervisor UID call.
pub const VENDOR_UID: u32 = 0x8600_ff01;
/// Vendor hypervisor implementation-version call, as Linux KVM defines it.
pub const VENDOR_IMPL_VERSION: u32 = 0xc600_0040;
/// Vendor hypervisor implementation-CPU call, as Linux KVM defines it.
pub const VENDOR_IMPL_CPUS: u32 = 0xc600_0041;

/// The four words of the vendor UID 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, by which Linux recognises the KVM services.
pub const VENDOR_UID_WORDS: [u32; 4] = [0xb66f_b428, 0xe911_c52e, 0x564b_caa9, 0x743a_004d];
/// The four words of the UUID of our own TRNG backend over RNDRRS, 5b0c7f4e-93d1-4a26-8e57-1f6d20c4b38a.
pub const TRNG_UUID_RNDRRS_WORDS: [u32; 4] = [0x4e7f_0c5b, 0x264a_d193, 0x6d1f_578e, 0x8ab3_c420];
/// The same over an RNG200, f98fe7c9-6a1f-4d28-bd67-3e4a4c960331.
pub const TRNG_UUID_RNG200_WORDS: [u32; 4] = [0xc9e7_8ff9, 0x284d_1f6a, 0x4a3e_67bd, 0x3103_964c];

/// SMCCC 1.1 in the form of `SMCCC_VERSION`.
pub const SMCCC_VERSION_1_1: u32 = 0x1_0001;
/// SMCCC 1.2 in the form of `SMCCC_VERSION`.
pub const SMCCC_VERSION_1_2: u32 = 0x1_0002;
/// The version that `TRNG_VERSION` reports: 1.0.
pub const TRNG_VERSION_1_0: u32 = 0x1_0000;
/// The version that [`VENDOR_IMPL_VERSION`] reports: 1.0.
pub const IMPL_VERSION_1_0: u32 = 0x1_0000;
/// PSCI 1.3 in the form of `PSCI_VERSION`.
pub const PSCI_VERSION_1_3: u32 = 0x1_0003;
/// PSCI 1.2 in the form of `PSCI_VERSION`.
pub const PSCI_VERSION_1_2: u32 = 0x1_0002;
/// PSCI 1.1 in the form of `PSCI_VERSION`.
pub const PSCI_VERSION_1_1: u32 = 0x1_0001;
/// PSCI 1.0 in the form of `PSCI_VERSION`.
pub const PSCI_VERSION_1_0: u32 = 0x1_0000;
/// PSCI 0.2 in the form of `PSCI_VERSION`.
pub const PSCI_VERSION_0_2: u32 = 0x2;
