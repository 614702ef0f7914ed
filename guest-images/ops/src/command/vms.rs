//! `vms`: the VMs with their vCPUs, and what they do.

use heapless::{String, Vec};
use portcullis_abi::manage::{self, FAILURES, STATE_AUDIT, STATE_CONTROL, STATE_RESTARTS, VM_FAILURE};
use portcullis_abi::map::{MAX_VCPUS, MAX_VMS};

use super::entry::{Command, Kind};
use crate::context::Context;
use crate::error::Error;
use crate::management::{self, State, Vcpu};
use crate::table::{self, Cell, cell};

/// The command.
pub static VMS: Command = Command {
    name: "vms",
    arguments: "[VM]",
    about: "the VMs and their vCPUs: what they do, what they had of their cores, and why a VM failed",
    kinds: &[Kind::Vm],
    count: (0, 1),
    run,
};

struct Row {
    number: u64,
    name: String<24>,
    state: State,
    vcpus: Vec<Vcpu, MAX_VCPUS>,
}

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let machine = management::machine(context.manager)?;
    let chosen = arguments.first().map(|word| context.vm(word)).transpose()?;
    let mut rows: Vec<Row, MAX_VMS> = Vec::new();
    for number in chosen.map_or(0..machine.vms, |vm| vm..vm.saturating_add(1)) {
        let state = management::vm_state(context.manager, number)?;
        let row = Row { number, name: context.title(number), state, vcpus: vcpus(context, number)? };
        if rows.push(row).is_err() {
            break;
        }
    }
    let titles = ["VM", "name", "state", "vCPUs on", "cores", "memory", "restarts", "notes"];
    let _ = table::print(context.out, titles, |number| {
        let Row { number, name, state, vcpus } = rows.get(number)?;
        Some([
            cell(format_args!("{number}")),
            cell(format_args!("{name}")),
            doing(state),
            cell(format_args!("{} of {}", state.live.count_ones(), state.vcpus)),
            cores(vcpus),
            cell(format_args!("{} MiB", state.memory >> 20)),
            cell(format_args!("{}", state.restarts)),
            notes(state),
        ])
    });
    for row in &rows {
        failure(context, row)?;
    }
    let titles = ["name", "vCPU", "core", "state", "ran", "stolen", "switches"];
    let _ = table::print(context.out, titles, |number| {
        let mut all =
            rows.iter().flat_map(|row| row.vcpus.iter().enumerate().map(move |(index, vcpu)| (row, index, vcpu)));
        let (row, index, vcpu) = all.nth(number)?;
        Some([
            cell(format_args!("{}", row.name)),
            cell(format_args!("{index}")),
            cell(format_args!("{}", vcpu.core)),
            cell(format_args!("{}", vcpu.activity_name())),
            seconds(vcpu.ran),
            seconds(vcpu.stolen),
            cell(format_args!("{}", vcpu.switches)),
        ])
    });
    context.line(format_args!("{} KiB of memory are free, {} cores", machine.free >> 10, machine.cores));
    Ok(())
}

fn vcpus(context: &mut Context, vm: u64) -> Result<Vec<Vcpu, MAX_VCPUS>, Error> {
    let mut vcpus = Vec::new();
    let manager = &mut *context.manager;
    management::each(|index| management::vcpu(manager, vm, index), |vcpu| _ = vcpus.push(vcpu))?;
    Ok(vcpus)
}

fn cores(vcpus: &[Vcpu]) -> Cell {
    let mut cores = Cell::new();
    for vcpu in vcpus {
        let gap = if cores.is_empty() { "" } else { "," };
        let _ = core::fmt::write(&mut cores, format_args!("{gap}{}", vcpu.core));
    }
    cores
}

/// Nanoseconds as seconds, rounded down to a thousandth.
fn seconds(nanoseconds: u64) -> Cell {
    let milliseconds = nanoseconds / 1_000_000;
    cell(format_args!("{}.{:03} s", milliseconds / 1_000, milliseconds % 1_000))
}

fn doing(state: &State) -> Cell {
    if state.is_settled() {
        cell(format_args!("{}", state.phase_name()))
    } else {
        cell(format_args!("{}, {}", state.phase_name(), state.progress_name()))
    }
}

fn notes(state: &State) -> Cell {
    let mut notes = Cell::new();
    for (mark, word) in [(STATE_CONTROL, "control"), (STATE_AUDIT, "audited"), (STATE_RESTARTS, "restarts on failure")]
    {
        if state.marks & mark != 0 {
            let gap = if notes.is_empty() { "" } else { ", " };
            let _ = core::fmt::write(&mut notes, format_args!("{gap}{word}"));
        }
    }
    notes
}

fn failure(context: &mut Context, row: &Row) -> Result<(), Error> {
    let [what, pc, address] = context.call(VM_FAILURE, [row.number, 0, 0])?;
    if what & 0xff == manage::FAILURE_NONE {
        return Ok(());
    }
    let (vcpu, syndrome) = (what >> 8 & 0xff, what >> 32);
    let reason = management::name(&FAILURES, what & 0xff);
    context.line(format_args!(
        "{} failed: {reason}: vCPU {vcpu}, pc {pc:#x}, address {address:#x}, syndrome {syndrome:#x}",
        row.name
    ));
    Ok(())
}
