//! What a vCPU that goes off, or starts, leaves behind in list registers and model.

use super::list_register::{HW, ListRegisters, State};
use super::model::Residence;
use super::slots::{Bits, MAX_SLOTS, Slots};
use super::spis;
use super::vcpu::{Private, SGIS, SPI};
use super::{VcpuSet, Vgic};

impl Vgic {
    /// Stops vCPU `vcpu`, on its core: what is pending or active for it alone is dropped, physical interrupts that it
    /// holds are deactivated, SPIs that it had not acknowledged stay pending in the distributor, its list registers are
    /// empty. Priorities, groups and enables stay, as those of a redistributor do when its core is powered off. To be
    /// called when it goes off, and on its core before it starts. Returns other vCPUs to kick.
    pub fn reset_vcpu(&self, vcpu: usize, lrs: &mut impl ListRegisters) -> VcpuSet {
        let Some(this) = self.vcpu(vcpu) else { return VcpuSet::EMPTY };
        let mut kick = VcpuSet::EMPTY;
        let events = this.take_attention();
        let mut state = this.state.lock();
        state.bank.physical |= events as u32 & !SGIS;
        let mut spis = self.spis.lock();
        for slot in state.slots.spis() {
            let Some((index, bit)) = spis::position(state.slots.intid(slot)) else { continue };
            let found = State::of(lrs.read(slot));
            spis.set_held(vcpu, index, bit, false);
            if let Some(bank) = spis.banks.get_mut(index) {
                if found.is_pending() {
                    bank.unload(bit);
                } else {
                    // One that the guest has ended through its link is inactive already.
                    let linked = bank.lr.physical & bit != 0;
                    if linked && (found.is_active() || state.slots.value(slot) & HW == 0) {
                        lrs.deactivate(state.slots.intid(slot));
                    }
                    bank.forget(bit);
                }
            }
            kick.extend(self.notify_spis(&spis, index, bit));
        }
        drop(spis);
        state.empty(lrs);
        state.bank.drop_state();
        self.sources(vcpu).clear();
        // SPIs that are routed here wait for it to run again.
        this.notify(SPI);
        kick.without(vcpu)
    }
}

impl Private {
    /// Empties the list registers and deactivates the physical interrupts that are held.
    #[inline(never)]
    pub(super) fn empty(&mut self, lrs: &mut impl ListRegisters) {
        // A linked list register may have been ended by the guest; to deactivate once more has no effect.
        for intid in Bits(self.bank.physical | self.bank.lr.physical) {
            lrs.deactivate(intid as u32);
        }
        for slot in 0..lrs.count().min(MAX_SLOTS) {
            lrs.write(slot, 0);
        }
        lrs.set_no_pending_maintenance(false);
        self.bank.physical = 0;
        self.bank.lr = Residence::NONE;
        self.slots = Slots::new();
    }
}
