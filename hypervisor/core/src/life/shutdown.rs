//! The end of the machine when a VM asks for it that may: the others are stopped one after the other, then the board acts.

use crate::machine::{Machine, end::End};
use crate::serial::SERIAL;
use crate::vm::Vm;
use crate::vm::state::{Action, Phase};

impl Machine {
    /// `vm`, which may, ends the machine. The first word counts. The VM ends by itself; the others are stopped in the
    /// manifest's order, each when the one before it has left its cores.
    #[cold]
    pub fn shut_down(&self, end: End, vm: &Vm) {
        if self.shutdown.decide(end) {
            log::info!(
                "{} {}",
                vm.name(),
                if end == End::Off { "switches the machine off" } else { "resets the machine" }
            );
        }
    }

    /// A VM has left its cores, or stands still: if the machine ends, the next VM is stopped, or the board acts.
    #[inline]
    pub fn go_on_with_shutdown(&self) {
        if let Some(end) = self.shutdown.wanted() {
            self.shut_down_next(end);
        }
    }

    #[cold]
    #[inline(never)]
    fn shut_down_next(&self, end: End) {
        for vm in self.vms {
            if matches!(vm.phase(), Phase::Running | Phase::Paused | Phase::GivenAway) {
                // One whose end is decided already comes back here when it is off.
                return vm.stop(Action::Off);
            }
        }
        if self.shutdown.begin() {
            log::info!("all VMs are off: {}", if end == End::Off { "power off" } else { "reset" });
            if end == End::Off {
                self.power_off();
            }
            SERIAL.drain();
            self.board.power.reset();
        }
    }
}
