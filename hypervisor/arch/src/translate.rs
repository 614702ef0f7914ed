//! A guest's own translation of an address, for aborts that do not tell the intermediate physical one.

use crate::registers::{PAR_EL1, Readable, govern};

/// PAR_EL1.F: the translation has failed.
pub(crate) const FAILED: u64 = PAR_EL1::F::SET.value;
/// PAR_EL1.PA.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The intermediate physical address of `address`, by stage 1 as this core's EL1 registers have it, read by EL0 if `at_el0`, else
/// by EL1. None: it leads nowhere, because the guest's tables have changed since the abort, or could not be read.
///
/// The guest's PAR_EL1 is as before (Arm ARM, AT S1E1R, AT S1E0R), and so is what EL2's registers say of the abort.
pub fn stage1(address: u64, at_el0: bool) -> Option<u64> {
    let kept = PAR_EL1.get();
    #[cfg(target_os = "none")]
    // SAFETY: the vectors are installed before a guest runs, whose abort this is for: an exception of the walk comes back as a
    // failure. What else the function leaves changed is PAR_EL1, which is put back below.
    let result = unsafe { portcullis_stage1(address, at_el0.into()) };
    #[cfg(not(target_os = "none"))]
    let (result, _) = (PAR_EL1.get(), at_el0);
    // SAFETY: EL2 reads the register here alone.
    unsafe {
        govern(PAR_EL1, kept);
    }
    output(result, address)
}

#[cfg(target_os = "none")]
unsafe extern "C" {
    fn portcullis_stage1(address: u64, at_el0: u64) -> u64;
}

/// What PAR_EL1 says of the translation of `address`.
const fn output(par: u64, address: u64) -> Option<u64> {
    if par & FAILED != 0 { None } else { Some(par & ADDRESS | address & !ADDRESS & 0xfff) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_into_the_page_is_the_address_s_own() {
        // Attributes of Normal memory, inner shareable, and the page at 0x0400_0000.
        assert_eq!(output(0xff00_0000_0400_0980, 0xffff_8000_0123_4567), Some(0x0400_0567));
        assert_eq!(output(0xff00_0000_0400_0981, 0xffff_8000_0123_4567), None);
    }

    #[test]
    fn an_abort_on_the_walk_is_a_failure_and_the_guest_s_result_stays() {
        // What faults.S returns then.
        assert_eq!((FAILED, output(FAILED, 0xffff_8000_0123_4567)), (1, None));
        for par in [0xff00_0000_0400_0980, FAILED, 0] {
            crate::fake::set("par_el1", par);
            assert_eq!(stage1(0x4567, false), output(par, 0x4567));
            assert_eq!(stage1(0x4567, true), output(par, 0x4567));
            assert_eq!(crate::fake::read("par_el1"), par);
        }
    }
}
