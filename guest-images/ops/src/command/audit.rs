//! `audit`: what a VM used, as the smallest stanza of a manifest that would have let it run.

use heapless::Vec;
use portcullis_abi::{firmware, manage};

use super::entry::{Command, Kind, usage};
use crate::context::{Context, microseconds};
use crate::error::Error;
use crate::function;
use crate::management;
use crate::register::{self, Register};
use crate::table::{self, cell};

/// The command.
pub static AUDIT: Command = Command {
    name: "audit",
    arguments: "VM [on|off]",
    about: "the smallest [vm.firmware] it needs; on: from its start everything is allowed and noted",
    kinds: &[Kind::Vm, Kind::Word(&["on", "off"])],
    count: (1, 2),
    run,
};

/// The registers that a manifest has a key for.
const KEYS: [u64; 6] = [
    firmware::STD,
    firmware::STD_HYP,
    firmware::VENDOR_HYP,
    firmware::VENDOR_HYP_2,
    firmware::PSCI_VERSION,
    firmware::SMCCC_VERSION,
];

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let (&vm, rest) = arguments.split_first().ok_or_else(|| usage(&AUDIT))?;
    let vm = context.vm(vm)?;
    let on = match *rest {
        [] => return report(context, vm),
        ["on"] => 1,
        ["off"] => 0,
        _ => return Err(usage(&AUDIT)),
    };
    context.call(manage::AUDIT_SET, [vm, on, 0])?;
    Ok(())
}

/// Most functions that are listed.
const LISTED: usize = 128;

fn report(context: &mut Context, vm: u64) -> Result<(), Error> {
    let state = management::vm_state(context.manager, vm)?;
    if state.marks & manage::STATE_AUDIT == 0 {
        context.line(format_args!("# not audited: `audit VM on` before the start lets it use everything"));
    }
    functions(context, vm)?;
    context.line(format_args!("[vm.firmware]"));
    for id in KEYS {
        let [value, ..] = context.call(manage::AUDIT_REGISTER, [vm, id, 0])?;
        if let Some(register) = register::by_id(id) {
            key(context, register, value);
        }
    }
    forwarded(context, vm)
}

/// The ranges of the filter by which EL3 was reached.
fn forwarded(context: &mut Context, vm: u64) -> Result<(), Error> {
    let [reached, ..] = context.call(manage::AUDIT_RANGES, [vm, 0, 0])?;
    for index in (0..64).filter(|index| reached >> index & 1 == 1) {
        let [range, ..] = context.call(manage::FILTER_LIST, [vm, index, 0])?;
        let (base, count) = (range as u32, range >> 32);
        context
            .line(format_args!("\n[[vm.firmware.filter]]\nbase = {base:#x}\ncount = {count:#x}\naction = \"forward\""));
    }
    Ok(())
}

fn key(context: &mut Context, register: &Register, value: u64) {
    if !register.bitmap {
        let named = register.values.iter().find(|(_, number)| *number == value);
        return match named {
            Some((version, _)) => context.line(format_args!("{} = \"{version}\"", register.name)),
            None => context.line(format_args!("{} = \"{}.{}\"", register.name, value >> 16, value & 0xffff)),
        };
    }
    let names = register.values.iter().filter(|(_, bit)| value & bit != 0);
    if value == 0 || names.clone().map(|(_, bit)| bit).sum::<u64>() != value {
        // What is not named is cleared. A bit without a name makes the whole value a number.
        return if value != 0 {
            context.line(format_args!("{} = {value:#x}", register.name))
        };
    }
    let _ = write!(context.out, "{} = [", register.name);
    for (number, (name, _)) in names.enumerate() {
        let _ = write!(context.out, "{}\"{name}\"", if number == 0 { "" } else { ", " });
    }
    context.line(format_args!("]"));
}

/// The functions that were used, as comments, so that the whole output can be pasted.
fn functions(context: &mut Context, vm: u64) -> Result<(), Error> {
    let mut used: Vec<[u64; 3], LISTED> = Vec::new();
    let manager = &mut *context.manager;
    management::each(
        |index| management::call(manager, manage::AUDIT_LIST, [vm, index, 0]),
        |item| _ = used.push(item),
    )?;
    let Some(&[_, first, lost]) = used.first() else {
        context.line(format_args!("# it has called nothing"));
        return Ok(());
    };
    let frequency = context.manager.frequency();
    let _ = table::print(context.out, ["# function", "by", "seconds", "name"], |number| {
        let [call, time, _] = *used.get(number)?;
        let after = microseconds(time.saturating_sub(first), frequency);
        let fate = match (call >> 33 & 1, call >> 34 & 1) {
            (1, _) => "refused",
            (_, 1) => "forwarded",
            _ => "",
        };
        Some([
            cell(format_args!("# {:#010x}", call as u32)),
            cell(format_args!("{}", if call >> 32 & 1 == 1 { "smc" } else { "hvc" })),
            cell(format_args!("{}.{:06}", after / 1_000_000, after % 1_000_000)),
            match (function::name(call as u32), fate) {
                (name, "") => cell(format_args!("{name}")),
                ("", fate) => cell(format_args!("{fate}")),
                (name, fate) => cell(format_args!("{name} {fate}")),
            },
        ])
    });
    if lost != 0 {
        context.line(format_args!("# and {lost} more"));
    }
    Ok(())
}
