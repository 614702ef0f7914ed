//! `fuzz`: random management calls, held against a model of the registers.

mod model;

use controls::function;
use controls::management;
use controls::number;
use controls::status::Status;
use guest_runtime::random::Random;
use portcullis_abi::firmware::{ALL as REGISTERS, STD};
use portcullis_abi::manage::*;
use portcullis_abi::map::MAX_VMS;

use self::model::Model;
use crate::command::entry::{Command, Kind, usage};
use crate::command::waiting;
use crate::context::Context;
use crate::error::Error;
use crate::manager::Answer;

/// The command.
pub static FUZZ: Command = Command {
    name: "fuzz",
    arguments: "COUNT SEED [VM...]",
    about: "a case: so many random management calls; only these VMs are started and stopped",
    kinds: &[Kind::Free, Kind::Free, Kind::Vm, Kind::Vm, Kind::Vm],
    count: (2, 2 + MAX_VMS),
    run,
};

/// Calls between two comparisons of all registers.
const ROUND: u64 = 4096;
/// Calls that move a VM from one state to the next, one in so many.
const MOVES: u64 = 128;
const MOVING: [u32; 6] = [START, PAUSE, RESUME, STOP, RESTART, RECREATE];

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[count, seed, ref movable @ ..] = arguments else { return Err(usage(&FUZZ)) };
    let number = |word| number::parse(word).ok_or_else(|| Error::wrong(format_args!("{word:?} is no number")));
    let (count, seed) = (number(count)?, number(seed)?);
    let mut random = Random::new(seed);
    let name = format_args!("fuzz {count} calls from seed {seed}");
    let version = context.call(VERSION, [u64::from(ABI_VERSION), 0, 0]);
    let found = match version {
        Err(Status(NOT_SUPPORTED)) => refused(context, &mut random, count),
        Err(status) => return Err(status.into()),
        Ok([_, abilities, _]) => {
            let mut fuzz = Fuzz::new(context, abilities)?;
            for word in movable {
                fuzz.movable |= 1_u64.checked_shl(context.vm(word)?.try_into().unwrap_or(u32::MAX)).unwrap_or(0);
            }
            let found = fuzz.run(context, &mut random, count)?;
            // A trace that is on takes time of those that come next. None is on: BAD_STATE.
            while context.manager.ask(TRACE_SET, [0; 3]).status == BUSY {
                context.manager.sleep(1000)?;
            }
            context.line(format_args!("fuzz: {} calls succeeded, {} of them moved a VM", fuzz.succeeded, fuzz.moved));
            found
        }
    };
    match found {
        None => context.case(name, None),
        Some(Finding { function, arguments: [x1, x2, x3], answer, expected }) => context.case(
            name,
            Some(format_args!(
                "{} {function:#x}({x1:#x}, {x2:#x}, {x3:#x}) expected {expected:x?} got {answer:x?}",
                function::name(function)
            )),
        ),
    }
    Ok(())
}

/// A call that was answered wrongly.
#[derive(Debug)]
struct Finding {
    function: u32,
    arguments: [u64; 3],
    answer: Answer,
    expected: (i64, Option<u64>),
}

/// A VM that is not the control VM: no management call exists.
fn refused(context: &mut Context, random: &mut Random, count: u64) -> Option<Finding> {
    for _ in 0..count {
        let function = any_function(random);
        let arguments = [0; 3].map(|_: u64| any_argument(random));
        let answer = context.manager.ask(function, arguments);
        if answer != (Answer { status: NOT_SUPPORTED, values: [0; 3] }) {
            return Some(Finding { function, arguments, answer, expected: (NOT_SUPPORTED, Some(0)) });
        }
    }
    None
}

/// A function identifier of the range, mostly one that has a meaning.
fn any_function(random: &mut Random) -> u32 {
    if random.below(8) == 0 {
        return BASE + random.below(u64::from(COUNT)) as u32;
    }
    let index = random.below(ALL.len() as u64) as usize;
    ALL.get(index).map_or(BASE, |(_, function)| *function)
}

/// A number that may mean something to a call.
fn any_argument(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => random.next(),
        1 => 1 << random.below(64),
        2 => random.pick(&REGISTERS),
        3 => random.pick(&REGISTERS) ^ 1 << random.below(64),
        4 => random.below(0x40) << 32 | random.pick(&[0x8200_0000, 0xc200_0000, 0x8400_0050, 0xffff_ffff]),
        5 => random.pick(&[2, 0x1_0000, 0x1_0001, 0x1_0002]),
        _ => random.below(10),
    }
}

struct Fuzz {
    models: [Model; MAX_VMS],
    vms: u64,
    /// A bit for each VM that may be started and stopped.
    movable: u64,
    /// The board tells the time, so that a call cannot change what is supported.
    has_clock: bool,
    /// Calls that succeeded.
    succeeded: u64,
    /// Those of them that moved a VM from one state to the next.
    moved: u64,
}

