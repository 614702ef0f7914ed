//! The generic timer as EL2 sees it.

use crate::{barrier::isb, read_sysreg, write_sysreg};

/// Counter frequency in Hz as the firmware has put it into CNTFRQ_EL0.
pub fn frequency() -> u64 {
    read_sysreg!("cntfrq_el0")
}

/// The physical counter, read in program order.
#[inline]
pub fn count() -> u64 {
    isb();
    read_sysreg!("cntpct_el0")
}

/// The physical counter, without a barrier: may be a few instructions old.
#[inline(always)]
pub fn count_relaxed() -> u64 {
    read_sysreg!("cntpct_el0")
}

/// Which of the guest's timers assert their interrupt on this core now: bits by INTID, 27 virtual, 30 physical.
pub fn guest_lines() -> u32 {
    /// CNTx_CTL: enabled, not masked, condition met.
    const ASSERTED: u64 = 0b101;
    let line = |control: u64, intid: u32| u32::from(control & 0b111 == ASSERTED) << intid;
    line(read_sysreg!("cntv_ctl_el0"), 27) | line(read_sysreg!("cntp_ctl_el0"), 30)
}

/// Whether the guest's timer with this INTID asserts its interrupt on this core now; false for other numbers.
pub fn is_asserted(intid: u32) -> bool {
    1u32.checked_shl(intid).is_some_and(|bit| guest_lines() & bit != 0)
}

/// Sets what the guest's virtual counter lags behind the physical one, in ticks.
pub fn set_virtual_offset(ticks: u64) {
    // SAFETY: CNTVOFF_EL2 only shifts the virtual counter, which EL2 does not use.
    unsafe {
        write_sysreg!("cntvoff_el2", ticks);
    }
}

/// Sets the EL2 physical timer to fire at `deadline` (a value of the physical counter), or turns it off.
pub fn set_deadline(deadline: Option<u64>) {
    // SAFETY: CNTHP_* belong to EL2 alone.
    unsafe {
        match deadline {
            Some(at) => {
                write_sysreg!("cnthp_cval_el2", at);
                write_sysreg!("cnthp_ctl_el2", 1);
            }
            None => write_sysreg!("cnthp_ctl_el2", 0),
        }
    }
}
