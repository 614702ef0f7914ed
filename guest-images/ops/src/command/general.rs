//! Help, echo and the ends.

use controls::table::{self, cell};
use portcullis_abi::manage;

use super::entry::{Command, Kind, find, usage};
use crate::context::{Context, Ending};
use crate::error::Error;
use crate::words::MAX_WORDS;

/// `help`.
pub static HELP: Command = Command {
    name: "help",
    arguments: "[COMMAND]",
    about: "the commands, or one of them",
    kinds: &[Kind::Command],
    count: (0, 1),
    run: help,
};

fn help(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    if let [name] = *arguments {
        let command = find(context.commands, name)?;
        context.line(format_args!("{} {}", command.name, command.arguments));
        context.line(format_args!("  {}", command.about));
        return Ok(());
    }
    let commands = context.commands;
    let _ = table::print(context.out, ["command", "arguments", "does"], |number| {
        let command = commands.iter().copied().flatten().nth(number)?;
        Some([command.name, command.arguments, command.about].map(|text| cell(format_args!("{text}"))))
    });
    context.line(format_args!("a VM is a name or a number; numbers are decimal or have 0x; Tab completes"));
    Ok(())
}

/// `echo`.
pub static ECHO: Command = Command {
    name: "echo",
    arguments: "[TEXT...]",
    about: "prints the text",
    kinds: &[Kind::Free],
    count: (0, MAX_WORDS),
    run: echo,
};

fn echo(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    for (number, word) in arguments.iter().enumerate() {
        let _ = write!(context.out, "{}{word}", if number == 0 { "" } else { " " });
    }
    context.line(format_args!(""));
    Ok(())
}

/// `exit`.
pub static EXIT: Command = Command {
    name: "exit",
    arguments: "",
    about: "switches this VM off; the others go on",
    kinds: &[],
    count: (0, 0),
    run: |context, _| {
        context.ending = Some(Ending::Exit);
        Ok(())
    },
};

/// `power`.
pub static POWER: Command = Command {
    name: "power",
    arguments: "off",
    about: "switches the machine off, whatever runs",
    kinds: &[Kind::Word(&["off"])],
    count: (1, 1),
    run: power,
};

fn power(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    if arguments != ["off"] {
        return Err(usage(&POWER));
    }
    // Nothing comes after it.
    context.sum_up();
    context.call(manage::POWER_OFF, [0; 3])?;
    Err(Error::wrong(format_args!("the machine is still on")))
}
