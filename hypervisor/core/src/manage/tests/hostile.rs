//! Calls with random numbers and arguments, against a model of the VMs.

use fastrand::Rng;
use portcullis_abi::{firmware, manage::*};
use portcullis_gate::{Register, Support};

use super::Bench;
use super::bench::{A, B, OPS, SUPPORT, VMS};

/// A VM as the model has it.
#[derive(Clone, Copy)]
struct Model {
    registers: [u64; firmware::ALL.len()],
    phase: u64,
    written: bool,
    keep: bool,
    ranges: usize,
}

const NEW: Model = Model {
    registers: [0x1_0001, 2, 3, 2, 1, 1, 1, 0, 0x1_0001, 0],
    phase: PHASE_CREATED,
    written: false,
    keep: false,
    ranges: 0,
};

impl Model {
    fn frozen(&self) -> bool {
        self.phase != PHASE_CREATED
    }

    fn clear(&mut self) {
        for (value, id) in self.registers.iter_mut().zip(firmware::ALL) {
            *value = if firmware::is_bitmap(id) { 0 } else { *value };
        }
    }

    /// What a SET returns and does, in the documented order of the checks.
    fn set(&mut self, id: u64, value: u64, support: &Support) -> i64 {
        let Some(index) = firmware::ALL.iter().position(|&known| known == id) else { return UNKNOWN_REGISTER };
        let Ok(value) = support.check(Register::ALL[index], value) else { return UNSUPPORTED };
        if self.frozen() {
            return if self.registers[index] == value { SUCCESS } else { FROZEN };
        }
        if !self.written && !self.keep {
            self.clear();
        }
        self.registers[index] = value;
        self.written = true;
        SUCCESS
    }

    fn request(&mut self, call: u32) -> i64 {
        self.phase = match (call, self.phase) {
            (START, PHASE_CREATED) | (RESUME, PHASE_PAUSED) => PHASE_RUNNING,
            (RESTART, phase) if phase != PHASE_CREATED => PHASE_RUNNING,
            (PAUSE, PHASE_RUNNING) => PHASE_PAUSED,
            (STOP, PHASE_RUNNING | PHASE_PAUSED) => PHASE_STOPPED,
            (RECREATE, PHASE_CREATED | PHASE_STOPPED) => {
                *self = NEW;
                return SUCCESS;
            }
            _ => return BAD_STATE,
        };
        SUCCESS
    }
}

struct Random(Rng);

impl Random {
    fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(..bound)
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    /// Something that often means something.
    fn argument(&mut self) -> u64 {
        match self.below(6) {
            0 => self.next(),
            1 => 1 << self.below(64),
            2 => self.of(&firmware::ALL),
            3 => (0x8200_0000 + self.below(64)) | (1 + self.below(3)) << 32,
            4 => u64::MAX - self.below(3),
            _ => self.below(5),
        }
    }
}

