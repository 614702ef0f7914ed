//! What wakes a vCPU whose guest has suspended the whole VM.

use core::sync::atomic::Ordering;

use super::Vgic;
use super::candidates::Candidates;
use super::list_register::{self, ListRegisters, State};
use super::slots::Bits;
use super::spis::ALL_BANKS;

impl Vgic {
    /// Tells whether an interrupt wakes vCPU `vcpu`, which is suspended: one that is pending and enabled in the distributor, or the
    /// redistributor, of a group that GICD_CTLR enables, and more urgent than `mask`, the guest's priority mask (ICC_PMR_EL1,
    /// GICC_PMR). Its redistributor may sleep (GICR_WAKER), and its CPU interface be off (ICC_IGRPENn_EL1, GICC_CTLR): a guest
    /// closes both before it suspends, and what wakes it is the distributor's request (IHI 0069, section 11.1).
    ///
    /// `lines` are the private interrupts whose lines are high, bits by INTID: those of the vCPU's timers, which the core has. To
    /// be asked on the vCPU's core after [`Vgic::flush_and_see`].
    pub fn wakes(&self, vcpu: usize, mask: u8, lines: u32, lrs: &impl ListRegisters) -> bool {
        let Some(this) = self.vcpu(vcpu) else { return false };
        let state = this.state.lock();
        let presented = Bits(state.slots.used & !lrs.empty())
            .map(|slot| lrs.read(slot))
            .any(|value| State::of(value).is_pending() && list_register::priority(value) < mask);
        if presented {
            return true;
        }
        let control = self.control.load(Ordering::Relaxed);
        let asserted = state.bank.most_urgent(lines & !state.bank.edge & state.bank.allowed(control));
        if asserted.is_some_and(|(priority, _)| priority < mask) {
            return true;
        }
        // More may be pending than there are list registers.
        let spis = self.spis.lock();
        let next = Candidates::new(vcpu, &state, &spis, control, ALL_BANKS).take_most_urgent(&state, &spis);
        next.is_some_and(|(priority, _)| priority < mask)
    }
}