impl Fuzz {
    /// Begins with the registers as they are.
    fn new(context: &mut Context, abilities: u64) -> Result<Self, Error> {
        let machine = management::machine(context.manager)?;
        let mut fuzz = Self {
            models: [Model::default(); MAX_VMS],
            vms: machine.vms,
            movable: 0,
            has_clock: abilities & CAN_TELL_TIME != 0,
            succeeded: 0,
            moved: 0,
        };
        for (vm, model) in (0..machine.vms).zip(&mut fuzz.models) {
            for (index, (value, supported)) in model.values.iter_mut().zip(&mut model.supported).enumerate() {
                let entry = management::register_entry(context.manager, vm, index as u64)?;
                (*value, *supported) = (entry.value, entry.supported);
            }
            let [rule, written, _] = context.call(RULE_GET, [vm, 0, 0])?;
            model.frozen = management::vm_state(context.manager, vm)?.marks & STATE_FROZEN != 0;
            (model.rule, model.written) = (rule, written == 1);
        }
        Ok(fuzz)
    }

    fn run(&mut self, context: &mut Context, random: &mut Random, count: u64) -> Result<Option<Finding>, Error> {
        for done in 0..count {
            let (function, arguments) = loop {
                let (function, arguments) = self.choose(random);
                if context.manager.can_make(function) {
                    break (function, arguments);
                }
            };
            let answer = context.manager.ask(function, arguments);
            if let Some(expected) = self.judge(function, arguments, answer) {
                return Ok(Some(Finding { function, arguments, answer, expected }));
            }
            self.succeeded += u64::from(answer.status == SUCCESS);
            if answer.status == SUCCESS && MOVING.contains(&function) {
                self.moved += 1;
                waiting::until_settled(context, arguments[0])?;
            }
            let round_is_over = done % ROUND == ROUND - 1 || done == count - 1;
            if round_is_over && let Some(finding) = self.compare(context) {
                return Ok(Some(finding));
            }
        }
        Ok(None)
    }

    /// A call that neither ends the machine nor moves a VM that is to be left alone.
    fn choose(&self, random: &mut Random) -> (u32, [u64; 3]) {
        loop {
            let function = any_function(random);
            if function == POWER_OFF
                || function == CLOCK_SET && !self.has_clock
                || MOVING.contains(&function) && random.below(MOVES / 8) != 0
            {
                continue;
            }
            let mut arguments = [0; 3].map(|_: u64| any_argument(random));
            if random.below(8) != 0 {
                arguments[0] = random.below(self.vms);
            }
            let left_alone = arguments[0] < self.vms && self.movable >> arguments[0] & 1 == 0;
            if !(MOVING.contains(&function) && left_alone) {
                return (function, arguments);
            }
        }
    }

    /// What was expected, if the answer is not that. A success changes the model as it has to change the VM.
    fn judge(&mut self, function: u32, arguments: [u64; 3], answer: Answer) -> Option<(i64, Option<u64>)> {
        let known = STATUSES.iter().any(|(_, status)| *status == answer.status) && answer.status != NOT_SUPPORTED;
        let silent = answer.status == SUCCESS || function == VERSION || answer.values == [0; 3];
        if !known || !silent {
            return Some((SUCCESS, Some(0)));
        }
        if !ALL.iter().any(|(_, meant)| *meant == function) {
            return (answer.status != UNKNOWN_CALL).then_some((UNKNOWN_CALL, Some(0)));
        }
        let of_machine = matches!(function, VERSION | MACHINE | CLOCK_SET | CLOCK_GET | SYSTEM_COUNTER);
        let of_others = matches!(
            function,
            LINK | LINK_END | LINK_COUNTER | TRANSFER..=TRANSFER_END | TRANSFER_STATE | TRANSFER_REASON | TRACE_SET..=TRACE_READ
        );
        let takes_vm = !of_machine && !of_others;
        if takes_vm && arguments[0] >= self.vms {
            return (answer.status != UNKNOWN_VM).then_some((UNKNOWN_VM, Some(0)));
        }
        let model = self.models.get_mut(usize::try_from(arguments[0]).ok()?)?;
        match function {
            _ if answer.status == BUSY => None,
            START if answer.status == SUCCESS => {
                model.frozen = true;
                None
            }
            RECREATE if answer.status == SUCCESS => {
                model.recreate();
                None
            }
            _ => {
                let (status, value) = model.apply(function, arguments)?;
                let met = answer.status == status && value.is_none_or(|value| answer.values[0] == value);
                (!met).then_some((status, value))
            }
        }
    }

    /// Every register of every VM against the model.
    fn compare(&self, context: &mut Context) -> Option<Finding> {
        for (vm, model) in (0..self.vms).zip(&self.models) {
            for (index, (&id, &value)) in REGISTERS.iter().zip(&model.values).enumerate() {
                let arguments = [vm, index as u64, 0];
                let answer = context.manager.ask(REGISTER_LIST, arguments);
                let supported = model.supported.get(index).copied().unwrap_or(STD);
                if answer != (Answer { status: SUCCESS, values: [id, value, supported] }) {
                    let expected = (SUCCESS, Some(value));
                    return Some(Finding { function: REGISTER_LIST, arguments, answer, expected });
                }
            }
        }
        None
    }
}
