//! How a vCPU comes onto its core, enters its guest, and leaves the core: what is the same whether it shares that or not.

use portcullis_arch::{
    el1::El1State,
    el2,
    optional::Features,
    paging, timer,
    vectors::{Handlers, Next},
    world,
};
use portcullis_board::Firmware;
use portcullis_vgic::{self as vgic, HARDWARE_LINKED};

use crate::cpu::gic::VirtualControl;
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::vm::Vcpu;
use crate::with_interface;

impl Vcpu {
    /// Starts it on this core, its own, which it has to itself, where [`switch_on`](Self::switch_on) said. Does not return: the
    /// core comes back through the vectors.
    pub fn start_alone(&'static self, core: &Core) -> ! {
        self.prepare();
        self.enable_alone(self.vm.vgic.enabled_private(self.index), true);
        self.begin(core, Machine::get().handlers.alone)
    }

    /// Makes this core, its own, that of a vCPU which is about to start.
    pub(super) fn prepare(&self) {
        self.prepare_registers();
        self.reset_interrupts();
        self.flush_interrupts();
    }

    /// The part of [`prepare`](Self::prepare) that is no interrupt's.
    #[inline(always)]
    pub(super) fn prepare_registers(&self) {
        world::reset(&Features::here());
        with_interface!(G => G::reset_virtual_interface());
        self.show_itself();
        // Nothing that the TLB of this core remembers of a former life of the VM is true.
        paging::invalidate_vm();
    }

    /// Enters its guest for the first time, on this core, which was [prepared](Self::prepare).
    pub(super) fn begin(&'static self, core: &Core, handlers: Handlers) -> ! {
        let wide = Machine::get().board.firmware.is_some_and(Firmware::is_wide);
        self.prepare_context(core, handlers, wide);
        // What firmware has left, or EL2 has caused since the last guest was here, is not the guest's that is yet to begin.
        core.drain_errors(None);
        // SAFETY: this is its core, and `prepare` has given that all that is the vCPU's.
        unsafe { self.enter() }
    }

    /// Goes on with the guest.
    ///
    /// # Safety
    ///
    /// Its registers must be on this core, its own.
    #[inline(always)]
    pub(super) unsafe fn go_on(&'static self) -> ! {
        if self.vm.vgic.needs_flush(self.index) {
            self.flush_interrupts();
        }
        self.count_entry();
        // SAFETY: as the caller says.
        unsafe { self.enter() }
    }

    /// Makes this core, which is the vCPU's, look like it: its number, its counter, its memory.
    pub(super) fn show_itself(&self) {
        el2::set_vcpu_number(self.index as u64);
        timer::set_virtual_offset(self.vm.counter_offset());
        // SAFETY: the VM's tables live as long as the VM and map only its own memory.
        unsafe {
            el2::set_stage2(self.vm.vttbr());
        }
    }

    /// Takes it off this core, its own, for good or until it is switched on again, and leaves nothing of its guest behind.
    /// `give_up` has the core forget the vCPU's linked interrupts. Returns what the vectors do next.
    #[cold]
    pub(super) fn leave_core(&'static self, give_up: impl FnOnce()) -> Next {
        // Whoever is next on the core has nothing to do with it.
        self.drain_errors();
        El1State::RESET.load();
        give_up();
        self.reset_interrupts();
        with_interface!(G => G::stop_virtual_interface());
        self.times.leaves(timer::count());
        self.vm.forget_on(self.core);
        self.vm.retired(self);
        Next::Leave
    }

    /// Drops what is pending or active for it on this core.
    fn reset_interrupts(&self) {
        self.vm.kicks.send(with_interface!(G => self.vm.vgic.reset_vcpu(self.index, &mut G::here())));
    }

    /// Enables or disables those physical interrupts in `set`, bits by INTID, that are linked to virtual ones of this vCPU, which
    /// has its core to itself.
    pub(super) fn enable_alone(&self, set: u32, enabled: bool) {
        let interrupts = Machine::get().board.interrupts;
        vgic::linked(set & HARDWARE_LINKED).for_each(|intid| interrupts.enable_private(self.core, intid, enabled));
    }
}
