//! `stats` and `refused`: what was counted of a VM's calls and exits, and at its links.

use controls::report::{counters, links, refusals};

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// `stats`.
pub static STATS: Command = Command {
    name: "stats",
    arguments: "VM",
    about: "its calls by service and conduit, its exits by cause, and what passed its links",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run: stats,
};

fn stats(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&STATS)) };
    let vm = context.vm(vm)?;
    let counters = counters::read(context.manager, vm)?;
    context.print(&counters);
    let mut number = 0;
    loop {
        let mut found = None;
        if !links::counted(context.manager, vm, number, |counted| found = Some(counted))? {
            return Ok(());
        }
        found.iter().for_each(|counted| context.print(counted));
        number += 1;
    }
}

/// `refused`.
pub static REFUSED: Command = Command {
    name: "refused",
    arguments: "VM",
    about: "its last refused calls, the newest first",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run: refused,
};

fn refused(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&REFUSED)) };
    let vm = context.vm(vm)?;
    let refusals = refusals::read(context.manager, vm)?;
    let (now, frequency) = (context.manager.physical_counter(), context.manager.frequency());
    context.print(&refusals::Seen { refusals: &refusals, now, frequency });
    Ok(())
}
