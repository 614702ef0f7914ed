//! Which vCPUs each core runs, and how they share it.

use alloc::boxed::Box;
use core::fmt;

use portcullis_arch::timer;
use portcullis_bundle::CoreConfig;

use super::shared_core::SharedCore;
use super::worker::{Work, Worker};
use crate::schedule::{RoundRobin, Task, Window, Windows};
use crate::vm::{Vcpu, Vm};

/// A VM asks for a core that the board lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchCore {
    /// The VM.
    pub vm: &'static str,
    /// Number of the core.
    pub core: usize,
    /// Number of the board's cores.
    pub cores: usize,
}

impl fmt::Display for NoSuchCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vm, core, cores } = self;
        write!(f, "{vm} wants core {core}; this board has cores 0 to {}", cores.saturating_sub(1))
    }
}

impl core::error::Error for NoSuchCore {}

/// Makes the vCPUs of `vms` and gives them their cores, those of `workers`. One that is alone on its core is not scheduled there,
/// unless the core has a cyclic schedule, one of `schedules`, or the VM is one that can be saved or is shown another CPU.
///
/// # Errors
///
/// [`NoSuchCore`].
pub fn assign(vms: &'static [Vm], workers: &'static [Worker], schedules: &[CoreConfig<'_>]) -> Result<(), NoSuchCore> {
    for vcpu in vms.iter().flat_map(|vm| vm.add_vcpus()) {
        let none = NoSuchCore { vm: vcpu.vm.name(), core: vcpu.core, cores: workers.len() };
        vcpu.vm.kicks.place(vcpu.index, &workers.get(vcpu.core).ok_or(none)?.core);
    }
    for worker in workers {
        let vcpus = vms.iter().flat_map(Vm::vcpus).filter(|vcpu| vcpu.core == worker.core.index);
        let vcpus: Box<[&'static Vcpu]> = vcpus.collect();
        let schedule = schedules.iter().find(|core| core.number as usize == worker.core.index);
        match (&*vcpus, schedule) {
            ([], _) => {}
            // Of one that can be saved nothing stays on the core when it stands still. Of one that is shown another CPU it is known
            // when it comes and goes.
            ([vcpu], None) if !vcpu.vm.config.settings.movable && vcpu.vm.cpu.is_none() => worker.give(Work::One(vcpu)),
            (_, schedule) => worker.give(Work::Several(share(&vcpus, schedule))),
        }
    }
    Ok(())
}

/// Makes a core that these vCPUs share.
fn share(vcpus: &[&'static Vcpu], schedule: Option<&CoreConfig<'_>>) -> &'static SharedCore {
    let tasks =
        vcpus.iter().map(|vcpu| Task::new(vcpu.vm.index, ticks(vcpu.vm.config.slices.microseconds(vcpu.index))));
    let policy = RoundRobin::new(tasks.collect(), schedule.map(windows));
    let shared: &'static SharedCore = Box::leak(Box::new(SharedCore::new(policy)));
    vcpus.iter().for_each(|vcpu| vcpu.share_core());
    shared.give(vcpus);
    shared
}

fn windows(schedule: &CoreConfig<'_>) -> Windows {
    let window = |window: portcullis_bundle::Window| {
        let (start, end) = (ticks(window.start), ticks(window.start.saturating_add(window.length)));
        Window { vm: window.vm, start, length: end.saturating_sub(start) }
    };
    Windows::new(ticks(schedule.frame), schedule.windows().map(window).collect(), schedule.background)
}

/// Microseconds in ticks of the physical counter.
fn ticks(microseconds: u32) -> u64 {
    u64::from(microseconds).saturating_mul(timer::frequency()) / 1_000_000
}
