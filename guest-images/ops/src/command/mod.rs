//! The commands.

mod audit;
mod call;
mod check;
mod clock;
mod counters;
mod cycle;
mod filter;
mod fuzz;
mod general;
mod lifecycle;
mod peers;
mod registers;
mod selftest;
mod vms;
mod waiting;

use crate::context::Context;
use crate::error::Error;
use crate::words;

/// What kind of word an argument is, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A VM.
    Vm,
    /// A firmware register.
    Register,
    /// A value of the register before it.
    Value,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A command with its arguments.
    Command,
    /// Something that cannot be completed.
    Free,
}

/// A command.
#[derive(Debug)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Its arguments as the help shows them; optional ones in brackets.
    pub arguments: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What its arguments are.
    pub kinds: &'static [Kind],
    /// Fewest and most arguments.
    pub count: (usize, usize),
    /// Does it.
    run: fn(&mut Context, &[&str]) -> Result<(), Error>,
}

/// Every command in the order of the help.
pub static COMMANDS: &[&Command] = &[
    &vms::VMS,
    &registers::REGS,
    &registers::GET,
    &registers::SET,
    &registers::CLEAR,
    &registers::RULE,
    &filter::FILTER,
    &lifecycle::START,
    &lifecycle::PAUSE,
    &lifecycle::RESUME,
    &lifecycle::STOP,
    &lifecycle::RESTART,
    &lifecycle::RECREATE,
    &counters::STATS,
    &counters::REFUSED,
    &audit::AUDIT,
    &clock::TIME,
    &waiting::WAIT,
    &waiting::SLEEP,
    &general::ECHO,
    &check::EXPECT,
    &check::CHECK,
    &call::CALL,
    &selftest::SELFTEST,
    &peers::PEERS,
    &fuzz::FUZZ,
    &cycle::CYCLE,
    &general::EXIT,
    &general::POWER,
    &general::HELP,
];

/// The command of this name.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name).copied()
}

/// Runs a command line. A blank one does nothing.
///
/// # Errors
/// The command is unknown, its arguments are wrong, or it failed.
pub fn run_line(context: &mut Context, line: &str) -> Result<(), Error> {
    let words = words::split(line)
        .ok_or_else(|| Error::wrong(format_args!("a command has {} words at the most", words::MAX_WORDS)))?;
    run(context, &words)
}

/// Runs a command that is cut into words.
///
/// # Errors
/// As for [`run_line`].
pub fn run(context: &mut Context, words: &[&str]) -> Result<(), Error> {
    let Some((&name, arguments)) = words.split_first() else { return Ok(()) };
    let command =
        find(name).ok_or_else(|| Error::wrong(format_args!("no command is called {name:?}; `help` lists them")))?;
    let (fewest, most) = command.count;
    if !(fewest..=most).contains(&arguments.len()) {
        return Err(usage(command));
    }
    (command.run)(context, arguments)
}

/// What is right for a command.
fn usage(command: &Command) -> Error {
    Error::wrong(format_args!("it is: {} {}", command.name, command.arguments))
}
