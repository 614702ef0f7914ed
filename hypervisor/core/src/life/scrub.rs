//! A VM that has ended is made anew: nothing of its former lives is left.

use core::sync::atomic::Ordering;

use portcullis_arch::cache;
use portcullis_board::Range;

use super::create;
use crate::machine::Machine;
use crate::memory::stage1;
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
        // SAFETY: the range is this VM's RAM; none of its vCPUs runs, nor can one before the VM is created again.
        let scrubbed = unsafe {
            stage1::with_guest_memory(piece, |memory| {
                memory.fill(0);
                cache::clean(memory.as_ptr() as usize, memory.len());
            })
        };
        if scrubbed.is_err() {
            // It was mapped to load the VM and is within EL2's map. Without being scrubbed the VM is no new one.
            self.report(Occasion::End, format_args!("{}: its memory cannot be mapped to be scrubbed", self.name()));
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