#[test]
fn a_hundred_thousand_calls_against_a_model() {
    let bench = Bench::new();
    let mut random = Random(Rng::with_seed(0x9e37_79b9_7f4a_7c15));
    let mut models = [NEW; VMS as usize];
    models[OPS as usize].phase = PHASE_RUNNING;
    let mut successes = 0;
    for _ in 0..100_000 {
        let call = match random.below(8) {
            0 => BASE + random.below(u64::from(COUNT)) as u32,
            1..=3 => random.of(&[REGISTER_SET, REGISTER_GET, REGISTER_CLEAR, RULE_SET]),
            _ => random.of(&ALL).1,
        };
        // The machine's own end, and that of the caller, would end the test; time would change what is supported.
        let vm = if random.below(8) == 0 { random.argument() } else { random.below(VMS) };
        if matches!(call, POWER_OFF | CLOCK_SET) || vm == OPS && matches!(call, STOP | RESTART) {
            continue;
        }
        // Scrubbing 4 MiB each time would take a while.
        if call == RECREATE && random.below(20) != 0 {
            continue;
        }
        let (x2, x3) = (random.argument(), random.argument());
        let (status, values) = bench.call(call, [vm, x2, x3]);
        assert!(STATUSES.iter().any(|&(_, known)| known == status), "{call:#x}: {status}");
        assert_ne!(status, NOT_SUPPORTED);
        if status != SUCCESS && call != VERSION {
            assert_eq!(values, [0; 3], "{call:#x}");
        }
        successes += u32::from(status == SUCCESS);
        if !ALL.iter().any(|&(_, known)| known == call) {
            assert_eq!(status, UNKNOWN_CALL);
            continue;
        }
        let Some(model) = models.get_mut(usize::try_from(vm).unwrap_or(usize::MAX)) else {
            let of_machine = matches!(call, LINK | LINK_END | LINK_COUNTER | TRANSFER_REASON | TRACE_READ);
            let none = if of_machine { NO_ITEM } else { UNKNOWN_VM };
            let always = matches!(
                call,
                VERSION | MACHINE | CLOCK_GET | SYSTEM_COUNTER | TRANSFER_STATE | TRACE_SET | TRACE_STATE
            );
            assert!(status == none || always || matches!(call, TRANSFER | TRANSFER_END), "{call:#x}: {status}");
            continue;
        };
        match call {
            REGISTER_SET => assert_eq!(status, model.set(x2, x3, &SUPPORT), "{x2:#x} = {x3:#x}"),
            REGISTER_GET => match firmware::ALL.iter().position(|&id| id == x2) {
                Some(index) => assert_eq!((status, values[0]), (SUCCESS, model.registers[index])),
                None => assert_eq!(status, UNKNOWN_REGISTER),
            },
            REGISTER_CLEAR if model.frozen() => {
                let mut bitmaps = model.registers.iter().zip(firmware::ALL).filter(|&(_, id)| firmware::is_bitmap(id));
                let clear = bitmaps.all(|(&value, _)| value == 0);
                assert_eq!(status, if clear { SUCCESS } else { FROZEN });
            }
            REGISTER_CLEAR => {
                assert_eq!(status, SUCCESS);
                model.clear();
                model.written = true;
            }
            RULE_SET if x2 > 1 => assert_eq!(status, BAD_ARGUMENT),
            RULE_SET if model.frozen() => assert_eq!(status, if model.keep == (x2 == 1) { SUCCESS } else { FROZEN }),
            RULE_SET => model.keep = x2 == 1,
            FILTER_ADD if status == SUCCESS => {
                assert!(!model.frozen());
                model.ranges += 1;
            }
            PAUSE if vm == OPS => assert_eq!(status, NOT_PERMITTED),
            RESUME if x2 > RESUME_GIVEN_AWAY => assert_eq!(status, BAD_ARGUMENT),
            START | PAUSE | RESUME | STOP | RESTART | RECREATE => assert_eq!(status, model.request(call), "{call:#x}"),
            // None of them is movable.
            GIVE_AWAY => assert_eq!(status, NOT_PERMITTED),
            FORGET => assert_eq!(status, BAD_STATE),
            _ => {}
        }
        if vm != OPS {
            bench.settle(vm);
        }
        let model = &models[vm as usize];
        assert_eq!(bench.state(vm), (model.phase, PROGRESS_NONE), "{call:#x}");
    }
    assert!(successes > 10_000, "{successes} calls succeeded");
    for vm in [A, B, OPS] {
        let model = &models[vm as usize];
        let registers = firmware::ALL.map(|id| bench.get(vm, id));
        assert_eq!(registers, model.registers);
        let ranges = (0..).take_while(|&index| bench.call(FILTER_LIST, [vm, index, 0]).0 == SUCCESS).count();
        assert_eq!(ranges, model.ranges);
    }
}

#[test]
fn a_guest_that_is_not_the_control_vm_changes_nothing() {
    let bench = Bench::new();
    bench.run(A);
    let before = [A, B, OPS].map(|vm| bench.profile(vm));
    let mut random = Random(Rng::with_seed(42));
    for _ in 0..100_000 {
        let call = BASE + random.below(u64::from(COUNT)) as u32;
        let arguments = [random.below(VMS), random.argument(), random.argument()];
        assert_eq!(bench.call_from(A, call, arguments), [u64::MAX, 0, 0, 0]);
    }
    assert_eq!([A, B, OPS].map(|vm| bench.profile(vm)), before);
    assert_eq!([A, B].map(|vm| bench.state(vm).0), [PHASE_RUNNING, PHASE_CREATED]);
}
