//! A machine for the tests: the hypervisor's own policy behind the calls, and VMs that are nothing but their phases.

use core::sync::atomic::AtomicU8;

use controls::calls::Calls;
use controls::status::Status;
use portcullis_abi::manage::*;
use portcullis_gate::{Conduits, Filter, FilterError, RangeRequest, Register, Row, Rule, SetError, Support};

use crate::manager::{Answer, Cancelled, Conduit, Manager};

/// One VM.
pub struct Vm {
    pub name: &'static str,
    pub row: Row,
    pub filter: Filter,
    pub phase: u64,
    pub progress: u64,
    pub next: u64,
    pub audit: bool,
    pub refused: Vec<[u64; 2]>,
    pub restarts: u64,
    /// What `VM_VCPU_TIMES` tells of each vCPU.
    pub vcpus: Vec<[u64; 3]>,
}

/// The machine. VM 0 is the control VM, where the shell runs.
pub struct Fake {
    pub vms: Vec<Vm>,
    pub control: bool,
    pub counter: u64,
    pub free: u64,
    /// Bytes that each recreation loses: a fault to be found.
    pub leak: u64,
    /// Calls after which the registers of VM 1 no longer keep what they are set to: a fault to be found.
    pub flip_after: Option<u64>,
    pub calls: u64,
    pub cancel_sleeps: bool,
    pub clock: u64,
    /// Whether a trace is on, and the VMs of that or of the last one.
    pub traced: bool,
    pub trace: u64,
    pub firmware: fn(Conduit, u32, [u64; 3]) -> Answer,
}

pub const SUPPORT: Support = Support { sip: 0, ..Support::FULL };

