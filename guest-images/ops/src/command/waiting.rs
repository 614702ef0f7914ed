//! `wait` and `sleep`.

use controls::{duration, lifecycle, management};
use portcullis_abi::manage::PHASES;

use super::entry::{Command, Kind, usage};
use crate::context::{Context, STEP};
use crate::error::Error;

/// Seconds that `wait` waits by itself.
const PATIENCE: u64 = 60;

/// `wait`.
pub static WAIT: Command = Command {
    name: "wait",
    arguments: "VM STATE [SECONDS]",
    about: "waits until a VM is in a state and nothing is in progress; 60 s at the most",
    kinds: &[Kind::Vm, Kind::Word(&PHASES), Kind::Free],
    count: (2, 3),
    run: wait,
};

fn wait(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let (vm, word, limit) = match *arguments {
        [vm, word] => (vm, word, PATIENCE * 1_000_000),
        [vm, word, limit] => (vm, word, duration::parse(limit)?),
        _ => return Err(usage(&WAIT)),
    };
    let wanted = lifecycle::phase(word)?;
    let vm = context.vm(vm)?;
    for_phase(context, vm, wanted, limit)
}

/// Waits until a VM is in a phase with nothing in progress.
///
/// # Errors
/// The time is over, Ctrl-C, or a call's status.
pub fn for_phase(context: &mut Context, vm: u64, phase: u64, limit: u64) -> Result<(), Error> {
    let start = context.manager.counter();
    loop {
        let state = management::vm_state(context.manager, vm)?;
        if state.phase == phase && state.is_settled() {
            return Ok(());
        }
        if context.elapsed(start) >= limit {
            return Err(Error::wrong(format_args!(
                "{} is still {}{}{} after {} s",
                context.title(vm),
                state.phase_name(),
                if state.is_settled() { "" } else { ", " },
                state.progress_name(),
                limit / 1_000_000
            )));
        }
        context.manager.sleep(STEP)?;
    }
}

/// Waits until nothing is in progress with a VM.
///
/// # Errors
/// It takes longer than anything should, Ctrl-C, or a call's status.
pub fn until_settled(context: &mut Context, vm: u64) -> Result<(), Error> {
    let start = context.manager.counter();
    loop {
        let state = management::vm_state(context.manager, vm)?;
        if state.is_settled() {
            return Ok(());
        }
        if context.elapsed(start) >= PATIENCE * 1_000_000 {
            let title = context.title(vm);
            return Err(Error::wrong(format_args!("{title} is still {} after {PATIENCE} s", state.progress_name())));
        }
        context.manager.sleep(STEP)?;
    }
}

/// `sleep`.
pub static SLEEP: Command = Command {
    name: "sleep",
    arguments: "SECONDS",
    about: "waits; 0.1 is a tenth of a second",
    kinds: &[Kind::Free],
    count: (1, 1),
    run: sleep,
};

fn sleep(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[seconds] = arguments else { return Err(usage(&SLEEP)) };
    let limit = duration::parse(seconds)?;
    Ok(context.manager.sleep(limit)?)
}
