//! How a vCPU is started on its core and goes off it.

use portcullis_arch::{
    el1::El1State,
    optional::Features,
    paging, timer,
    vectors::{Handlers, Next},
    world,
};
use portcullis_vgic::{self as vgic, HARDWARE_LINKED};

use crate::cpu::gic::Interface;
use crate::cpu::physical_core::Processor;
use crate::machine::Machine;
use crate::trap::{exception, interrupt};
use crate::vm::vcpu::{Power, Vcpu};
use crate::with_interface;

impl Vcpu {
    /// Starts it on this core, which must be its own, where [`switch_on`](Self::switch_on) said. Does not return: the
    /// core comes back through the vectors.
    pub fn run(&'static self, processor: &'static Processor) -> ! {
        world::reset(&Features::here());
        with_interface!(G => G::reset_virtual_interface());
        self.show_itself();
        // Nothing that the TLB of this core remembers of a former life of the VM is true.
        paging::invalidate_vm();
        self.reset_interrupts();
        self.flush_interrupts();
        match self.sharing() {
            Some(sharing) => sharing.share.follow_enables(self),
            None => self.enable_linked(self.vm.vgic.enabled_private(self.index) & HARDWARE_LINKED, true),
        }
        let handlers = with_interface!(G => Handlers {
            interrupt: match self.sharing() {
                Some(_) => interrupt::while_sharing::<G>,
                None => interrupt::while_running::<G>,
            },
            exception: exception::taken::<G>,
        });
        self.begin(processor, handlers)
    }

    /// Enables or disables physical interrupts that are linked to virtual ones of this vCPU: a set of bits by INTID.
    /// They follow the guest's own enables, so that one it does not want is not taken.
    pub fn enable_linked(&self, set: u32, enabled: bool) {
        let set = set & HARDWARE_LINKED;
        if set == 0 {
            return;
        }
        if let Some(sharing) = self.sharing() {
            // Its core has the enables of the vCPU that is there.
            match Processor::current() {
                Some(here) if here.index == self.core && sharing.share.has_loaded(self) => {
                    sharing.share.follow_enables(self);
                }
                // It looks at both on its way to the guest, at one after the other: for each it is kicked at most once until it
                // has run.
                _ => {
                    let (first, attends) = (sharing.change_enables(), self.vm.vgic.attend(self.index));
                    if (first || attends) && self.power() != Power::Off {
                        Machine::get().kick(self.core);
                    }
                }
            }
            return;
        }
        let interrupts = Machine::get().board.interrupts;
        vgic::linked(set).for_each(|intid| interrupts.enable_private(self.core, intid, enabled));
    }

    /// The vCPU goes off this core for good or until it is switched on again. Returns what the vectors do next.
    #[cold]
    pub fn retire(&'static self) -> Next {
        self.unload();
        self.times.leaves(timer::count());
        self.vm.retired(self);
        Next::Leave
    }

    /// Takes the guest off this core and leaves nothing of it behind. The caller says what becomes of the vCPU.
    fn unload(&self) {
        El1State::RESET.load();
        match self.sharing() {
            Some(sharing) => sharing.share.give_up(),
            None => self.enable_linked(HARDWARE_LINKED, false),
        }
        self.reset_interrupts();
        with_interface!(G => G::stop_virtual_interface());
    }

    /// Drops what is pending or active for it on this core.
    fn reset_interrupts(&self) {
        self.vm.kick(with_interface!(G => self.vm.vgic.reset_vcpu(self.index, &mut G::here())));
    }
}
