//! The short way of SPIs to the list registers.

use spin::MutexGuard;

use super::flush::{finish, reported};
use super::list_register::ListRegisters;
use super::slots::{Bits, Slots, WAITING};
use super::spis::{self, BANKS, Spis};
use super::vcpu::{FRESH, Private, banks, has_private};
use super::{VcpuSet, Vgic};

impl Vgic {
    /// The usual case of SPIs: all that was presented has ended, and at most one SPI is next. The general case would come to the
    /// same result. What is not [so simple](succeed) is a call in tail position, so that the rest needs no frame.
    #[inline(never)]
    pub(super) fn flush_spis<L: ListRegisters>(
        &self,
        vcpu: usize,
        state: &mut Private,
        events: u64,
        control: u32,
        lrs: &mut L,
    ) -> VcpuSet {
        let Slots { used, special, maintained, .. } = state.slots;
        if events & FRESH != 0 || used & !lrs.empty() != 0 || special & WAITING != 0 || maintained {
            return self.flush_all(vcpu, state, events, control, lrs);
        }
        if L::SOURCES || has_private(events) {
            self.receive::<L>(vcpu, &mut state.bank, events);
        }
        let mut spis = self.spis.lock();
        if succeed(vcpu, state, &mut spis, events, control, lrs) {
            return VcpuSet::EMPTY;
        }
        self.flush_ended(vcpu, state, spis, banks(events), control, lrs)
    }

    /// [`flush_spis`](Self::flush_spis) of whatever has ended, and whatever is next.
    #[inline(never)]
    fn flush_ended<L: ListRegisters>(
        &self,
        vcpu: usize,
        state: &mut Private,
        mut spis: MutexGuard<'_, Spis>,
        mut banks: u32,
        control: u32,
        lrs: &mut L,
    ) -> VcpuSet {
        let mut kick = VcpuSet::EMPTY;
        for slot in Bits(state.slots.used) {
            let intid = state.slots.intid(slot);
            let Some((index, bit)) = spis::position(intid) else {
                finish(&mut state.bank, 1u32.wrapping_shl(intid), slot, &mut state.slots, lrs);
                continue;
            };
            banks |= 1 << (index % BANKS);
            finish(&mut spis.banks[index % BANKS], bit, slot, &mut state.slots, lrs);
            spis.set_held(vcpu, index, bit, false);
            if bit & spis.routed(vcpu, index) == 0 {
                kick.extend(self.notify_spis(&spis, index, bit));
            }
        }
        let index = banks.trailing_zeros() as usize % BANKS;
        let next = spis.deliverable(vcpu, index, control);
        let one = banks.is_power_of_two() && next & next.wrapping_sub(1) == 0 && next & spis.waited[index] == 0;
        if !one || state.bank.deliverable(control) != 0 {
            self.present(vcpu, state, &mut spis, control, banks, lrs);
        } else if next != 0 {
            let intid = spis::intid(index, next.trailing_zeros());
            let value = reported::<L>(spis.banks[index].load(intid, intid));
            spis.set_held(vcpu, index, next, true);
            state.slots.occupy(0, value, lrs);
        }
        kick
    }
}

/// What the first list register has held, or nothing, has ended, and one SPI of one bank at most comes in its place, most often the
/// same one. None of them has a physical one behind it. False: it is not so, and nothing has changed but that a private one has
/// ended.
#[inline(always)]
fn succeed<L: ListRegisters>(
    vcpu: usize,
    Private { bank: private, slots, .. }: &mut Private,
    spis: &mut Spis,
    events: u64,
    control: u32,
    lrs: &mut L,
) -> bool {
    // What was deliverable before is in a list register; so there can be private ones only if there are news of some, or if one
    // has ended that may have come again meanwhile.
    let mut news = L::SOURCES || has_private(events);
    let banks = banks(events);
    let (index, ended) = match (slots.used, spis::position(slots.intid(0))) {
        (0, _) => (banks.trailing_zeros() as usize % BANKS, 0),
        (1, Some((index, bit))) => (index % BANKS, bit),
        (1, None) => {
            finish(private, 1u32.wrapping_shl(slots.intid(0)), 0, slots, lrs);
            news = true;
            (banks.trailing_zeros() as usize % BANKS, 0)
        }
        _ => return false,
    };
    if banks & !(1 << index) != 0 || news && private.deliverable(control) != 0 {
        return false;
    }
    debug_assert!(private.deliverable(control) == 0, "it would be in a list register");
    let routed = spis.routed(vcpu, index);
    let bank = &mut spis.banks[index];
    let next = bank.deliverable_behind(ended, control) & routed;
    let linked = bank.lr.physical & ended | (bank.physical | spis.waited[index]) & next;
    if next & next.wrapping_sub(1) | linked | ended & !routed != 0 {
        return false;
    }
    if next == 0 {
        bank.forget(ended);
        slots.vacate(0);
    } else {
        let intid = spis::intid(index, next.trailing_zeros());
        slots.hold_only(bank.succeed(ended, intid, intid), lrs);
    }
    if next != ended {
        spis.replace_held(vcpu, index, ended, next);
    }
    true
}
