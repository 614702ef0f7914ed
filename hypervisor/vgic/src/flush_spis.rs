//! The short way of SPIs to the list registers.

use super::flush::{finish, reported};
use super::list_register::ListRegisters;
use super::slots::{Bits, Slots, WAITING};
use super::spis::{self, BANKS};
use super::vcpu::{FRESH, Private, banks};
use super::{VcpuSet, Vgic};

impl Vgic {
    /// The usual case of SPIs: all that was presented has ended, and at most one SPI is next. The general case would come to the
    /// same result.
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
        self.receive::<L>(vcpu, &mut state.bank, events);
        let mut spis = self.spis.lock();
        let (mut kick, mut banks) = (VcpuSet::EMPTY, banks(events));
        for slot in Bits(used) {
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
