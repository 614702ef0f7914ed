//! One command as the shell knows it, and how a line finds its command.

use crate::context::Context;
use crate::error::Error;
use crate::words;

/// What kind of word an argument is, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A VM.
    Vm,
    /// A VM, or one of these words.
    VmOr(&'static [&'static str]),
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
    pub run: fn(&mut Context, &[&str]) -> Result<(), Error>,
}

/// Commands in the order of the help, in groups.
pub type Commands = &'static [&'static [&'static Command]];

/// Names of the commands for tests, which only a build with the feature `testing` has.
pub const TESTING: [&str; 12] =
    ["expect", "check", "disturbed", "call", "selftest", "peers", "fuzz", "cycle", "move", "moves", "keep", "take"];

/// The command of this name.
///
/// # Errors
/// There is none.
pub fn find(commands: Commands, name: &str) -> Result<&'static Command, Error> {
    let found = commands.iter().copied().flatten().find(|command| command.name == name);
    found.copied().ok_or_else(|| {
        if TESTING.contains(&name) {
            return Error::wrong(format_args!("{name} is a command for tests: the image ops-testing has it"));
        }
        Error::wrong(format_args!("no command is called {name:?}; `help` lists them"))
    })
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
    let command = find(context.commands, name)?;
    let (fewest, most) = command.count;
    if !(fewest..=most).contains(&arguments.len()) {
        return Err(usage(command));
    }
    (command.run)(context, arguments)
}

/// What is right for a command.
pub fn usage(command: &Command) -> Error {
    Error::wrong(format_args!("it is: {} {}", command.name, command.arguments))
}
