//! The management calls with their results taken apart.

use heapless::String;
use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::manage::*;

use crate::calls::{Calls, Failure};
use crate::names::name;
use crate::status::Status;

/// What a VM is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// A `PHASE_*`.
    pub phase: u64,
    /// A `PROGRESS_*`.
    pub progress: u64,
    /// `STATE_*` bits.
    pub marks: u64,
    /// Number of vCPUs.
    pub vcpus: u64,
    /// A bit per vCPU that is not off.
    pub live: u64,
    /// Restarts since creation.
    pub restarts: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl State {
    /// The phase in one word.
    pub fn phase_name(&self) -> &'static str {
        name(&PHASES, self.phase)
    }

    /// What is in progress, in one word; empty if nothing is.
    pub fn progress_name(&self) -> &'static str {
        name(&PROGRESSES, self.progress)
    }

    /// Whether nothing is in progress.
    pub const fn is_settled(&self) -> bool {
        self.progress == PROGRESS_NONE
    }
}

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Number of VMs.
    pub vms: u64,
    /// Bytes that are free.
    pub free: u64,
    /// The caller's VM.
    pub own: u64,
    /// Number of cores.
    pub cores: u64,
}

/// A vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vcpu {
    /// The physical core on which it runs.
    pub core: u64,
    /// A `VCPU_*`.
    pub activity: u64,
    /// Nanoseconds for which it ran since its VM was started.
    pub ran: u64,
    /// Nanoseconds for which it was ready and did not run.
    pub stolen: u64,
    /// How often its core changed over to it.
    pub switches: u64,
}

impl Vcpu {
    /// What it is doing, in one word.
    pub fn activity_name(&self) -> &'static str {
        name(&VCPUS, self.activity)
    }
}

/// One entry of a register list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Identifier.
    pub id: u64,
    /// Value.
    pub value: u64,
    /// The mask of a bitmap register, otherwise the largest value.
    pub supported: u64,
}

/// `MACHINE`.
///
/// # Errors
/// The call's status.
pub fn machine<C: Calls + ?Sized>(calls: &mut C) -> Result<Machine, C::Error> {
    let [vms, free, rest] = calls.call(MACHINE, [0; 3])?;
    Ok(Machine { vms, free, own: rest & 0xff, cores: rest >> 8 & 0xff })
}

/// `VM_NAME`. Bytes that are no printable ASCII become `?`.
///
/// # Errors
/// The call's status.
pub fn vm_name<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<String<NAME_MAX>, C::Error> {
    let [low, high, _] = calls.call(VM_NAME, [vm, 0, 0])?;
    Ok(name_of([low, high]))
}

/// The name in two words of a call's. Bytes that are no printable ASCII become `?`.
pub fn name_of([low, high]: [u64; 2]) -> String<NAME_MAX> {
    let bytes = low.to_le_bytes().into_iter().chain(high.to_le_bytes()).take_while(|&byte| byte != 0);
    bytes.map(|byte| if byte.is_ascii_graphic() { char::from(byte) } else { '?' }).collect()
}

/// `VM_STATE`.
///
/// # Errors
/// The call's status.
pub fn vm_state<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<State, C::Error> {
    let [state, vcpus, memory] = calls.call(VM_STATE, [vm, 0, 0])?;
    Ok(State {
        phase: state & 0xff,
        progress: state >> 8 & 0xff,
        marks: state & !0xffff,
        vcpus: vcpus & 0xff,
        live: vcpus >> 8 & 0xff,
        restarts: vcpus >> 32,
        memory,
    })
}

/// `VM_VCPU` and `VM_VCPU_TIMES`.
///
/// # Errors
/// The calls' status, also at the list's end.
pub fn vcpu<C: Calls + ?Sized>(calls: &mut C, vm: u64, index: u64) -> Result<Vcpu, C::Error> {
    let [core, _, activity] = calls.call(VM_VCPU, [vm, index, 0])?;
    let [ran, stolen, switches] = calls.call(VM_VCPU_TIMES, [vm, index, 0])?;
    Ok(Vcpu { core, activity, ran, stolen, switches })
}

/// `REGISTER_LIST`.
///
/// # Errors
/// The call's status, also at the list's end.
pub fn register_entry<C: Calls + ?Sized>(calls: &mut C, vm: u64, index: u64) -> Result<Entry, C::Error> {
    let [id, value, supported] = calls.call(REGISTER_LIST, [vm, index, 0])?;
    Ok(Entry { id, value, supported })
}

/// The entry of one register; none if the list lacks it.
///
/// # Errors
/// The calls' status.
pub fn find_register<C: Calls + ?Sized>(calls: &mut C, vm: u64, id: u64) -> Result<Option<Entry>, C::Error> {
    let mut found = None;
    each(|index| register_entry(calls, vm, index), |entry: Entry| found = found.or((entry.id == id).then_some(entry)))?;
    Ok(found)
}

/// Reads a list item by item until its end.
///
/// # Errors
/// One that is not the list's end.
pub fn each<T, E: Failure>(mut item: impl FnMut(u64) -> Result<T, E>, mut take: impl FnMut(T)) -> Result<(), E> {
    /// Longer than any list of the interface.
    const MOST: u64 = 256;
    for index in 0..MOST {
        match item(index) {
            Ok(item) => take(item),
            Err(error) if error.status() == Some(Status(NO_ITEM)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
