//! `expect` and `check`: commands as cases.

use controls::register;
use controls::report::registers;
use portcullis_abi::manage;

use crate::command::entry::{Command, Kind, run as run_command, usage};
use crate::context::Context;
use crate::error::Error;
use crate::words::MAX_WORDS;

/// `expect`.
pub static EXPECT: Command = Command {
    name: "expect",
    arguments: "STATUS COMMAND [ARGUMENTS...]",
    about: "a case: the command ends with ok, wrong, or a status such as frozen",
    kinds: &[Kind::Word(&["ok", "wrong", "frozen", "unsupported", "bad-state"]), Kind::Command],
    count: (2, MAX_WORDS),
    run: expect,
};

fn expect(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let Some((&wanted, command)) = arguments.split_first() else { return Err(usage(&EXPECT)) };
    if command.first() == Some(&EXPECT.name) {
        return Err(Error::wrong(format_args!("{} cannot expect itself", EXPECT.name)));
    }
    let result = run_command(context, command);
    let met = match &result {
        Ok(()) => wanted == "ok",
        Err(Error { status: None, .. }) => wanted == "wrong",
        Err(Error { status: Some(status), .. }) => status.is_called(wanted),
    };
    let name = Line(command);
    match (met, result) {
        (true, _) => context.case(format_args!("{name} is {wanted}"), None),
        (false, Ok(())) => context.case(format_args!("{name} is {wanted}"), Some(format_args!("got ok"))),
        (false, Err(error)) => context.case(format_args!("{name} is {wanted}"), Some(format_args!("got {error}"))),
    }
    Ok(())
}

/// Words as they were written.
struct Line<'a>(&'a [&'a str]);

impl core::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        for (number, word) in self.0.iter().enumerate() {
            write!(f, "{}{word}", if number == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// `check`.
pub static CHECK: Command = Command {
    name: "check",
    arguments: "VM REGISTER VALUE",
    about: "a case: the firmware register has this value",
    kinds: &[Kind::Vm, Kind::Register, Kind::Value],
    count: (3, 3),
    run: check,
};

fn check(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm, name, value] = arguments else { return Err(usage(&CHECK)) };
    let (number, id) = (context.vm(vm)?, register::identifier(name)?);
    let supported = registers::supported(context.manager, number, id);
    let expected = register::value(id, value, supported)?;
    let [got, ..] = context.call(manage::REGISTER_GET, [number, id, 0])?;
    context.equal(format_args!("{vm} {name} is {value}"), expected, got);
    Ok(())
}
