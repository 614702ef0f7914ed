//! `filter`: ranges of function identifiers with a rule of their own.

use controls::range;
use controls::report::filter;
use portcullis_abi::manage::{self, FILTERS};

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// The command.
pub static FILTER: Command = Command {
    name: "filter",
    arguments: "VM [handle|deny|forward BASE COUNT]",
    about: "its range filter, or one more range",
    kinds: &[Kind::Vm, Kind::Word(&FILTERS), Kind::Free, Kind::Free],
    count: (1, 4),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let (&vm, rest) = arguments.split_first().ok_or_else(|| usage(&FILTER))?;
    let vm = context.vm(vm)?;
    match *rest {
        [] => {
            let filter = filter::read(context.manager, vm)?;
            context.print(&filter);
            Ok(())
        }
        [action, base, count] => {
            let action = range::action(action).ok_or_else(|| usage(&FILTER))?;
            context.call(manage::FILTER_ADD, [vm, range::parse(base, count)?, action])?;
            Ok(())
        }
        _ => Err(usage(&FILTER)),
    }
}
