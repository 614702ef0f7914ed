//! A VM that has ended is made anew: nothing of its former lives is left.

use core::sync::atomic::Ordering;

use portcullis_abi::manage;

use super::create;
use crate::machine::Machine;
use crate::memory::guest::GuestMemory;
use crate::vm::Vm;
use crate::vm::report::Occasion;
use crate::vm::state::Action;

impl Vm {
    /// Whether the VM's memory is to be scrubbed.
    pub fn is_scrubbing(&self) -> bool {
        self.state().action == Action::Scrub
    }

    /// On the first vCPU's core: scrubs the next piece of the VM's memory, `most` bytes at the most, and makes the VM created
    /// when there is none left. The memory is its RAM, behind that the cells of its second bank of flash (nothing but its file was
    /// ever in the first one), and behind those what its devices keep.
    pub fn scrub_piece(&self, most: u64) {
        if !self.aliases.are_gone() {
            // Others have it mapped yet.
            return;
        }
        let done = self.life.scrubbed();
        // None of its vCPUs runs, nor can one before the VM is created again.
        let (memory, start, left) = match (done.checked_sub(self.memory.size()), &self.flash) {
            (None, _) => {
                (self.memory_on_first(), self.ram.saturating_add(done), self.memory.size().saturating_sub(done))
            }
            (Some(start), Some(flash)) => {
                let cells = self.vcpus().first().and_then(|vcpu| flash.second_on(vcpu.core));
                (cells, start, flash.banks.second.size().saturating_sub(start))
            }
            (Some(_), None) => (None, 0, 0),
        };
        let size = left.min(most);
        if size == 0 {
            if self.links.is_some_and(|links| links.scrub(most)) {
                return;
            }
            return self.make_anew();
        }
        let in_ram = done < self.memory.size();
        let clear = |mut memory: GuestMemory| match in_ram {
            true => memory.clear(start, size as usize).ok(),
            false => memory.fill(start, size as usize, 0).ok(),
        };
        if memory.and_then(clear).is_none() {
            // The piece is within its memory, and every core that runs vCPUs has slots. Without being scrubbed the VM is no new
            // one.
            self.report(Occasion::End, format_args!("{}: its memory cannot be reached to be scrubbed", self.name()));
            self.life.scrub_failed();
            return;
        }
        self.life.set_scrubbed(done.saturating_add(size));
    }

    /// Everything but the memory, then the state, which hands it over to the managers.
    fn make_anew(&self) {
        // Every vCPU is off, and the state lets none be switched on.
        self.wait_manager_lock().clear_filter();
        for vcpu in self.vcpus() {
            vcpu.account().clear();
            vcpu.reset_account();
        }
        self.audit.reset();
        // What its files have is put into its flash again before anything of the VM runs.
        if let Some(flash) = &self.flash {
            flash.loaded.store(false, Ordering::Relaxed);
        }
        self.pv_time.clear();
        self.console.clear_log();
        self.bus.devices().for_each(|device| device.renew());
        let machine = Machine::get();
        create::make_row(self.row, &self.config, self.control, &machine.support(self));
        machine.limit_workarounds(self);
        let before = self.phase();
        self.life.created();
        self.tell_phase(before.shown(), manage::PHASE_CREATED);
        self.report(Occasion::Repeatable, format_args!("{}: created", self.name()));
    }
}
