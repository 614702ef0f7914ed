//! Which interrupts a guest is given, for who follows what a core does. Nothing of it is noted on the way: what the list registers
//! were written is compared with what the guest has left in them.

use super::Vgic;
use super::list_register::{ListRegisters, State};
use super::slots::{Bits, MAX_SLOTS};

/// What a guest has left in the list registers of its core: those that were in use.
#[derive(Clone, Copy, Debug)]
pub struct Left([u64; MAX_SLOTS]);

impl Left {
    /// Whether interrupt `intid` was pending in list register `n`.
    fn has(&self, n: usize, intid: u32) -> bool {
        let Self(values) = self;
        values.get(n).is_some_and(|&value| value as u32 == intid && State::of(value) == State::Pending)
    }
}

impl Vgic {
    /// Returns what the guest of vCPU `vcpu` has left in its list registers. To be called on its core, before they are changed.
    pub fn left(&self, vcpu: usize, lrs: &impl ListRegisters) -> Left {
        let mut values = [0; MAX_SLOTS];
        if let Some(this) = self.vcpu(vcpu) {
            for n in Bits(this.state.lock().slots.used) {
                values.get_mut(n).into_iter().for_each(|value| *value = lrs.read(n));
            }
        }
        Left(values)
    }

    /// Tells the interrupts that vCPU `vcpu` has been given since its guest had `left` its list registers so: those that are
    /// pending there now and were not. To be called on its core, before the guest goes on.
    pub fn given(&self, vcpu: usize, left: &Left, lrs: &impl ListRegisters, mut tell: impl FnMut(u32)) {
        let Some(this) = self.vcpu(vcpu) else { return };
        let used = this.state.lock().slots.used;
        for n in Bits(used) {
            let value = lrs.read(n);
            if State::of(value) == State::Pending && !left.has(n, value as u32) {
                tell(value as u32);
            }
        }
    }

    /// Tells the interrupts that were pending in the list registers of vCPU `vcpu` when its guest went on last. To be called on its
    /// core, before they are looked at again.
    pub fn presented(&self, vcpu: usize, mut tell: impl FnMut(u32)) {
        let Some(this) = self.vcpu(vcpu) else { return };
        let slots = this.state.lock().slots.clone();
        slots.in_state(State::Pending).for_each(|n| tell(slots.intid(n)));
    }
}
