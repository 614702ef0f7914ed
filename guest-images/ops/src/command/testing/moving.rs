//! `move`: saves a paused VM, makes it anew, restores it, saves it again, and gives it away.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use portcullis_abi::manage::{self, PHASE_CREATED, PHASE_GIVEN_AWAY, PHASE_PAUSED, PHASE_STOPPED, TRANSFER_DONE};

use crate::command::entry::{Command, Kind, usage};
use crate::command::waiting;
use crate::context::Context;
use crate::error::Error;

/// Bytes of a piece, the most that a call takes.
pub(super) const PIECE: usize = 32 << 10;
/// Microseconds that one step may take.
pub(super) const PATIENCE: u64 = 30_000_000;

/// The command.
pub static MOVE: Command = Command {
    name: "move",
    arguments: "VM",
    about: "cases: saves a paused VM, makes it anew, restores it and saves it again, the same stream, and gives it away",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[name] = arguments else { return Err(usage(&MOVE)) };
    let vm = context.vm(name)?;
    let buffer = context.manager.buffer();
    let Some((stream, piece)) = buffer.split_at_checked(buffer.len().saturating_sub(PIECE)) else {
        return Err(Error::wrong(format_args!("there is no buffer for a stream")));
    };
    waiting::for_phase(context, vm, PHASE_PAUSED, PATIENCE)?;
    let mut ticks = [context.manager.physical_counter(); 4];
    let saved = save(context, vm, stream, |_, _| true);
    ticks[1] = context.manager.physical_counter();
    let length = done(context, format_args!("move {name}, saved"), saved)?;
    give_away(context, name, vm)?;
    context.call_settled(manage::FORGET, [vm, 0, 0])?;
    waiting::for_phase(context, vm, PHASE_STOPPED, PATIENCE)?;
    context.call_settled(manage::RECREATE, [vm, 0, 0])?;
    waiting::for_phase(context, vm, PHASE_CREATED, PATIENCE)?;
    let whole = stream.get(..length).unwrap_or_default();
    // One with a byte that is wrong is refused, and leaves a VM that can be restored.
    if let Some(byte) = whole.get(length / 2) {
        byte.fetch_xor(1, Relaxed);
        let refused = restore(context, vm, whole);
        byte.fetch_xor(1, Relaxed);
        let refused = refused.map(|()| [0; 3]);
        context.status(format_args!("move {name}, a damaged stream is refused"), manage::UNFIT, refused);
    }
    ticks[2] = context.manager.physical_counter();
    let restored = restore(context, vm, whole);
    ticks[3] = context.manager.physical_counter();
    done(context, format_args!("move {name}, restored"), restored)?;
    waiting::for_phase(context, vm, PHASE_PAUSED, PATIENCE)?;
    let mut same = true;
    let again = save(context, vm, piece, |at, bytes| {
        let before = whole.get(at..).and_then(|rest| rest.get(..bytes.len()));
        same &= before.is_some_and(|before| before.iter().zip(bytes).all(|(a, b)| a.load(Relaxed) == b.load(Relaxed)));
        false
    });
    let again = done(context, format_args!("move {name}, saved again"), again)?;
    context.equal(format_args!("move {name}, the same {} KiB", length >> 10), (length, true), (again, same));
    let [begun, saved, sent, restored] = ticks;
    let [saving, restoring] = [saved.wrapping_sub(begun), restored.wrapping_sub(sent)];
    give_away(context, name, vm)?;
    context.line(format_args!("move {name}: {length} bytes, {saving} ticks to save, {restoring} to restore"));
    Ok(())
}

/// Gives the VM away, and sees that what lets others go on does not let it.
fn give_away(context: &mut Context, name: &str, vm: u64) -> Result<(), Error> {
    let given = context.call(manage::GIVE_AWAY, [vm, 0, 0]);
    context.status(format_args!("move {name}, given away"), manage::SUCCESS, given);
    for request in [manage::START, manage::RESUME, manage::RESTART, manage::STOP, manage::RECREATE, manage::SAVE] {
        let refused = context.call(request, [vm, 0, 0]);
        context.status(format_args!("move {name}, given away, call {request:#x}"), manage::BAD_STATE, refused);
    }
    waiting::for_phase(context, vm, PHASE_GIVEN_AWAY, PATIENCE)
}

