//! `cycle`: starts and stops a VM many times and looks whether memory was lost.

use controls::management;
use controls::number;
use portcullis_abi::manage::{self, PHASE_CREATED, PHASE_RUNNING, PHASE_STOPPED};

use crate::command::entry::{Command, Kind, usage};
use crate::command::waiting;
use crate::context::Context;
use crate::error::Error;

/// Microseconds that one step may take.
const PATIENCE: u64 = 30_000_000;
/// Microseconds for which the VM runs: in turn too short for its first instruction, and long enough for its other vCPUs.
const LIFE: [u64; 4] = [0, 1_000, 10_000, 80_000];

/// The command.
pub static CYCLE: Command = Command {
    name: "cycle",
    arguments: "VM COUNT",
    about: "a case: starts, stops and recreates a created VM so often; the free memory must be the same",
    kinds: &[Kind::Vm, Kind::Free],
    count: (2, 2),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[name, count] = arguments else { return Err(usage(&CYCLE)) };
    let vm = context.vm(name)?;
    let count = number::parse(count).ok_or_else(|| Error::wrong(format_args!("{count:?} is no number of cycles")))?;
    let before = management::machine(context.manager)?.free;
    for (done, life) in (0..count).zip(LIFE.into_iter().cycle()) {
        if let Err(error) = once(context, vm, life) {
            context.case(format_args!("cycle {name} {count} times"), Some(format_args!("after {done}: {error}")));
            return Err(error);
        }
    }
    context.case(format_args!("cycle {name} {count} times"), None);
    let after = management::machine(context.manager)?.free;
    context.equal(format_args!("cycle {name} keeps {} KiB free", before >> 10), before, after);
    Ok(())
}

fn once(context: &mut Context, vm: u64, life: u64) -> Result<(), Error> {
    context.call_settled(manage::START, [vm, 0, 0])?;
    if life != 0 {
        waiting::for_phase(context, vm, PHASE_RUNNING, PATIENCE)?;
        context.manager.sleep(life)?;
    }
    context.call_settled(manage::STOP, [vm, 0, 0])?;
    waiting::for_phase(context, vm, PHASE_STOPPED, PATIENCE)?;
    context.call_settled(manage::RECREATE, [vm, 0, 0])?;
    waiting::for_phase(context, vm, PHASE_CREATED, PATIENCE)
}
