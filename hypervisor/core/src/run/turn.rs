//! What else changes with whose turn it is on a shared core: the CPU and the physical counter that it shows, and the interrupts of
//! devices that come with a VM's turns or its time. Only of VMs that have such a thing is it called.

use super::member::Member;
use super::{physical_counter, shown_cpu};
use crate::machine::Machine;
use crate::vm::Vm;

/// The bit of a VM of which a core has to know when it is its turn; none of another one.
pub fn watched(vm: &Vm) -> u32 {
    let is_watched =
        vm.lines_that_follow_turns().is_some() || physical_counter::is_own(vm) || shown_cpu::is_watched(vm);
    if is_watched { 1u32.checked_shl(vm.index as u32).unwrap_or(0) } else { 0 }
}

/// The core, which has these vCPUs, has one of the VM `to` in place of one of the VM `from`, by their numbers. Only VMs that are
/// watched are named.
pub fn change(members: &[Member], core: usize, from: Option<usize>, to: Option<usize>) {
    physical_counter::change(from, to);
    shown_cpu::change(from, to);
    let lines = |index: usize| Machine::get().vms.get(index).and_then(Vm::lines_that_follow_turns);
    if let Some((index, lines)) = from.and_then(|index| Some((index, lines(index)?))) {
        let mut on = members.iter().filter(|member| member.vcpu.vm.index == index && member.vcpu.is_on());
        lines.leave(core, on.all(|member| member.off_core.is_waiting()));
    }
    if let Some(lines) = to.and_then(lines) {
        lines.come_onto(core);
    }
}

/// On a core with windows: the time of the VMs `begins` has begun, that of the VMs `ends` is over, a bit each.
pub fn change_time(core: usize, begins: u32, ends: u32) {
    for vm in Machine::get().vms {
        let is_in = |vms: u32| vms.checked_shr(vm.index as u32).unwrap_or(0) & 1 != 0;
        if let Some(lines) = vm.lines_that_follow_turns().filter(|_| is_in(begins | ends)) {
            lines.set_time(core, is_in(begins));
        }
    }
}
