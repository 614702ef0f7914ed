//! `call`: any firmware call, as a guest makes it.

use controls::function;
use controls::number;
use controls::problem::{Problem, Wrong};
use controls::status::Status;

use crate::command::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;
use crate::manager::Conduit;

/// The command.
pub static CALL: Command = Command {
    name: "call",
    arguments: "hvc|smc FUNCTION [X1 [X2 [X3]]]",
    about: "makes a firmware call; FUNCTION is a name or a number",
    kinds: &[Kind::Word(&["hvc", "smc"]), Kind::Free],
    count: (2, 5),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let [conduit, name, rest @ ..] = arguments else { return Err(usage(&CALL)) };
    let conduit = match *conduit {
        "hvc" => Conduit::Hvc,
        "smc" => Conduit::Smc,
        _ => return Err(usage(&CALL)),
    };
    let function = function::parse(name)
        .ok_or_else(|| Error::wrong(format_args!("{name:?} is no function: TRNG_VERSION, or a number of 32 bits")))?;
    let mut registers = [0; 3];
    for (register, word) in registers.iter_mut().zip(rest) {
        *register = number::parse(word).ok_or_else(|| Error::wrong(format_args!("{word:?} is no number")))?;
    }
    let answer = context.manager.firmware_call(conduit, function, registers);
    let [x1, x2, x3] = answer.values;
    context.line(format_args!("x0 {:#x}  x1 {x1:#x}  x2 {x2:#x}  x3 {x3:#x}", answer.status));
    if answer.status < 0 {
        let text = Wrong::new(format_args!("the call answers {}", answer.status));
        return Err(Problem::Refused(Status(answer.status), text).into());
    }
    Ok(())
}
