//! `logs`: the last of what a VM has written.

use controls::report::log;

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// The command.
pub static LOGS: Command = Command {
    name: "logs",
    arguments: "VM",
    about: "the last that it has written to its console, over its restarts, until it is recreated",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&LOGS)) };
    let vm = context.vm(vm)?;
    let Context { manager, out, .. } = context;
    Ok(log::read(*manager, vm, |text| _ = out.write_str(text))?)
}
