//! What the firmware says of the SoC (DEN0028 section 7.4).

use portcullis_board::SocId;
use smccc::arch::{self, SMCCC_ARCH_SOC_ID, SocIdType};

use super::el3::El3;

/// Asks firmware of SMCCC 1.2 or later, to which the call belongs: 3 calls at the most.
pub fn ask<E: El3>(smccc: arch::Version) -> Option<SocId> {
    if smccc.major == 1 && smccc.minor < 2 {
        return None;
    }
    arch::features::<E>(SMCCC_ARCH_SOC_ID).ok()?;
    Some(SocId {
        version: arch::soc_id::<E>(SocIdType::Version).ok()?,
        revision: arch::soc_id::<E>(SocIdType::Revision).ok()?,
    })
}