/// Bytes of a place of a stream.
const PLACE: usize = 1 << 20;

/// The command that keeps a saved VM in this VM's memory, for a machine that has that as a file.
pub static KEEP: Command = Command {
    name: "keep",
    arguments: "VM PLACE",
    about: "a case: saves a paused VM to a MiB of this VM's memory, counted from 0",
    kinds: &[Kind::Vm, Kind::Free],
    count: (2, 2),
    run: keep,
};

/// The command that takes one on.
pub static TAKE: Command = Command {
    name: "take",
    arguments: "VM PLACE",
    about: "restores a created VM from a MiB of this VM's RAM disk, counted from 0",
    kinds: &[Kind::Vm, Kind::Free],
    count: (2, 2),
    run: take,
};

/// The MiB of this number.
fn place<'a>(all: &'a [AtomicU8], number: &str) -> Result<&'a [AtomicU8], Error> {
    let number = number.parse().ok().and_then(|number: usize| number.checked_mul(PLACE));
    let place = number.and_then(|start| all.get(start..start.checked_add(PLACE)?));
    place.ok_or_else(|| Error::wrong(format_args!("there is no such MiB for a stream")))
}

fn keep(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[name, number] = arguments else { return Err(usage(&KEEP)) };
    let vm = context.vm(name)?;
    let stream = place(context.manager.buffer(), number)?;
    waiting::for_phase(context, vm, PHASE_PAUSED, PATIENCE)?;
    let saved = save(context, vm, stream, |_, _| true);
    let length = done(context, format_args!("keep {name}, saved"), saved)?;
    context.line(format_args!("keep {name}: {length} bytes"));
    Ok(())
}

fn take(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[name, number] = arguments else { return Err(usage(&TAKE)) };
    let vm = context.vm(name)?;
    let place = place(context.manager.handed(), number)?;
    // How long the stream is comes first.
    let (length, rest) = place.split_at_checked(8).unwrap_or((&[], place));
    let length = length.iter().rev().fold(0usize, |length, byte| length << 8 | usize::from(byte.load(Relaxed)));
    let stream = rest.get(..length).ok_or_else(|| Error::wrong(format_args!("there is no stream in that MiB")))?;
    restore(context, vm, stream)?;
    waiting::for_phase(context, vm, PHASE_PAUSED, PATIENCE)
}

/// Reports a step.
fn done<T>(
    context: &mut Context,
    name: core::fmt::Arguments,
    step: Result<T, controls::status::Status>,
) -> Result<T, Error> {
    match step {
        Ok(value) => {
            context.case(name, None);
            Ok(value)
        }
        Err(status) => {
            context.case(name, Some(format_args!("{status}")));
            Err(status.into())
        }
    }
}

/// Saves the VM into `buffer`; `take` has each piece, with its place in the stream, and says whether the next one is to come
/// behind it. Returns the bytes of the stream.
pub(super) fn save(
    context: &mut Context,
    vm: u64,
    buffer: &[AtomicU8],
    mut take: impl FnMut(usize, &[AtomicU8]) -> bool,
) -> Result<usize, controls::status::Status> {
    context.call(manage::SAVE, [vm, 0, 0])?;
    let (mut length, mut place) = (0, 0);
    loop {
        let rest = buffer.get(place..).unwrap_or_default();
        let piece = rest.get(..PIECE).unwrap_or(rest);
        let [bytes, progress, _] = context.call(manage::TRANSFER, [piece.as_ptr() as u64, piece.len() as u64, 0])?;
        let bytes = bytes as usize;
        if take(length, piece.get(..bytes).unwrap_or_default()) {
            place += bytes;
        }
        length += bytes;
        if progress == TRANSFER_DONE {
            return Ok(length);
        }
    }
}

/// Restores the VM from `stream`.
pub(super) fn restore(context: &mut Context, vm: u64, stream: &[AtomicU8]) -> Result<(), controls::status::Status> {
    context.call(manage::RESTORE, [vm, 0, 0])?;
    let mut rest = stream;
    loop {
        let piece = rest.get(..PIECE).unwrap_or(rest);
        let [bytes, progress, _] = context.call(manage::TRANSFER, [piece.as_ptr() as u64, piece.len() as u64, 0])?;
        rest = rest.get(bytes as usize..).unwrap_or_default();
        if progress == TRANSFER_DONE {
            return Ok(());
        }
    }
}
