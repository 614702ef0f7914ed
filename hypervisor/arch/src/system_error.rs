//! SErrors that are pending while EL2 runs.
//!
//! A guest's store may end in an error after the guest has come to EL2, where PSTATE.A masks SErrors: it stays pending, and whoever
//! is entered next would take it. So it is looked for where a core changes over. With FEAT_RAS an error that is pending is
//! deferred by ESB to DISR_EL1 (Arm ARM, RAS extension, "Error synchronization event"). What is pending even so, and everything
//! without FEAT_RAS, ISR_EL1.A shows; it is taken in a window in which EL2 does not mask it.

use crate::optional::Features;
use crate::{barrier, read_sysreg};

/// DISR_EL1.A: an error is deferred.
const DEFERRED: u64 = 1 << 31;
/// ISR_EL1.A: an SError is pending.
const PENDING: u64 = 1 << 8;
/// DISR_EL1 and ESR_EL2 of an SError have these bits in common: IDS and what it says the rest is.
const SYNDROME: u64 = 0x1ff_ffff;
/// ESR_EL2.EC of an SError, and IL.
const CLASS: u64 = 0x2f << 26 | 1 << 25;

/// Whether an SError is pending. What the core has stored must be complete ([`barrier::dsb_sy`]), and seen
/// ([`barrier::isb`]).
#[inline(always)]
pub fn is_pending(features: &Features) -> bool {
    if features.has_deferred_error() {
        return is_deferred() || shows_pending();
    }
    shows_pending()
}

/// ISR_EL1.A.
#[inline(always)]
fn shows_pending() -> bool {
    read_sysreg!("isr_el1") & PENDING != 0
}

/// Has the core defer what is pending, and tells whether there is anything. An ESB's write of DISR_EL1 needs no barrier to be
/// read (Arm ARM, DISR_EL1).
fn is_deferred() -> bool {
    barrier::esb();
    deferred() != 0
}

/// DISR_EL1 if it holds an error, else zero.
fn deferred() -> u64 {
    let value = read_sysreg!("s3_0_c12_c1_1");
    if value & DEFERRED != 0 { value } else { 0 }
}

/// Takes an SError that is [pending](is_pending): its syndrome, as ESR_EL2 would have it. None: there was none after all. Where the
/// guest goes on is not touched.
#[cold]
pub fn take(features: &Features) -> Option<u64> {
    if features.has_deferred_error() && is_deferred() {
        let value = deferred();
        // SAFETY: the error is taken; nothing else looks at the register.
        unsafe {
            crate::write_sysreg!("s3_0_c12_c1_1", 0);
        }
        return Some(syndrome_of_deferred(value));
    }
    if !shows_pending() {
        return None;
    }
    #[cfg(target_os = "none")]
    {
        // SAFETY: it unmasks SErrors for one instruction, with the vectors ready for that, and leaves all registers but those
        // that a function may change as they were.
        let syndrome = unsafe { portcullis_take_serror() };
        (syndrome != 0).then_some(syndrome)
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::take_error()
}

/// ESR_EL2 of an SError that was deferred with this DISR_EL1.
const fn syndrome_of_deferred(value: u64) -> u64 {
    CLASS | value & SYNDROME
}

#[cfg(target_os = "none")]
unsafe extern "C" {
    fn portcullis_take_serror() -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn a_deferred_error_has_the_syndrome_of_one_that_is_taken() {
        // AET 0b110, corrected; EA; DFSC 0b010001.
        let status = 0b110 << 10 | 1 << 9 | 0x11;
        assert_eq!(syndrome_of_deferred(DEFERRED | status), 0xbe00_0000 | status);
        // An implementation's own syndrome.
        assert_eq!(syndrome_of_deferred(DEFERRED | 1 << 24 | 0x12_3456), 0xbf12_3456);
    }

    #[test]
    fn one_that_is_not_deferred_is_taken_in_the_window() {
        let features = Features::here();
        assert!(!features.has_deferred_error() && !is_pending(&features));
        assert_eq!(take(&features), None, "the window is not opened for nothing");
        fake::raise_error(0xbf00_0000);
        fake::raise_error(0xbe00_0011);
        assert!(is_pending(&features));
        assert_eq!([(); 3].map(|()| take(&features)), [Some(0xbf00_0000), Some(0xbe00_0011), None]);
        assert!(!is_pending(&features));
    }

    #[test]
    fn one_that_is_deferred_is_not_taken_twice() {
        // FEAT_RAS: ID_AA64PFR0_EL1.RAS.
        fake::set("id_aa64pfr0_el1", 1 << 28);
        let features = Features::here();
        assert!(features.has_deferred_error());
        fake::set("s3_0_c12_c1_1", DEFERRED | 0x11);
        fake::raise_error(0xbf00_0000);
        assert_eq!([(); 3].map(|()| take(&features)), [Some(0xbe00_0011), Some(0xbf00_0000), None]);
        assert_eq!(fake::read("s3_0_c12_c1_1"), 0);
    }
}
