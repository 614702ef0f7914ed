//! The general case of a flush alone, to which the short ways are held.

use std::sync::atomic::Ordering;

use crate::list_register::ListRegisters;
use crate::vcpu::PRIVATE;
use crate::{VcpuSet, Vgic};

impl Vgic {
    /// [`Vgic::flush`] by the general case, whatever there is to do.
    pub fn flush_generally(&self, vcpu: usize, lrs: &mut impl ListRegisters) -> VcpuSet {
        let (this, control) = (&self.vcpus[vcpu], self.control.load(Ordering::Relaxed));
        let events = this.take_attention();
        let mut state = this.state.lock();
        if events & PRIVATE != 0 && state.bank.physical != 0 {
            state.sample_lines(lrs);
        }
        self.flush_all(vcpu, &mut state, events, control, lrs)
    }

    /// Another one in the same state.
    pub fn copy(&self) -> Self {
        let copy = Self::of_version(self.version, self.count);
        copy.control.store(self.control.load(Ordering::Relaxed), Ordering::Relaxed);
        *copy.spis.lock() = self.spis.lock().clone();
        for (to, from) in copy.vcpus.iter().zip(&self.vcpus) {
            to.set_attention(from.attention());
            *to.state.lock() = from.state.lock().clone();
        }
        for (to, from) in copy.sources.iter().zip(&self.sources) {
            (0..16).for_each(|sgi| to.add(sgi, from.of(sgi)));
        }
        copy
    }

    /// Compares all that it is with another one.
    pub fn assert_same(&self, other: &Self) {
        for (one, other) in self.vcpus.iter().zip(&other.vcpus).take(self.count) {
            assert_eq!((one.attention(), &*one.state.lock()), (other.attention(), &*other.state.lock()));
        }
        for (one, other) in self.sources.iter().zip(&other.sources) {
            (0..16).for_each(|sgi| assert_eq!(one.of(sgi), other.of(sgi)));
        }
        assert_eq!(*self.spis.lock(), *other.spis.lock());
    }
}
