//! The generic timer as EL2 sees it.

use crate::registers::{
    CNTFRQ_EL0, CNTHCTL_EL2, CNTHP_CTL_EL2, CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTPCT_EL0, CNTV_CTL_EL0, CNTVOFF_EL2,
    ID_AA64MMFR0_EL1, Readable, govern,
};
use crate::{barrier::isb, cpu, el1::El1State, read_sysreg, write_sysreg};

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

/// When the next of a vCPU's timers asserts its interrupt, in ticks of the physical counter; [`u64::MAX`] is never. `state` is
/// what it has set them to, `offset` what its virtual counter lags behind, and `wanted` says which count, bits by INTID as in
/// [`guest_lines`]. `physical_offset` is asked for what its physical counter lags behind without EL2, if it uses the timer on that.
#[inline(always)]
pub fn next_deadline(state: &El1State, offset: u64, wanted: u32, physical_offset: impl FnOnce() -> u64) -> u64 {
    /// CNTx_CTL: enabled and not masked, whether the condition is met or not.
    const COUNTS: u64 = CNTV_CTL_EL0::ENABLE::SET.value;
    let counts = |control: u64, intid: u32| control & 0b11 == COUNTS && wanted >> intid & 1 != 0;
    let r#virtual = if counts(state.cntv_ctl, 27) { state.cntv_cval.saturating_add(offset) } else { u64::MAX };
    // Most guests have no other.
    if counts(state.cntp_ctl, 30) {
        return r#virtual.min(state.cntp_cval.saturating_add(physical_offset()));
    }
    r#virtual
}

/// Sets what the guest's virtual counter lags behind the physical one, in ticks.
pub fn set_virtual_offset(ticks: u64) {
    // SAFETY: CNTVOFF_EL2 only shifts the virtual counter, which EL2 does not use.
    unsafe {
        govern(CNTVOFF_EL2, ticks);
    }
}

/// CNTHCTL_EL2.ECV: CNTPOFF_EL2 is taken off the physical counter that EL1 and EL0 see, and their timer goes by that.
const OFFSETS: u64 = 1 << 12;

/// Whether this core can take something off EL1's physical counter (FEAT_ECV_POFF: ID_AA64MMFR0_EL1.ECV is 2 or more), and does
/// so: QEMU 10 on a machine without EL3 does not.
pub fn has_physical_offset() -> bool {
    match cpu::physical_offset_works() {
        Some(works) => works,
        None => find_physical_offset(),
    }
}

/// Finds that out, and notes it. What the timer of EL1 is set to on this core stays as it is.
#[cold]
fn find_physical_offset() -> bool {
    let works = ID_AA64MMFR0_EL1.get() >> 60 >= 2 && try_physical_offset();
    cpu::note_physical_offset(works);
    works
}

/// Looks whether EL1's physical timer is before its time with an offset, where it would be behind it without.
fn try_physical_offset() -> bool {
    let before = (CNTHCTL_EL2.get(), CNTP_CTL_EL0.get(), CNTP_CVAL_EL0.get());
    let now = count();
    // SAFETY: CNTPOFF_EL2, which the core has, shifts what EL1 and EL0 see; the timer is EL1's, masked, and set back below.
    unsafe {
        govern(CNTP_CTL_EL0, CNTP_CTL_EL0::ENABLE::SET.value | CNTP_CTL_EL0::IMASK::SET.value);
        write_sysreg!("s3_4_c14_c0_6", now);
        govern(CNTHCTL_EL2, crate::el2::CNTHCTL | OFFSETS);
        govern(CNTP_CVAL_EL0, now / 2);
    }
    // The status is that of the timer as it is now set (Arm ARM, D12.2.4).
    isb();
    let works = !CNTP_CTL_EL0.is_set(CNTP_CTL_EL0::ISTATUS);
    let (access, control, compare) = before;
    // SAFETY: as it was; where the counter is offset it is shown with the right one before a guest comes that sees it.
    unsafe {
        write_sysreg!("s3_4_c14_c0_6", 0);
        govern(CNTHCTL_EL2, access);
        govern(CNTP_CVAL_EL0, compare);
        govern(CNTP_CTL_EL0, control);
    }
    isb();
    works
}

/// Has EL1's physical counter on this core lag behind the machine's by so many ticks, and its timer go by that; or neither, for
/// none. Where the core [cannot do that](has_physical_offset), what EL1 and EL0 do with them comes to EL2 instead.
///
/// It takes effect on the way into the guest.
pub fn show_physical(lag: Option<u64>) {
    let control = match lag {
        None => crate::el2::CNTHCTL,
        Some(_) if !has_physical_offset() => 0,
        Some(ticks) => {
            // SAFETY: CNTPOFF_EL2, which the core has; it shifts what EL1 and EL0 see.
            unsafe {
                write_sysreg!("s3_4_c14_c0_6", ticks);
            }
            crate::el2::CNTHCTL | OFFSETS
        }
    };
    // SAFETY: what of a guest's comes to EL2; nothing else changes.
    unsafe {
        govern(CNTHCTL_EL2, control);
    }
}

/// What EL1's physical counter on this core lags behind the machine's without EL2.
#[inline(always)]
pub fn physical_offset() -> u64 {
    if CNTHCTL_EL2.get() & OFFSETS != 0 { read_sysreg!("s3_4_c14_c0_6") } else { 0 }
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
    use crate::fake;

    #[test]
    fn the_next_timer_is_the_earliest_that_counts() {
        let state = El1State { cntv_ctl: 1, cntv_cval: 100, cntp_ctl: 5, cntp_cval: 120, ..El1State::RESET };
        let both = 1 << 27 | 1 << 30;
        let next = |state: &El1State, offset, wanted| next_deadline(state, offset, wanted, || 0);
        assert_eq!(next(&state, 10, both), 110);
        assert_eq!(next(&state, 30, both), 120);
        assert_eq!(next(&state, 10, 1 << 30), 120);
        assert_eq!(next(&El1State { cntv_ctl: 3, ..state }, 0, both), 120);
        assert_eq!(next(&El1State { cntv_ctl: 0, cntp_ctl: 0, ..state }, 0, both), u64::MAX);
        assert_eq!(next(&El1State { cntv_cval: u64::MAX, ..state }, 10, 1 << 27), u64::MAX);
        assert_eq!(
            next_deadline(&El1State { cntv_ctl: 0, ..state }, 10, 1 << 27, || panic!("no such timer")),
            u64::MAX
        );
        assert_eq!(next_deadline(&El1State { cntv_ctl: 0, cntp_ctl: 1, ..state }, 10, both, || 7), 127);
    }

    #[test]
    fn a_physical_counter_is_offset_where_the_core_can_and_else_comes_to_el2() {
        let shown = || (fake::read("cnthctl_el2"), physical_offset());
        for (ecv, own) in [(0, (0, 0)), (1, (0, 0)), (2, (0b11 | 1 << 12, 500))] {
            fake::set("id_aa64mmfr0_el1", ecv << 60);
            fake::set("cntpct_el0", 10_000);
            fake::set("cntp_cval_el0", 77);
            show_physical(Some(500));
            assert_eq!((fake::read("cntp_cval_el0"), fake::read("cntp_ctl_el0")), (77, 0), "it is left as it was");
            assert_eq!(shown(), own, "FEAT_ECV {ecv}");
            show_physical(None);
            assert_eq!(shown(), (0b11, 0));
        }
    }
}
