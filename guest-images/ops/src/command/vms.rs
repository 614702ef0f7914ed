//! `vms`: the VMs with their vCPUs, and what they do.

use controls::report::vms;

use super::entry::{Command, Kind};
use crate::context::Context;
use crate::error::Error;

/// The command.
pub static VMS: Command = Command {
    name: "vms",
    arguments: "[VM]",
    about: "the VMs and their vCPUs: what they do, what they had of their cores, and why a VM failed",
    kinds: &[Kind::Vm],
    count: (0, 1),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let chosen = arguments.first().map(|word| context.vm(word)).transpose()?;
    let vms = vms::read(context.manager, chosen)?;
    context.print(&vms);
    Ok(())
}