impl Fake {
    pub fn new(names: &[&'static str]) -> Self {
        let vms = names.iter().enumerate().map(|(index, name)| {
            let vm = Vm {
                name,
                row: Row::new(),
                filter: Filter::new(),
                phase: if index == 0 { PHASE_RUNNING } else { PHASE_CREATED },
                progress: PROGRESS_NONE,
                next: PHASE_CREATED,
                audit: false,
                refused: Vec::new(),
                restarts: 0,
                vcpus: vec![[0; 3]],
            };
            vm.row.create(&SUPPORT, Conduits::BOTH);
            if index == 0 {
                vm.row.freeze(None);
            }
            vm
        });
        Self {
            vms: vms.collect(),
            control: true,
            counter: 0,
            free: 64 << 20,
            leak: 0,
            flip_after: None,
            calls: 0,
            cancel_sleeps: false,
            clock: 0,
            traced: false,
            trace: 0,
            firmware: |_, _, _| Answer { status: NOT_SUPPORTED, values: [0; 3] },
        }
    }

    fn on_machine(&mut self, function: u32, arguments: [u64; 3]) -> Option<Result<[u64; 3], i64>> {
        let [a, ..] = arguments;
        Some(match function {
            VERSION if a >> 16 != u64::from(ABI_VERSION) >> 16 => Err(WRONG_VERSION),
            VERSION => Ok([u64::from(ABI_VERSION), CAN_FORWARD, 0]),
            MACHINE => Ok([self.vms.len() as u64, self.free, 4 << 8]),
            POWER_OFF => Err(BUSY),
            CLOCK_SET => {
                self.clock = a;
                Ok([0; 3])
            }
            LINK | LINK_END | LINK_COUNTER => self.on_link(function, arguments),
            TRACE_SET | TRACE_STATE | TRACE_READ => self.on_trace(function, arguments),
            CLOCK_GET => Ok([self.clock, self.counter, if self.clock == 0 { CLOCK_UNKNOWN } else { CLOCK_CALL }]),
            SYSTEM_COUNTER => Ok([self.counter, self.counter, 1_000_000]),
            _ => return None,
        })
    }

    /// A network of the second and third VM, and a wire from the third to the second.
    fn on_link(&self, function: u32, [link, end, index]: [u64; 3]) -> Result<[u64; 3], i64> {
        let (name, kind, vms) = match link {
            0 => (*b"lan\0", LINK_NETWORK, [1, 2]),
            1 => (*b"edge", LINK_WIRE, [2, 1]),
            _ => return Err(NO_ITEM),
        };
        if function == LINK {
            return Ok([u32::from_le_bytes(name).into(), 0, kind | 2 << 8]);
        }
        let vm = usize::try_from(end).ok().and_then(|end| vms.get(end)).ok_or(NO_ITEM)?;
        match (function, kind) {
            (LINK_END, LINK_NETWORK) => Ok([vm | LINK_END_UP, 0x0600_0000_0002 | vm << 32, 48]),
            (LINK_END, _) => Ok([*vm, if end == 0 { 3 | LINK_END_DRIVES } else { 5 }, 39]),
            _ if index < link_counters(kind).len() as u64 => Ok([vm * 100 + index, 0, 0]),
            _ => Err(NO_ITEM),
        }
    }

    /// What two cores have noted of the second and third VM.
    fn on_trace(&mut self, function: u32, [x1, x2, _]: [u64; 3]) -> Result<[u64; 3], i64> {
        match function {
            TRACE_STATE => Ok([u64::from(self.traced) | 2 << 8, self.trace, 1000]),
            TRACE_SET if self.traced == (x1 != 0) => Err(BAD_STATE),
            TRACE_SET => {
                self.traced = x1 != 0;
                self.trace = if self.traced { x2 } else { self.trace };
                Ok([0; 3])
            }
            _ if self.trace == 0 => Err(NO_ITEM),
            _ => {
                let record = |time: u64, kind: u64, vm: u64, detail: u64, value: u64, more: u64| {
                    [time, kind | vm << 8 | detail << 24 | value << 32, more]
                };
                let first = [
                    [0, TRACE_LOST, 2],
                    [0, TRACE_LOST, 1],
                    record(1_000_010, TRACE_ENTER, 1, 0, 0, 0),
                    record(1_000_030, TRACE_CALL, 1, TRACE_REFUSED | TRACE_SMC, 2, 0x8400_0001),
                    record(1_000_050, TRACE_COPY, 1, 0, 0, 64),
                    record(1_000_060, TRACE_EXIT, 1, 10, 7, 0x9200_0047),
                    record(1_000_060, TRACE_LEAVE, 1, TRACE_LEAVE_WAITS, 0, 0),
                ];
                let second =
                    [record(1_000_020, TRACE_ENTER, 2, 0, 0, 0), record(1_000_040, TRACE_INTERRUPT, 1, 0, 27, 0)];
                let records: &[[u64; 3]] = match x1 {
                    0 => &first,
                    1 => &second,
                    _ => &[],
                };
                usize::try_from(x2).ok().and_then(|at| records.get(at)).copied().ok_or(NO_ITEM)
            }
        }
    }

    fn on_vm(&mut self, function: u32, [vm, a, b]: [u64; 3]) -> Result<[u64; 3], i64> {
        let leak = self.leak;
        let vm_number = vm;
        let free = &mut self.free;
        let vm = usize::try_from(vm).ok().and_then(|vm| self.vms.get_mut(vm)).ok_or(UNKNOWN_VM)?;
        let mut name = [0; 16];
        name[..vm.name.len()].copy_from_slice(vm.name.as_bytes());
        let half = |range: std::ops::Range<usize>| u64::from_le_bytes(name[range].try_into().unwrap());
        let register = |id| Register::from_id(id).ok_or(UNKNOWN_REGISTER);
        let set_status = |error| match error {
            SetError::Unsupported { .. } => UNSUPPORTED,
            SetError::Frozen => FROZEN,
            other => panic!("{other}"),
        };
        let frozen = vm.row.profile().is_frozen();
        match function {
            VM_NAME => Ok([half(0..8), half(8..16), 0]),
            VM_STATE => {
                let marks = [(STATE_CONTROL, vm_number == 0), (STATE_FROZEN, frozen), (STATE_AUDIT, vm.audit)];
                let marks: u64 = marks.iter().filter(|(_, is)| *is).map(|(mark, _)| mark).sum();
                let live = u64::from(vm.phase == PHASE_RUNNING);
                Ok([
                    vm.phase | vm.progress << 8 | marks,
                    vm.vcpus.len() as u64 | live << 8 | vm.restarts << 32,
                    8 << 20,
                ])
            }
            VM_FAILURE if vm.phase == PHASE_FAILED => Ok([FAILURE_ACCESS | 0x9200_0045 << 32, 0x4008_0000, 0xdead]),
            VM_FAILURE => Ok([0; 3]),
            VM_VCPU | VM_VCPU_TIMES if a >= vm.vcpus.len() as u64 => Err(NO_ITEM),
            VM_VCPU => {
                let (on, activity) = match vm.phase {
                    PHASE_RUNNING => (1, VCPU_RUNNING),
                    PHASE_SUSPENDED => (1, VCPU_WAITING),
                    PHASE_PAUSED | PHASE_GIVEN_AWAY => (1, VCPU_PAUSED),
                    _ => (0, VCPU_OFF),
                };
                Ok([vm_number, on, activity])
            }
            VM_VCPU_TIMES => Ok(vm.vcpus[a as usize]),
            LOG => {
                let written = format!("\x1b[1m{} has\x1b[0m begun\r\nlogin: ", vm.name);
                let rest = usize::try_from(a).ok().and_then(|a| written.as_bytes().get(a..)).ok_or(NO_ITEM)?;
                let mut bytes = [0; 16];
                let count = rest.len().min(bytes.len());
                bytes[..count].copy_from_slice(&rest[..count]);
                let half = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
                if count == 0 {
                    Err(NO_ITEM)
                } else {
                    Ok([(a + count as u64) | (count as u64) << 56, half(0), half(8)])
                }
            }
            REGISTER_LIST => {
                let register = usize::try_from(a).ok().and_then(|a| Register::ALL.get(a)).ok_or(NO_ITEM)?;
                Ok([register.id(), vm.row.get(*register), SUPPORT.limit(*register)])
            }
            REGISTER_GET => Ok([vm.row.get(register(a)?), 0, 0]),
            REGISTER_SET => vm.row.set(register(a)?, b, &SUPPORT).map(|()| [0; 3]).map_err(set_status),
            REGISTER_CLEAR => vm.row.clear_all().map(|()| [0; 3]).map_err(set_status),
            RULE_SET => {
                let rule = match a {
                    RULE_CLEAR => Rule::Clear,
                    RULE_KEEP => Rule::Keep,
                    _ => return Err(BAD_ARGUMENT),
                };
                vm.row.set_rule(rule).map(|()| [0; 3]).map_err(set_status)
            }
            RULE_GET => {
                let profile = vm.row.profile();
                let rule = if profile.rule() == Rule::Keep { RULE_KEEP } else { RULE_CLEAR };
                Ok([rule, u64::from(profile.is_written()), 0])
            }
            FILTER_ADD => {
                let mut reserved = [0; 15];
                reserved[..7].copy_from_slice(&b.to_le_bytes()[1..]);
                let request = RangeRequest { base: a as u32, count: (a >> 32) as u32, action: b as u8, reserved };
                vm.filter.insert(&request, vm.row.profile(), true).map(|()| [0; 3]).map_err(|error| match error {
                    FilterError::Reserved => RESERVED,
                    FilterError::Empty => EMPTY,
                    FilterError::Wraps => WRAPS,
                    FilterError::UnknownAction => BAD_ARGUMENT,
                    FilterError::ForwardRefused => FORWARD_REFUSED,
                    FilterError::NoFirmware => NO_FIRMWARE,
                    FilterError::Frozen => FROZEN,
                    FilterError::Overlaps => OVERLAPS,
                    FilterError::Full => FULL,
                })
            }
            FILTER_LIST => {
                let range = usize::try_from(a).ok().and_then(|a| vm.filter.ranges().get(a)).ok_or(NO_ITEM)?;
                let count = u64::from(range.last - range.first) + 1;
                Ok([u64::from(range.first) | count << 32, range.action as u64, 0])
            }
            PAUSE if vm_number == 0 => Err(NOT_PERMITTED),
            START | PAUSE | RESUME | STOP | RESTART | RECREATE | FORGET | GIVE_AWAY if vm.progress != PROGRESS_NONE => {
                Err(BUSY)
            }
            START | PAUSE | RESUME | STOP | RESTART | RECREATE | FORGET | GIVE_AWAY => {
                let (progress, next) = match (function, vm.phase) {
                    (START, PHASE_CREATED) => {
                        vm.row.freeze(Some(&vm.filter));
                        vm.phase = PHASE_RUNNING;
                        (PROGRESS_LOADING, PHASE_RUNNING)
                    }
                    (PAUSE, PHASE_RUNNING | PHASE_SUSPENDED) => (PROGRESS_PAUSING, PHASE_PAUSED),
                    (RESUME, PHASE_PAUSED | PHASE_SUSPENDED) => (PROGRESS_NONE, PHASE_RUNNING),
                    (RESUME, PHASE_GIVEN_AWAY) if a == RESUME_GIVEN_AWAY => (PROGRESS_NONE, PHASE_RUNNING),
                    (GIVE_AWAY, PHASE_PAUSED) => (PROGRESS_NONE, PHASE_GIVEN_AWAY),
                    (FORGET, PHASE_GIVEN_AWAY) => (PROGRESS_STOPPING, PHASE_STOPPED),
                    (STOP, PHASE_RUNNING | PHASE_PAUSED | PHASE_SUSPENDED) => (PROGRESS_STOPPING, PHASE_STOPPED),
                    (RESTART, PHASE_RUNNING | PHASE_PAUSED | PHASE_SUSPENDED | PHASE_STOPPED | PHASE_FAILED) => {
                        vm.restarts += 1;
                        (PROGRESS_RESTARTING, PHASE_RUNNING)
                    }
                    (RECREATE, PHASE_STOPPED | PHASE_FAILED | PHASE_CREATED) => {
                        vm.row.create(&SUPPORT, Conduits::BOTH);
                        vm.filter.clear();
                        vm.refused.clear();
                        (vm.audit, vm.restarts) = (false, 0);
                        *free -= leak;
                        (PROGRESS_SCRUBBING, PHASE_CREATED)
                    }
                    _ => return Err(BAD_STATE),
                };
                (vm.progress, vm.next) = (progress, next);
                if progress == PROGRESS_NONE {
                    vm.phase = next;
                }
                Ok([0; 3])
            }
            COUNTER => {
                let count = match a {
                    COUNTER_ANSWERED_HVC..=COUNTER_DENIED_SMC => SERVICES.len(),
                    COUNTER_FORWARDED => CONDUITS.len(),
                    COUNTER_EXITS => EXITS.len(),
                    _ => return Err(BAD_ARGUMENT),
                };
                if b < count as u64 { Ok([a * 100 + b, 0, 0]) } else { Err(NO_ITEM) }
            }
            REFUSED => {
                let index = usize::try_from(a).map_err(|_| NO_ITEM)?;
                let [call, time] = *vm.refused.iter().rev().nth(index).ok_or(NO_ITEM)?;
                Ok([call, time, vm.refused.len() as u64])
            }
            AUDIT_SET if a > 1 => Err(BAD_ARGUMENT),
            AUDIT_SET if frozen => Err(FROZEN),
            AUDIT_SET => {
                vm.audit = a == 1;
                Ok([0; 3])
            }
            AUDIT_LIST => match a {
                0 => Ok([0x8400_0000, 1000, 2]),
                1 => Ok([0xc400_0053 | 1 << 32, 3000, 2]),
                2 => Ok([0xc200_0007 | 1 << 34, 3000, 2]),
                _ => Err(NO_ITEM),
            },
            AUDIT_RANGES => Ok([
                (0..vm.filter.ranges().len())
                    .filter(|&n| vm.filter.ranges()[n].action as u64 == FILTER_FORWARD)
                    .fold(0, |mask, n| mask | 1 << n),
                0,
                0,
            ]),
            AUDIT_REGISTER => Ok([
                match register(a)? {
                    Register::Std => 1,
                    Register::StdHyp => 0,
                    Register::VendorHyp => 3,
                    Register::PsciVersion | Register::SmcccVersion => 0x1_0001,
                    _ => 0,
                },
                0,
                0,
            ]),
            _ => Err(BAD_ARGUMENT),
        }
    }
}

impl Calls for Fake {
    type Error = Status;

