//! A core that several vCPUs share changes over: one's list registers go, another's come.

use super::Vgic;
use super::list_register::{self, HW, ListRegisters, State};
use super::slots::Bits;
use super::vcpu::Private;

impl Vgic {
    /// Takes vCPU `vcpu` off its core, with its list registers. To be called on the core, when the vCPU's timers are off.
    ///
    /// The core's private interrupts are needed for the next vCPU, so none that is linked stays active: one that the guest
    /// has not acknowledged is dropped, because its line tells again when the timer is on again; the end of one that it
    /// handles is reported, because the hardware has nothing to end any more.
    // Inline: the switch pays nothing for those beside it who need this as well.
    #[inline(always)]
    pub fn leave_core(&self, vcpu: usize, lrs: &mut impl ListRegisters) {
        let Some(this) = self.vcpu(vcpu) else { return };
        let mut state = this.state.lock();
        for slot in Bits(state.slots.used) {
            let found = lrs.read(slot);
            state.slots.note(slot, found);
            if state.slots.intid(slot) < 32 {
                state.unlink(slot, found, lrs);
            }
            lrs.write(slot, 0);
        }
        let waiting = this.take_raised() | core::mem::take(&mut state.bank.physical);
        state.bank.latch &= !waiting;
        for intid in Bits(waiting) {
            lrs.deactivate(intid as u32);
        }
    }

    /// Gives its core the list registers of vCPU `vcpu`, as [`leave_core`](Self::leave_core) found them. All of them are
    /// empty: whoever was here has emptied those that he used.
    #[inline(always)]
    pub fn enter_core(&self, vcpu: usize, lrs: &mut impl ListRegisters) {
        let Some(this) = self.vcpu(vcpu) else { return };
        let state = this.state.lock();
        for slot in Bits(state.slots.used) {
            lrs.write(slot, state.slots.value(slot));
        }
        lrs.set_no_pending_maintenance(state.slots.maintained);
    }
}

impl Private {
    /// Loosens the private interrupt in slot `slot`, found to be `found`, from the physical one, if there is one.
    #[inline(always)]
    fn unlink(&mut self, slot: usize, found: u64, lrs: &mut impl ListRegisters) {
        let intid = self.slots.intid(slot);
        let bit = 1u32.wrapping_shl(intid);
        if self.bank.lr.physical & bit == 0 {
            return;
        }
        match State::of(found) {
            // The guest has ended it, and with it the physical one.
            State::Inactive if found & HW != 0 => return,
            State::Inactive => self.bank.lr.physical &= !bit,
            State::Pending => {
                self.slots.vacate(slot);
                self.bank.forget(bit);
            }
            State::Active | State::PendingActive => {
                let value = self.slots.report_end(slot, list_register::with_state(found, State::Active));
                self.slots.note(slot, value);
                self.bank.lr.physical &= !bit;
            }
        }
        lrs.deactivate(intid);
    }
}
