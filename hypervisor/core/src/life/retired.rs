//! vCPUs that leave their cores: with the last one, what was to become of the VM comes to pass.

use portcullis_arch::timer;

use crate::links::peer::Peer;
use crate::machine::Machine;
use crate::vm::report::Occasion;
use crate::vm::state::{Action, Phase, State};
use crate::vm::{Vcpu, Vm};

impl Vm {
    /// A vCPU has left its core. If it was the last one, what was to become of the VM comes to pass.
    pub fn retired(&self, vcpu: &Vcpu) {
        vcpu.times.stops_being_runnable(timer::count());
        if let Some(off_core) = vcpu.off_core() {
            // It may have stood still until now.
            off_core.begin(0);
        }
        // In this order: whoever finds it off may switch it on again, and then it must count as on.
        let left = self.sets.off(vcpu.bit());
        vcpu.switched_off();
        if left.on != 0 {
            if self.links.is_some() {
                // Work that this one has left is for the others.
                self.call();
            }
            return self.check_parked();
        }
        self.disconnect_devices();
        self.vgic.reset();
        self.pv_time.clear();
        self.forget_identity();
        self.shared.iter().for_each(|end| end.clear(vcpu.core));
        self.reset_watchdog();
        self.console.finish();
        self.console.reset(vcpu);
        self.bus.devices().for_each(|device| device.reset(vcpu));
        self.take_back_ram();
        let (before, after) = self.life.all_off(Machine::get().shutdown.wanted().is_some());
        self.tell_phase(before.phase.shown(), after.phase.shown());
        match (before.phase, after.phase) {
            (Phase::Running, Phase::Stopped | Phase::Failed) => {
                self.tell_peers();
                self.report_off(after.phase);
                Machine::get().vm_ended();
            }
            (_, Phase::Stopped | Phase::Failed) => {
                self.tell_peers();
                self.report_off(after.phase);
            }
            _ => {}
        }
        if after == State::RUNNING {
            let what = if before.action == Action::Fail { "failed, starts again" } else { "reset" };
            self.report(Occasion::Repeatable, format_args!("{}: {what}", self.name()));
            self.start_first_vcpu(true);
        }
        Machine::get().go_on_with_shutdown();
    }

    fn report_off(&self, phase: Phase) {
        if phase == Phase::Stopped {
            self.report(Occasion::End, format_args!("{}: off", self.name()));
        }
    }
}
