//! Time of day from the firmware, or from a hypervisor below this one: the PTP call of Linux KVM.

use core::fmt;

use portcullis_abi::firmware::VENDOR_HYP_PTP;
use portcullis_abi::function::{VENDOR_FEATURES, VENDOR_PTP, VENDOR_UID, VENDOR_UID_WORDS};

use smccc::arch::Error;
use smccc::error::positive_or_error_32;

use super::el3::El3;

/// The counter that PTP is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Counter {
    /// The caller's virtual counter.
    Virtual = 0,
    /// The physical counter.
    Physical = 1,
}

/// What the firmware's PTP is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ptp {
    /// It has none.
    Absent,
    /// It can be used: this counter of its is our physical one.
    Usable(Counter),
    /// It claims to have it, and does not tell the time.
    Silent,
    /// The counter that it tells is none of ours, so its time cannot be brought together with it.
    OtherCounter,
}

/// Time of day and the counter at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970-01-01 UTC.
    pub nanoseconds: u64,
    /// The counter that was asked for.
    pub count: u64,
}

/// Asks for the time of day. Each result is half of a number.
pub fn moment<E: El3>(counter: Counter) -> Option<Moment> {
    let [x0, x1, x2, x3, ..] = E::call32(VENDOR_PTP, [counter as u32, 0, 0, 0, 0, 0, 0]);
    let join = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    // Times up to 2262 have no sign: a negative half is an error.
    let high = positive_or_error_32::<Error>(x0).ok()?;
    Some(Moment { nanoseconds: join(high, x1), count: join(x2, x3) })
}

impl Ptp {
    /// Asks the firmware: 4 calls at the most.
    pub fn ask<E: El3>() -> Self {
        let [uid @ .., _, _, _, _] = E::call32(VENDOR_UID, [0; 7]);
        if uid != VENDOR_UID_WORDS {
            return Self::Absent;
        }
        let [features, ..] = E::call32(VENDOR_FEATURES, [0; 7]);
        if !positive_or_error_32::<Error>(features).is_ok_and(|features| u64::from(features) & VENDOR_HYP_PTP != 0) {
            return Self::Absent;
        }
        let mut worst = Self::Silent;
        for counter in [Counter::Physical, Counter::Virtual] {
            let before = E::count();
            match moment::<E>(counter) {
                Some(Moment { count, .. }) if (before..=E::count()).contains(&count) => return Self::Usable(counter),
                Some(_) => worst = Self::OtherCounter,
                None => {}
            }
        }
        worst
    }
}

impl fmt::Display for Ptp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "none"),
            Self::Usable(_) => write!(f, "Linux KVM's"),
            Self::Silent => write!(f, "not used: it tells no time"),
            Self::OtherCounter => write!(f, "not used: its counter is not ours"),
        }
    }
}
