//! A VM that has ended is made anew: nothing of its former lives is left.

use core::sync::atomic::Ordering;

use portcullis_board::Range;

use super::create;
use crate::machine::Machine;
use crate::memory::guest::GuestMemory;
use crate::vm::Vm;
use crate::vm::report::Occasion;
use crate::vm::state::Action;

impl Vm {
    /// Whether the VM's memory is to be scrubbed.
    pub fn is_scrubbing(&self) -> bool {
        self.state.get().action == Action::Scrub
    }

    /// On the first vCPU's core: scrubs the next piece of the VM's memory, `most` bytes at the most, and makes the VM created
    /// when there is none left.
    pub fn scrub_piece(&self, most: u64) {
        let done = self.scrubbed.load(Ordering::Relaxed);
        let start = self.memory.start.saturating_add(done);
        let piece = Range { start, end: start.saturating_add(most).min(self.memory.end) };
        if piece.size() == 0 {
            return self.make_anew();
        }
        // None of its vCPUs runs, nor can one before the VM is created again.
        let clear = |mut memory: GuestMemory| memory.clear(self.ram.saturating_add(done), piece.size() as usize).ok();
        if self.memory_on_first().and_then(clear).is_none() {
            // The piece is within its RAM, and every core that runs vCPUs has slots. Without being scrubbed the VM is no new one.
            self.report(Occasion::End, format_args!("{}: its memory cannot be reached to be scrubbed", self.name()));
            self.state.scrub_failed();
            return;
        }
        self.scrubbed.store(done.saturating_add(piece.size()), Ordering::Relaxed);
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
        // The scrubbing has written everything back.
        self.loaded.store(false, Ordering::Relaxed);
        // What it has written to its flash goes when that is loaded again, before anything of the VM runs.
        if let Some(flash) = &self.flash {
            flash.loaded.store(false, Ordering::Relaxed);
        }
        self.restarts.reset();
        *self.failure.lock() = None;
        self.pv_time.clear();
        self.bus.devices().for_each(|device| device.renew());
        create::make_row(self.row, &self.config, self.control, &Machine::get().support());
        self.state.created();
        self.report(Occasion::Repeatable, format_args!("{}: created", self.name()));
    }
}
