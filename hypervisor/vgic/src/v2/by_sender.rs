//! List registers of SGIs that are pending for each sender by itself (GICv2): one sender's is presented at a time.

use crate::Vgic;
use crate::flush::review_valid;
use crate::list_register::{self, ListRegisters, State};
use crate::model::Bank;
use crate::slots::Slots;
use crate::vcpu::SGIS;

impl Vgic {
    /// Chooses the sender of an SGI that is loaded. If there are others, their turn comes when this one has ended, which has
    /// to be reported then.
    pub(crate) fn next_source(&self, vcpu: usize, bank: &mut Bank, sgi: u32) -> u64 {
        let Some((source, others)) = self.sources(vcpu).take(sgi) else { return 0 };
        list_register::sent_by(source) | bank.await_others(sgi, others)
    }

    /// Brings the list register of an SGI that has a source, and which is not empty, up to date: what is pending for other sources
    /// waits, and does not keep this one.
    pub(crate) fn review_sgi(
        &self,
        vcpu: usize,
        bank: &mut Bank,
        slot: usize,
        slots: &mut Slots,
        control: u32,
        lrs: &mut impl ListRegisters,
    ) {
        let (sgi, found) = (slots.intid(slot), lrs.read(slot));
        let bit = 1u32.wrapping_shl(sgi);
        if State::of(found) != State::Pending {
            review_valid(bank, bit, slot, slots, 0, lrs);
        } else if bank.lr.latch & bank.allowed(control) & bit != 0 {
            // Sent once more by the same vCPU before it was taken, it is pending once.
            let others = self.sources(vcpu).remove(sgi, 1 << list_register::source(found));
            let source = list_register::sent_by(list_register::source(found));
            let waiting = bank.await_others(sgi, others);
            slots.rewrite(slot, bank.encode(sgi, sgi) | source | waiting, lrs);
        } else {
            self.give_back(vcpu, bank, found);
            slots.vacate(slot);
            bank.unload(bit);
            lrs.write(slot, 0);
        }
    }

    /// The sender of an SGI that leaves its list register unacknowledged waits again, unless that is no longer wanted
    /// (GICD_CPENDSGIRn).
    pub(crate) fn give_back(&self, vcpu: usize, bank: &Bank, value: u64) {
        let intid = value as u32;
        if intid < 32 && bank.lr.latch & SGIS & 1u32.wrapping_shl(intid) != 0 {
            self.sources(vcpu).add(intid, 1 << list_register::source(value));
        }
    }
}
