//! The system registers that only some CPUs have besides those of debug.

use super::slot::{Slot, slot};

const ALL: u64 = u64::MAX;
const ZERO: Option<u64> = Some(0);

/// FEAT_PAuth: the keys.
pub const KEYS: &[Slot] = &[
    slot!("APIAKeyLo_EL1", "s3_0_c2_c1_0", ALL, ZERO),
    slot!("APIAKeyHi_EL1", "s3_0_c2_c1_1", ALL, ZERO),
    slot!("APIBKeyLo_EL1", "s3_0_c2_c1_2", ALL, ZERO),
    slot!("APIBKeyHi_EL1", "s3_0_c2_c1_3", ALL, ZERO),
    slot!("APDAKeyLo_EL1", "s3_0_c2_c2_0", ALL, ZERO),
    slot!("APDAKeyHi_EL1", "s3_0_c2_c2_1", ALL, ZERO),
    slot!("APDBKeyLo_EL1", "s3_0_c2_c2_2", ALL, ZERO),
    slot!("APDBKeyHi_EL1", "s3_0_c2_c2_3", ALL, ZERO),
    slot!("APGAKeyLo_EL1", "s3_0_c2_c3_0", ALL, ZERO),
    slot!("APGAKeyHi_EL1", "s3_0_c2_c3_1", ALL, ZERO),
];

/// FEAT_RAS: the deferred error. A, IDS and ISS.
pub const DEFERRED_ERROR: &[Slot] = &[slot!("DISR_EL1", "s3_0_c12_c1_1", 1 << 31 | 0x01ff_ffff, ZERO)];
