//! The VMs with their vCPUs, and what they do.

use core::fmt;

use heapless::{String, Vec};
use portcullis_abi::manage::{FAILURE_NONE, FAILURES, STATE_AUDIT, STATE_CONTROL, STATE_RESTARTS, VM_FAILURE};
use portcullis_abi::map::{MAX_VCPUS, MAX_VMS};

use crate::calls::Calls;
use crate::management::{self, Machine, State, Vcpu};
use crate::names;
use crate::number::Bytes;
use crate::table::{self, Cell, cell};
use crate::vm::title;

/// The machine with its VMs, or one of them.
#[derive(Clone, Debug)]
pub struct Vms {
    /// The machine.
    pub machine: Machine,
    /// The VMs that were asked for.
    pub vms: Vec<Vm, MAX_VMS>,
}

/// A VM.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub name: String<24>,
    /// What it does.
    pub state: State,
    /// Its vCPUs.
    pub vcpus: Vec<Vcpu, MAX_VCPUS>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Why a VM failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A `FAILURE_*`.
    pub reason: u64,
    /// The vCPU.
    pub vcpu: u64,
    /// ESR_EL2.
    pub syndrome: u64,
    /// Where the vCPU was.
    pub pc: u64,
    /// What it accessed.
    pub address: u64,
}

impl Failure {
    /// The reason in words.
    pub fn reason_name(&self) -> &'static str {
        names::name(&FAILURES, self.reason)
    }
}

/// Reads the VM `chosen`, or all.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, chosen: Option<u64>) -> Result<Vms, C::Error> {
    let machine = management::machine(calls)?;
    let mut vms = Vec::new();
    for number in chosen.map_or(0..machine.vms, |vm| vm..vm.saturating_add(1)) {
        if vms.push(read_vm(calls, number)?).is_err() {
            break;
        }
    }
    Ok(Vms { machine, vms })
}

fn read_vm<C: Calls + ?Sized>(calls: &mut C, number: u64) -> Result<Vm, C::Error> {
    let state = management::vm_state(calls, number)?;
    let name = title(calls, number);
    let mut vcpus = Vec::new();
    management::each(|index| management::vcpu(calls, number, index), |vcpu| _ = vcpus.push(vcpu))?;
    let [what, pc, address] = calls.call(VM_FAILURE, [number, 0, 0])?;
    let failure = Failure { reason: what & 0xff, vcpu: what >> 8 & 0xff, syndrome: what >> 32, pc, address };
    Ok(Vm { number, name, state, vcpus, failure: Some(failure).filter(|failure| failure.reason != FAILURE_NONE) })
}

impl fmt::Display for Vms {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let titles = ["VM", "name", "state", "vCPUs on", "cores", "memory", "restarts", "notes"];
        table::print(f, titles, |number| {
            let Vm { number, name, state, vcpus, .. } = self.vms.get(number)?;
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
        })?;
        for vm in &self.vms {
            if let Some(failure) = vm.failure {
                writeln!(f, "{} failed: {failure}", vm.name)?;
            }
        }
        let titles = ["name", "vCPU", "core", "state", "ran", "stolen", "switches"];
        table::print(f, titles, |number| {
            let mut all =
                self.vms.iter().flat_map(|vm| vm.vcpus.iter().enumerate().map(move |(index, vcpu)| (vm, index, vcpu)));
            let (vm, index, vcpu) = all.nth(number)?;
            Some([
                cell(format_args!("{}", vm.name)),
                cell(format_args!("{index}")),
                cell(format_args!("{}", vcpu.core)),
                cell(format_args!("{}", vcpu.activity_name())),
                seconds(vcpu.ran),
                seconds(vcpu.stolen),
                cell(format_args!("{}", vcpu.switches)),
            ])
        })?;
        writeln!(f, "{} of memory are free, {} cores", Bytes(self.machine.free), self.machine.cores)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { vcpu, syndrome, pc, address, .. } = self;
        let reason = self.reason_name();
        write!(f, "{reason}: vCPU {vcpu}, pc {pc:#x}, address {address:#x}, syndrome {syndrome:#x}")
    }
}

/// The physical cores of a VM, one for each vCPU.
fn cores(vcpus: &[Vcpu]) -> Cell {
    let mut cores = Cell::new();
    for vcpu in vcpus {
        let gap = if cores.is_empty() { "" } else { "," };
        let _ = fmt::write(&mut cores, format_args!("{gap}{}", vcpu.core));
    }
    cores
}

/// Nanoseconds as seconds, rounded down to a thousandth.
pub fn seconds(nanoseconds: u64) -> Cell {
    let milliseconds = nanoseconds / 1_000_000;
    cell(format_args!("{}.{:03} s", milliseconds / 1_000, milliseconds % 1_000))
}

/// What a VM does, in one or two words.
pub fn doing(state: &State) -> Cell {
    if state.is_settled() {
        cell(format_args!("{}", state.phase_name()))
    } else {
        cell(format_args!("{}, {}", state.phase_name(), state.progress_name()))
    }
}

/// What is special about a VM.
fn notes(state: &State) -> Cell {
    let mut notes = Cell::new();
    for (mark, word) in [(STATE_CONTROL, "control"), (STATE_AUDIT, "audited"), (STATE_RESTARTS, "restarts on failure")]
    {
        if state.marks & mark != 0 {
            let gap = if notes.is_empty() { "" } else { ", " };
            let _ = fmt::write(&mut notes, format_args!("{gap}{word}"));
        }
    }
    notes
}
