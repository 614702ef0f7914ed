//! `time`: the machine's time of day.

use controls::report::clock;

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// The command.
pub static TIME: Command = Command {
    name: "time",
    arguments: "[set 2031-05-17T09:30:00Z]",
    about: "the time of day in UTC; set: sets it on a board without a real-time clock",
    kinds: &[Kind::Word(&["set"]), Kind::Free],
    count: (0, 2),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    match *arguments {
        [] => {
            let clock = clock::read(context.manager)?;
            context.print(&clock);
            Ok(())
        }
        ["set", text] => {
            let date = clock::parse(text)?;
            let now = context.manager.counter();
            Ok(clock::set(context.manager, date, now)?)
        }
        _ => Err(usage(&TIME)),
    }
}
