//! How the registers of a vCPU leave the core that it shares, and come back.

use core::sync::atomic::Ordering;

use portcullis_arch::{el1, optional::Features, paging};

use super::member::Member;
use crate::cpu::gic::VirtualControl;
use crate::with_interface;

impl Member {
    /// Takes the vCPU off the core, which has the `features` given and the interrupts in `linked` enabled. Returns whether there is
    /// an SError to take in its name.
    #[must_use]
    #[inline(never)]
    pub fn put_away(&self, features: &Features, linked: u32) -> bool {
        let (vcpu, off_core) = (self.vcpu, self.off_core);
        self.linked.store(linked, Ordering::Relaxed);
        let has_failed = off_core.save_world(features, vcpu.vm.counter_offset(), linked);
        with_interface!(G => {
            off_core.save_interface::<G>();
            vcpu.vm.vgic.leave_core(vcpu.index, &mut G::here());
        });
        has_failed
    }

    /// Gives the core the vCPU's registers. `foreign`: another vCPU of its VM was here since.
    pub fn put_back(&self, features: &Features, foreign: bool) {
        let (vcpu, off_core) = (self.vcpu, self.off_core);
        el1::hold_walks();
        vcpu.show_itself();
        if foreign {
            // What the TLB remembers of another vCPU by the same VMID and ASID may be that one's own.
            paging::invalidate_vm();
        }
        with_interface!(G => {
            off_core.load_interface::<G>();
            vcpu.vm.vgic.enter_core(vcpu.index, &mut G::here());
        });
        off_core.load_world(features);
    }
}
