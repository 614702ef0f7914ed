//! The generic timer as EL2 sees it.

use crate::registers::{
    CNTFRQ_EL0, CNTHCTL_EL2, CNTHP_CTL_EL2, CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTPCT_EL0, CNTV_CTL_EL0, CNTVOFF_EL2,
    Readable, govern,
};
use crate::{barrier::isb, el1::El1State, write_sysreg};

/// Counter frequency in Hz as the firmware has put it into CNTFRQ_EL0.
pub fn frequency() -> u64 {
    CNTFRQ_EL0.get()
}

/// The physical counter, read in program order.
#[inline]
pub fn count() -> u64 {
    isb();
    CNTPCT_EL0.get()
}

/// The physical counter, without a barrier: may be a few instructions old.
#[inline(always)]
pub fn count_relaxed() -> u64 {
    CNTPCT_EL0.get()
}

/// Which of the guest's timers assert their interrupt on this core now: bits by INTID, 27 virtual, 30 physical.
pub fn guest_lines() -> u32 {
    /// CNTx_CTL: enabled, not masked, condition met.
    const ASSERTED: u64 = CNTV_CTL_EL0::ENABLE::SET.value | CNTV_CTL_EL0::ISTATUS::SET.value;
    let line = |control: u64, intid: u32| u32::from(control & 0b111 == ASSERTED) << intid;
    line(CNTV_CTL_EL0.get(), 27) | line(CNTP_CTL_EL0.get(), 30)
}

/// Whether the guest's timer with this INTID asserts its interrupt on this core now; false for other numbers.
pub fn is_asserted(intid: u32) -> bool {
    1u32.checked_shl(intid).is_some_and(|bit| guest_lines() & bit != 0)
}

/// Turns the guest's timers off.
pub fn stop_guest_timers() {
    // SAFETY: they are the guest's; EL2 has its own.
    unsafe {
        govern(CNTV_CTL_EL0, 0);
        govern(CNTP_CTL_EL0, 0);
    }
    isb();
}

/// When the next of a vCPU's timers asserts its interrupt, in ticks of the physical counter: `state` is what it has set them
/// to, `offset` what its virtual counter lags behind, and `wanted` says which count, bits by INTID as in [`guest_lines`].
#[inline(always)]
pub fn next_deadline(state: &El1State, offset: u64, wanted: u32) -> Option<u64> {
    /// CNTx_CTL: enabled and not masked, whether the condition is met or not.
    const COUNTS: u64 = CNTV_CTL_EL0::ENABLE::SET.value;
    let timer =
        |control: u64, intid: u32, at: u64| (control & 0b11 == COUNTS && wanted >> intid & 1 != 0).then_some(at);
    let r#virtual = timer(state.cntv_ctl, 27, state.cntv_cval.saturating_add(offset));
    let physical = timer(state.cntp_ctl, 30, state.cntp_cval);
    r#virtual.into_iter().chain(physical).min()
}

/// Sets what the guest's virtual counter lags behind the physical one, in ticks.
pub fn set_virtual_offset(ticks: u64) {
    // SAFETY: CNTVOFF_EL2 only shifts the virtual counter, which EL2 does not use.
    unsafe {
        govern(CNTVOFF_EL2, ticks);
    }
}

/// Has what EL1 and EL0 do with the physical counter and the physical timer of EL1 come to EL2 on this core, or not any more.
pub fn trap_physical(traps: bool) {
    // SAFETY: what of a guest's comes to EL2; nothing else changes. It takes effect on the way into the guest.
    unsafe {
        govern(CNTHCTL_EL2, if traps { 0 } else { crate::el2::CNTHCTL });
    }
}

/// Ticks until EL1's physical timer on this core fires, negative behind that: CNTP_TVAL_EL0.
pub fn physical_timer_value() -> i32 {
    CNTP_CVAL_EL0.get().wrapping_sub(count()) as i32
}

/// Has EL1's physical timer on this core fire in so many ticks.
pub fn set_physical_timer_value(ticks: i32) {
    set_physical_timer_compare(count().wrapping_add_signed(ticks.into()));
}

/// CNTP_CTL_EL0 of this core.
pub fn physical_timer_control() -> u64 {
    isb();
    CNTP_CTL_EL0.get()
}

/// Sets CNTP_CTL_EL0 of this core.
pub fn set_physical_timer_control(control: u64) {
    // SAFETY: the timer is the guest's; EL2 has its own.
    unsafe {
        govern(CNTP_CTL_EL0, control & (CNTV_CTL_EL0::ENABLE::SET.value | CNTV_CTL_EL0::IMASK::SET.value));
    }
    isb();
}

/// When EL1's physical timer on this core fires, in ticks of the machine's counter: CNTP_CVAL_EL0.
pub fn physical_timer_compare() -> u64 {
    CNTP_CVAL_EL0.get()
}

/// Sets CNTP_CVAL_EL0 of this core.
pub fn set_physical_timer_compare(at: u64) {
    // SAFETY: as above.
    unsafe {
        govern(CNTP_CVAL_EL0, at);
    }
    isb();
}

/// Stops the virtual timer of the guest that stands still on this core, so that it does not fire. Returns what it was set to, for
/// [`release_virtual_timer`].
pub fn hold_virtual_timer() -> u64 {
    let control = CNTV_CTL_EL0.get();
    // SAFETY: the timer is the guest's, which does not run.
    unsafe {
        govern(CNTV_CTL_EL0, 0);
    }
    isb();
    control
}

/// Sets the virtual timer of this core's guest back to what it was before [`hold_virtual_timer`], with a counter that lags behind
/// by `offset`.
pub fn release_virtual_timer(control: u64, offset: u64) {
    set_virtual_offset(offset);
    // The timer must not see the counter of before (Arm ARM, D24.1.2.2: no order without a context synchronization event).
    isb();
    // SAFETY: as above.
    unsafe {
        govern(CNTV_CTL_EL0, control);
    }
    isb();
}

/// Sets the EL2 physical timer to fire at `deadline` (a value of the physical counter), or turns it off.
pub fn set_deadline(deadline: Option<u64>) {
    // SAFETY: CNTHP_* belong to EL2 alone.
    unsafe {
        match deadline {
            Some(at) => {
                write_sysreg!("cnthp_cval_el2", at);
                govern(CNTHP_CTL_EL2, CNTHP_CTL_EL2::ENABLE::SET.value);
            }
            None => govern(CNTHP_CTL_EL2, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_timer_is_the_earliest_that_counts() {
        let state = El1State { cntv_ctl: 1, cntv_cval: 100, cntp_ctl: 5, cntp_cval: 120, ..El1State::RESET };
        let both = 1 << 27 | 1 << 30;
        assert_eq!(next_deadline(&state, 10, both), Some(110));
        assert_eq!(next_deadline(&state, 30, both), Some(120));
        assert_eq!(next_deadline(&state, 10, 1 << 30), Some(120));
        assert_eq!(next_deadline(&El1State { cntv_ctl: 3, ..state }, 0, both), Some(120));
        assert_eq!(next_deadline(&El1State { cntv_ctl: 0, cntp_ctl: 0, ..state }, 0, both), None);
        assert_eq!(next_deadline(&El1State { cntv_cval: u64::MAX, ..state }, 10, 1 << 27), Some(u64::MAX));
    }
}
