//! `regs`, `get`, `set`, `clear`, `rule`: the firmware registers of a VM.

use controls::register::{self, Shown};
use controls::report::registers::{self, rule_name};
use portcullis_abi::manage::{self, RULE_CLEAR, RULE_KEEP};

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// `regs`.
pub static REGS: Command = Command {
    name: "regs",
    arguments: "VM",
    about: "its firmware registers",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run: regs,
};

fn regs(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&REGS)) };
    let vm = context.vm(vm)?;
    let registers = registers::read(context.manager, vm)?;
    context.print(&registers);
    Ok(())
}

/// `get`.
pub static GET: Command = Command {
    name: "get",
    arguments: "VM REGISTER",
    about: "the value of a firmware register",
    kinds: &[Kind::Vm, Kind::Register],
    count: (2, 2),
    run: get,
};

fn get(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm, name] = arguments else { return Err(usage(&GET)) };
    let (vm, id) = (context.vm(vm)?, register::identifier(name)?);
    let [value, ..] = context.call(manage::REGISTER_GET, [vm, id, 0])?;
    context.line(format_args!("{name} = {value:#x} ({})", Shown { id, value }));
    Ok(())
}

/// `set`.
pub static SET: Command = Command {
    name: "set",
    arguments: "VM REGISTER VALUE",
    about: "sets a firmware register: names joined by +, none, all, or a number",
    kinds: &[Kind::Vm, Kind::Register, Kind::Value],
    count: (3, 3),
    run: set,
};

fn set(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm, name, value] = arguments else { return Err(usage(&SET)) };
    let vm = context.vm(vm)?;
    Ok(registers::set(context.manager, vm, name, value)?)
}

/// `clear`.
pub static CLEAR: Command = Command {
    name: "clear",
    arguments: "VM",
    about: "clears every bitmap register",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run: clear,
};

fn clear(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&CLEAR)) };
    let vm = context.vm(vm)?;
    context.call(manage::REGISTER_CLEAR, [vm, 0, 0])?;
    Ok(())
}

/// `rule`.
pub static RULE: Command = Command {
    name: "rule",
    arguments: "VM [clear|keep]",
    about: "what the first write does to the other bitmaps",
    kinds: &[Kind::Vm, Kind::Word(&["clear", "keep"])],
    count: (1, 2),
    run: rule,
};

fn rule(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let (&vm, rest) = arguments.split_first().ok_or_else(|| usage(&RULE))?;
    let vm = context.vm(vm)?;
    let rule = match *rest {
        [] => {
            let [rule, ..] = context.call(manage::RULE_GET, [vm, 0, 0])?;
            context.line(format_args!("{}", rule_name(rule)));
            return Ok(());
        }
        ["clear"] => RULE_CLEAR,
        ["keep"] => RULE_KEEP,
        _ => return Err(usage(&RULE)),
    };
    context.call(manage::RULE_SET, [vm, rule, 0])?;
    Ok(())
}
