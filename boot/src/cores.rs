//! Which vCPUs each core runs, and how they share it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use portcullis_arch::timer;
use portcullis_bundle::{Bundle, CoreConfig};
use portcullis_core::cpu::physical_core::{Processor, Work};
use portcullis_core::run::shared_core::Share;
use portcullis_core::schedule::{RoundRobin, Task, Window, Windows};
use portcullis_core::vm::off_core::Sharing;
use portcullis_core::vm::{Vm, vcpu::Vcpu};

use crate::{heap, stop::Stop};

/// Gives the vCPUs their cores. One that is alone on its core is not scheduled there, unless the core has a cyclic schedule.
pub fn assign(vms: &'static [Vm], processors: &'static [Processor], bundle: &Bundle<'_>) -> Result<(), Stop> {
    check_room(vms)?;
    for vcpu in vms.iter().flat_map(|vm| vm.add_vcpus()) {
        let (vm, core) = (vcpu.vm.name(), vcpu.core as u32);
        let processor = processors.get(vcpu.core);
        let processor = processor.ok_or(Stop::NoSuchCore { vm, core, cores: processors.len() })?;
        vcpu.assigned_to(processor);
    }
    let schedules: Vec<CoreConfig<'_>> = bundle.cores().collect();
    for processor in processors {
        let vcpus = vms.iter().flat_map(Vm::vcpus).filter(|vcpu| vcpu.core == processor.index);
        let vcpus: Box<[&'static Vcpu]> = vcpus.collect();
        let schedule = schedules.iter().find(|core| core.number as usize == processor.index);
        match (&*vcpus, schedule) {
            ([], _) => {}
            ([vcpu], None) => processor.give(Work::One(vcpu)),
            (_, schedule) => processor.give(Work::Several(share(vcpus, schedule))),
        }
    }
    Ok(())
}

/// Whether there is memory for what each vCPU needs at EL2. RAM for the guests is not part of that.
fn check_room(vms: &[Vm]) -> Result<(), Stop> {
    // The heap hands out powers of two; a VM's vCPUs are one piece.
    let size = |vm: &Vm| {
        let count = vm.config.cores.as_slice().len();
        (count * size_of::<Vcpu>()).next_power_of_two() + count * size_of::<Sharing>().next_power_of_two()
    };
    let (wanted, free) = (vms.iter().map(size).sum(), heap::usage().free);
    let count = vms.iter().map(|vm| vm.config.cores.as_slice().len()).sum();
    // Half of what is left may be in pieces that are too small.
    if wanted as u64 > free / 2 { Err(Stop::NoRoomForVcpus { count, wanted, free }) } else { Ok(()) }
}

/// A core that these vCPUs share.
fn share(vcpus: Box<[&'static Vcpu]>, schedule: Option<&CoreConfig<'_>>) -> &'static Share {
    let tasks =
        vcpus.iter().map(|vcpu| Task::new(vcpu.vm.index, ticks(vcpu.vm.config.slices.microseconds(vcpu.index))));
    let policy = RoundRobin::new(tasks.collect(), schedule.map(windows));
    let share: &'static Share = Box::leak(Box::new(Share::new(policy)));
    vcpus.iter().for_each(|vcpu| vcpu.share_core(share));
    share.give(&vcpus);
    share
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
