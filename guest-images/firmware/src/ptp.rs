//! The identity and the PTP service of Linux KVM (Linux, Documentation/virt/kvm/arm/ptp_kvm.rst), as a hypervisor below
//! this one would offer them.

use portcullis_abi::firmware::{VENDOR_HYP_FUNC_FEAT, VENDOR_HYP_PTP};
use portcullis_abi::function::{VENDOR_FEATURES, VENDOR_PTP, VENDOR_UID, VENDOR_UID_WORDS};

use crate::garbage::mix;
use crate::reply::{Answer, Now};

/// The time at which the counter was 0, in seconds since 1970: 2033-05-18T03:33:20Z.
pub const EPOCH: u64 = 2_000_000_000;

/// The answer to a call of these services; none if `x` is another call, or asks for a counter that there is not.
pub(crate) fn answer(is_liar: bool, now: Now, x: &[u64; 8]) -> Option<Answer> {
    match (x[0] as u32, x[1] as u32) {
        (VENDOR_UID, _) => Some(Answer::Four(VENDOR_UID_WORDS.map(u64::from))),
        (VENDOR_FEATURES, _) => Some(Answer::Four([VENDOR_HYP_FUNC_FEAT | VENDOR_HYP_PTP, 0, 0, 0])),
        // The caller is at EL2, where CNTVOFF_EL2 is 0 for all that is known here: both counters are the same.
        (VENDOR_PTP, 0 | 1) => {
            // The upper bits of a liar's counter are all ones, which no counter that began with 0 reaches.
            let count = if is_liar { !(mix(now.count) >> 8) } else { now.count };
            Some(Answer::Four([time(now) >> 32, time(now) & 0xffff_ffff, count >> 32, count & 0xffff_ffff]))
        }
        _ => None,
    }
}

/// Nanoseconds since 1970.
pub fn time(now: Now) -> u64 {
    let nanoseconds = u128::from(now.count) * 1_000_000_000 / u128::from(now.frequency);
    (u128::from(EPOCH) * 1_000_000_000 + nanoseconds) as u64
}
