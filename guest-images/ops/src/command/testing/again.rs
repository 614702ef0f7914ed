//! `moves`: moves a VM again and again while it runs, until it has ended by itself.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use controls::{duration, management};
use portcullis_abi::manage::{self, PHASE_CREATED, PHASE_PAUSED, PHASE_RUNNING, PHASE_STOPPED, VCPU_WAITING};

use super::moving::{PATIENCE, PIECE, restore, save};
use crate::command::entry::{Command, Kind, usage};
use crate::command::waiting;
use crate::context::Context;
use crate::error::Error;

/// How often one is moved at the most: then it does not end.
const MOST: u64 = 100_000;
/// After so many moves the VM is saved once more, to be compared.
const COMPARED: u64 = 16;

/// Microseconds between two looks at what the VM does.
const LOOK: u64 = 200;

/// The command.
pub static MOVES: Command = Command {
    name: "moves",
    arguments: "VM SECONDS",
    about: "cases: saves a VM each time that it waits, or has run so long, makes it anew and restores it, until it has stopped",
    kinds: &[Kind::Vm, Kind::Free],
    count: (2, 2),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[name, between] = arguments else { return Err(usage(&MOVES)) };
    let vm = context.vm(name)?;
    let between = duration::parse(between)?;
    let buffer = context.manager.buffer();
    let Some((stream, piece)) = buffer.split_at_checked(buffer.len().saturating_sub(PIECE)) else {
        return Err(Error::wrong(format_args!("there is no buffer for a stream")));
    };
    let (mut moves, mut same) = (0, true);
    while moves < MOST {
        await_rest(context, vm, between)?;
        let paused = context.call_settled(manage::PAUSE, [vm, 0, 0]);
        let state = management::vm_state(context.manager, vm)?;
        if paused.is_err() || state.phase == PHASE_STOPPED {
            break;
        }
        // It may end instead.
        if !is_paused(context, vm)? {
            break;
        }
        let length = save(context, vm, stream, |_, _| true)?;
        let whole = stream.get(..length).unwrap_or_default();
        context.call_settled(manage::STOP, [vm, 0, 0])?;
        waiting::for_phase(context, vm, PHASE_STOPPED, PATIENCE)?;
        context.call_settled(manage::RECREATE, [vm, 0, 0])?;
        waiting::for_phase(context, vm, PHASE_CREATED, PATIENCE)?;
        restore(context, vm, whole)?;
        if moves % COMPARED == 0 {
            same &= is_saved_again(context, vm, whole, piece)?;
        }
        context.call_settled(manage::RESUME, [vm, 0, 0])?;
        moves += 1;
    }
    context.equal(format_args!("moves {name}, each stream the same when it is saved again"), true, same);
    context.line(format_args!("moves {name}: {moves}"));
    waiting::for_phase(context, vm, PHASE_STOPPED, PATIENCE)
}

/// Waits until the VM's first vCPU waits for an interrupt, or so many microseconds.
fn await_rest(context: &mut Context, vm: u64, most: u64) -> Result<(), Error> {
    let start = context.manager.counter();
    loop {
        context.manager.sleep(LOOK)?;
        if management::vcpu(context.manager, vm, 0)?.activity == VCPU_WAITING || context.elapsed(start) >= most {
            return Ok(());
        }
    }
}

/// Waits until a VM that is to be paused is, or has stopped instead: false.
fn is_paused(context: &mut Context, vm: u64) -> Result<bool, Error> {
    let start = context.manager.counter();
    loop {
        let state = management::vm_state(context.manager, vm)?;
        if state.is_settled() && state.phase != PHASE_RUNNING {
            return Ok(state.phase == PHASE_PAUSED);
        }
        if context.elapsed(start) >= PATIENCE {
            return Err(Error::wrong(format_args!("{} does not pause", context.title(vm))));
        }
    }
}

/// Whether what is saved of the VM now is `whole`.
fn is_saved_again(context: &mut Context, vm: u64, whole: &[AtomicU8], piece: &[AtomicU8]) -> Result<bool, Error> {
    let mut same = true;
    let length = save(context, vm, piece, |at, bytes| {
        let before = whole.get(at..).and_then(|rest| rest.get(..bytes.len()));
        same &= before.is_some_and(|before| before.iter().zip(bytes).all(|(a, b)| a.load(Relaxed) == b.load(Relaxed)));
        false
    })?;
    Ok(same && length == whole.len())
}
