//! VMs at their links: which of their cores goes on with work there, and what becomes of links when a VM does not run.

use core::fmt::Arguments;

use portcullis_abi::manage;

use super::Machine;
use crate::cpu::physical_core::Core;
use crate::devices::console::GuestConsole;
use crate::links::events::Event;
use crate::links::peer::Peer;
use crate::memory::guest::GuestMemory;
use crate::vm::failure::{Failure, Reason};
use crate::vm::report::Occasion;
use crate::vm::state::State;
use crate::vm::{Vcpu, Vm};

impl Peer for Vm {
    fn name(&self) -> &'static str {
        self.name()
    }

    #[inline]
    fn runs(&self) -> bool {
        self.state() == State::RUNNING
    }

    #[inline]
    fn memory(&self) -> Option<GuestMemory> {
        let here = Core::current()?.index;
        self.aliases.note(here).then(|| self.memory_on(here))?
    }

    #[inline]
    fn memory_again<'a>(&self, kept: &'a mut Option<GuestMemory>) -> Option<&'a mut GuestMemory> {
        let here = Core::current()?.index;
        if !self.aliases.note(here) {
            return None;
        }
        if kept.as_ref().is_none_or(|memory| memory.core() != here) {
            return self.reach_from(here, kept);
        }
        let memory = kept.as_mut()?;
        memory.let_go();
        Some(memory)
    }

    #[cold]
    fn call(&self) {
        let live = self.live();
        let here = Core::current().map(|here| here.index);
        let on = || self.vcpus().iter().filter(|vcpu| live & vcpu.bit() != 0);
        if let Some(vcpu) = on().find(|vcpu| Some(vcpu.core) == here).or_else(|| on().next()) {
            vcpu.call_to_work();
        }
    }

    fn console(&self) -> &GuestConsole {
        &self.console
    }

    fn report(&self, line: Arguments<'_>) {
        self.report(Occasion::Repeatable, line);
    }
}

impl Vcpu {
    /// Has its core go on with the VM's work at links: at once, or in the VM's own time if it shares that.
    fn call_to_work(&self) {
        let machine = Machine::get();
        match self.off_core() {
            Some(off_core) => {
                off_core.change_enables();
                self.vm.vgic.attend(self.index);
                machine.kick(self.core);
            }
            None => machine.cores.get(self.core).into_iter().for_each(|core| core.call_to_work()),
        }
    }

    /// Goes on with the VM's work at links, on this core, its own.
    #[cold]
    #[inline(never)]
    pub fn work_at_links(&self) {
        if let Some(links) = self.vm.links {
            links.work(self);
        }
    }
}

impl Vm {
    /// Keeps its RAM as core `here`, this one, reaches it, instead of what another one did.
    #[cold]
    #[inline(never)]
    fn reach_from<'a>(&self, here: usize, kept: &'a mut Option<GuestMemory>) -> Option<&'a mut GuestMemory> {
        *kept = self.memory_on(here);
        kept.as_mut()
    }

    /// The VM runs, or does so no longer.
    pub(crate) fn tell_peers(&self) {
        Machine::get().links.phase_changed(self.index);
    }

    /// Tells who reads events that the VM's phase has changed, as managers see it, or that it has started again.
    pub(crate) fn tell_phase(&self, before: u64, now: u64) {
        if self.control && now == manage::PHASE_SUSPENDED {
            // What it is told would wake it.
            return;
        }
        let restarts = u64::from(self.life.restart_policy().total());
        let value = before & 0xff | (now & 0xff) << 8 | restarts << 32;
        Machine::get().links.tell(Event::of(manage::EVENT_PHASE, self.index, value));
    }

    /// Tells who reads events that the VM has failed.
    pub(crate) fn tell_failure(&self, failure: &Failure) {
        let kind = if failure.reason == Reason::Watchdog { manage::EVENT_WATCHDOG } else { manage::EVENT_FAILED };
        Machine::get().links.tell(Event::of(kind, self.index, failure.word()));
    }

    /// The VM goes on after it stood still.
    pub(crate) fn resume_links(&self) {
        if let Some(wires) = self.wires {
            wires.resume(self);
        }
        if let Some(links) = self.links {
            links.resume();
            self.call();
            self.tell_peers();
        }
    }

    /// All vCPUs of the VM are off, and its devices at rest: has every core forget what it has mapped of its RAM.
    pub(crate) fn take_back_ram(&self) {
        if self.links.is_none() {
            return;
        }
        let mut left = self.aliases.end();
        while left != 0 {
            let core = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            match Machine::get().cores.get(core) {
                Some(other) if Core::current().is_none_or(|here| here.index != core) => other.call_to_work(),
                _ => self.forget_on(core),
            }
        }
    }

    /// Has core `core`, this one, show none of the VM's RAM any more.
    pub(crate) fn forget_on(&self, core: usize) {
        if let Some(mut memory) = self.memory_on(core) {
            memory.forget_shown();
        }
        if self.links.is_some() && self.aliases.forgotten(core) {
            // Its first vCPU's core waits to load it, or to scrub it.
            self.vcpus().first().into_iter().for_each(|first| Machine::get().kick(first.core));
        }
    }
}

impl Machine {
    /// Tells the links of the VM with the number `vm` at which something was copied since they were asked last, and how many bytes.
    pub fn take_copies(&self, vm: usize, mut tell: impl FnMut(usize, u64)) {
        for (number, link) in self.links.all().enumerate().filter(|(_, link)| link.has(vm)) {
            match link.take_copied() {
                0 => {}
                bytes => tell(number, bytes),
            }
        }
    }

    /// Has core `core`, this one, show none of the RAM of VMs that have ended.
    pub fn forget_ended(&self, core: usize) {
        self.vms.iter().filter(|vm| vm.aliases.is_to_forget(core)).for_each(|vm| vm.forget_on(core));
    }
}
