//! Lines of the hypervisor's log about a VM. What a guest can cause goes through here, so that none fills the log.

use core::fmt::Arguments;

use portcullis_arch::timer;

use super::Vm;
pub use super::rate::Occasion;
use crate::serial::SERIAL;

impl Vm {
    /// Writes a line about this VM to the log, unless there were too many of them of late ([`LineRate`](super::rate::LineRate));
    /// the next one then says how many were left out.
    pub fn report(&self, occasion: Occasion, line: Arguments) {
        let last = occasion == Occasion::End;
        let mut rate = self.lines.lock();
        let Some(left_out) = rate.take(occasion, timer::count(), timer::frequency()) else { return };
        if left_out != 0 {
            SERIAL.log_about(self.index, last, format_args!("{}: {left_out} more lines were left out", self.name()));
        }
        if !SERIAL.log_about(self.index, last, line) {
            rate.leave_out();
        }
    }
}