    fn call(&mut self, function: u32, arguments: [u64; 3]) -> Result<[u64; 3], Status> {
        self.ask(function, arguments).result()
    }
}

impl Manager for Fake {
    fn ask(&mut self, function: u32, arguments: [u64; 3]) -> Answer {
        self.calls += 1;
        self.counter += 10;
        let refused = |status| Answer { status, values: [0; 3] };
        if !self.control {
            return refused(NOT_SUPPORTED);
        }
        if !ALL.iter().any(|(_, known)| *known == function) {
            return refused(UNKNOWN_CALL);
        }
        if self.flip_after.is_some_and(|after| self.calls > after) {
            self.vms[1].row.create(&Support::NONE, Conduits::BOTH);
        }
        let result = self.on_machine(function, arguments).unwrap_or_else(|| self.on_vm(function, arguments));
        result.map_or_else(refused, |values| Answer { status: SUCCESS, values })
    }

    fn firmware_call(&mut self, conduit: Conduit, function: u32, arguments: [u64; 3]) -> Answer {
        (self.firmware)(conduit, function, arguments)
    }

    fn counter(&self) -> u64 {
        self.counter
    }

    fn physical_counter(&self) -> u64 {
        self.counter
    }

    fn frequency(&self) -> u64 {
        1_000_000
    }

    /// Time passes, and what was in progress comes to pass.
    fn sleep(&mut self, microseconds: u64) -> Result<(), Cancelled> {
        if self.cancel_sleeps {
            return Err(Cancelled);
        }
        self.counter += microseconds;
        for vm in &mut self.vms {
            if vm.progress != PROGRESS_NONE {
                (vm.phase, vm.progress) = (vm.next, PROGRESS_NONE);
            }
        }
        Ok(())
    }

    fn buffer(&self) -> &'static [AtomicU8] {
        &[]
    }
}
