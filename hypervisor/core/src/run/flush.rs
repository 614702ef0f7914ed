//! A vCPU's interrupts, given to its guest by the list registers of its core.
//!
//! Those that go on with the guest say so themselves: so whoever ends with one of them calls it in tail position.

use portcullis_arch::vectors::Next;

use crate::cpu::gic::{Interface, VirtualControl};
use crate::vm::Vcpu;
use crate::with_interface;

impl Vcpu {
    /// Whether an interrupt is ready for the guest.
    pub fn has_interrupt(&self) -> bool {
        with_interface!(G => self.vm.vgic.has_pending(self.index, &G::here()))
    }

    /// Brings the list registers of this core up to date. Goes on with the guest.
    #[inline(never)]
    pub(super) fn flush_and_resume<G: Interface>(&self) -> Next {
        let others = self.vm.vgic.flush(self.index, &mut G::here());
        self.vm.kicks.send_by::<G>(others);
        Next::Resume
    }

    /// The same after they were brought up to date but for what has come since.
    #[inline(never)]
    pub(super) fn flush_again_and_resume<G: Interface>(&self) -> Next {
        let others = self.vm.vgic.flush_again(self.index, &mut G::here());
        self.vm.kicks.send_by::<G>(others);
        Next::Resume
    }

    /// [`flush_and_resume`](Self::flush_and_resume) whatever the GIC is.
    #[inline(never)]
    pub(super) fn flush_on_any_and_resume(&self) -> Next {
        with_interface!(G => self.flush_and_resume::<G>())
    }

    /// [`flush_interrupts`](Self::flush_interrupts) for who asks next whether it [has one](Self::has_interrupt).
    pub fn flush_interrupts_and_see(&self) {
        let others = with_interface!(G => self.vm.vgic.flush_and_see(self.index, &mut G::here()));
        self.vm.kicks.send(others);
    }

    /// Brings the list registers of this core, which is the vCPU's, up to date.
    pub fn flush_interrupts(&self) {
        let _ = self.flush_on_any_and_resume();
    }
}
