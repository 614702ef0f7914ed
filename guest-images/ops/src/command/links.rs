//! `links`: what connects the VMs.

use controls::report::links;

use super::entry::Command;
use crate::context::Context;
use crate::error::Error;

/// The command.
pub static LINKS: Command = Command {
    name: "links",
    arguments: "",
    about: "what connects the VMs: networks, serial ports, disks, wires, with the VM at each end",
    kinds: &[],
    count: (0, 0),
    run,
};

fn run(context: &mut Context, _: &[&str]) -> Result<(), Error> {
    let listed = links::read(context.manager)?;
    context.print(&listed);
    Ok(())
}
