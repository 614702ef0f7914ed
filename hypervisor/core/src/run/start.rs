//! The machine's first step: VMs begin to run.

use super::shared_core::SharedCore;
use super::worker::Worker;
use crate::machine::Machine;
use crate::vm::Vm;

/// Starts every VM that starts with the machine, on its cores, which are those of `workers` and have come.
pub fn start(machine: &Machine, workers: &[Worker]) {
    machine.settle_protection();
    machine.vms.iter().for_each(Vm::place_devices);
    workers.iter().filter_map(Worker::shared_core).for_each(SharedCore::watch_turns);
    // The machine must not be taken for empty between the start and the end of a first, short VM.
    machine.vm_started();
    for vm in machine.vms.iter().filter(|vm| vm.config.settings.autostart) {
        if let Some(lock) = vm.manager_lock() {
            let started = lock.start();
            debug_assert!(started.is_ok(), "nobody else starts VMs yet");
        }
    }
    machine.vm_ended();
}
