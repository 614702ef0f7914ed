//! `time`: the machine's time of day.

use portcullis_abi::manage::{self, CLOCK_BOARD, CLOCK_CALL};

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::date::Date;
use crate::error::{Error, Status};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

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
        [] => show(context),
        ["set", text] => {
            let date = Date::parse(text).ok_or_else(|| {
                Error::wrong(format_args!("{text:?} is no time: 2031-05-17T09:30:00Z, or seconds since 1970"))
            })?;
            let now = context.manager.counter();
            context.call(manage::CLOCK_SET, [date.0.saturating_mul(SECOND), now, 0]).map_err(
                |status| match status {
                    Status(manage::NOT_PERMITTED) => {
                        Error::refused(status, format_args!("this board has a real-time clock, whose time counts"))
                    }
                    other => other.into(),
                },
            )?;
            Ok(())
        }
        _ => Err(usage(&TIME)),
    }
}

fn show(context: &mut Context) -> Result<(), Error> {
    let [time, _, source] = context.call(manage::CLOCK_GET, [0; 3])?;
    let origin = match source {
        CLOCK_BOARD => "from the board's real-time clock",
        CLOCK_CALL => "as it was set",
        _ => {
            context.line(format_args!("unknown: this board has no real-time clock, and `time set` has not been given"));
            return Ok(());
        }
    };
    context.line(format_args!("{}, {origin}", Date(time / SECOND)));
    Ok(())
}
