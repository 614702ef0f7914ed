//! `audit`: what a VM used, as the smallest stanza of a manifest that would have let it run.

use controls::report::audit;
use portcullis_abi::manage;

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// The command.
pub static AUDIT: Command = Command {
    name: "audit",
    arguments: "VM [on|off]",
    about: "the smallest [vm.firmware] it needs; on: from its start everything is allowed and noted",
    kinds: &[Kind::Vm, Kind::Word(&["on", "off"])],
    count: (1, 2),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let (&vm, rest) = arguments.split_first().ok_or_else(|| usage(&AUDIT))?;
    let vm = context.vm(vm)?;
    let on = match *rest {
        [] => {
            let frequency = context.manager.frequency();
            let audit = audit::read(context.manager, vm, frequency)?;
            context.print(&audit);
            return Ok(());
        }
        ["on"] => 1,
        ["off"] => 0,
        _ => return Err(usage(&AUDIT)),
    };
    context.call(manage::AUDIT_SET, [vm, on, 0])?;
    Ok(())
}
