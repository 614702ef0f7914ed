//! `regs`, `get`, `set`, `clear`, `rule`: the firmware registers of a VM.

use heapless::Vec;
use portcullis_abi::manage::{self, RULE_CLEAR, RULE_KEEP, STATE_FROZEN};

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::{Error, Status};
use crate::management::{self, Entry};
use crate::register::{self, Shown};
use crate::table::{self, cell};

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
    let manager = &mut *context.manager;
    let mut entries: Vec<Entry, 32> = Vec::new();
    management::each(|index| management::register_entry(manager, vm, index), |entry| _ = entries.push(entry))?;
    let _ = table::print(context.out, ["register", "identifier", "value", "names", "supported"], |number| {
        let &Entry { id, value, supported } = entries.get(number)?;
        let name = register::by_id(id).map_or("?", |register| register.name);
        Some([
            cell(format_args!("{name}")),
            cell(format_args!("{id:#018x}")),
            cell(format_args!("{value:#x}")),
            cell(format_args!("{}", Shown { id, value })),
            cell(format_args!("{supported:#x}")),
        ])
    });
    let frozen = management::vm_state(context.manager, vm)?.marks & STATE_FROZEN != 0;
    let [rule, written, _] = context.call(manage::RULE_GET, [vm, 0, 0])?;
    context.line(format_args!(
        "rule {}, {}, {}",
        rule_name(rule),
        if written == 1 { "written" } else { "not written yet" },
        if frozen { "frozen" } else { "writable" }
    ));
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
    let (vm, id) = (context.vm(vm)?, register::identifier(name)?);
    let supported = supported(context, vm, id);
    let value = register::value(id, value, supported)?;
    match context.call(manage::REGISTER_SET, [vm, id, value]) {
        Ok(_) => Ok(()),
        Err(status @ Status(manage::UNSUPPORTED)) => Err(Error::refused(
            status,
            format_args!(
                "{name} = {value:#x} is not supported here; {} is {supported:#x} ({})",
                match register::by_id(id) {
                    Some(register) if register.bitmap => "what is supported",
                    _ => "the largest value",
                },
                Shown { id, value: supported }
            ),
        )),
        Err(status) => Err(status.into()),
    }
}

/// What a register supports; 0 if there is no such VM or register, which the call itself then says.
pub fn supported(context: &mut Context, vm: u64, id: u64) -> u64 {
    let entry = management::find_register(context.manager, vm, id);
    entry.ok().flatten().map_or(0, |entry| entry.supported)
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

fn rule_name(rule: u64) -> &'static str {
    match rule {
        RULE_CLEAR => "clear",
        RULE_KEEP => "keep",
        _ => "?",
    }
}
