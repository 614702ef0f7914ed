//! `filter`: ranges of function identifiers with a rule of their own.

use heapless::Vec;
use portcullis_abi::manage::{self, FILTERS};

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;
use crate::function;
use crate::management;
use crate::number;
use crate::table::{self, cell};

/// The command.
pub static FILTER: Command = Command {
    name: "filter",
    arguments: "VM [handle|deny|forward BASE COUNT]",
    about: "its range filter, or one more range",
    kinds: &[Kind::Vm, Kind::Word(&FILTERS), Kind::Free, Kind::Free],
    count: (1, 4),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let (&vm, rest) = arguments.split_first().ok_or_else(|| usage(&FILTER))?;
    let vm = context.vm(vm)?;
    match *rest {
        [] => list(context, vm),
        [action, base, count] => {
            let named = FILTERS.iter().position(|name| *name == action).map(|number| number as u64);
            let action = named.or_else(|| number::parse(action)).ok_or_else(|| usage(&FILTER))?;
            let range = u64::from(first(base)?) | half(count)? << 32;
            context.call(manage::FILTER_ADD, [vm, range, action])?;
            Ok(())
        }
        _ => Err(usage(&FILTER)),
    }
}

/// A function by name or number.
fn first(word: &str) -> Result<u32, Error> {
    function::parse(word).ok_or_else(|| {
        Error::wrong(format_args!("{word:?} is no function: TRNG_VERSION, or a number up to 0xffffffff"))
    })
}

/// A number of 32 bits.
fn half(word: &str) -> Result<u64, Error> {
    number::parse(word)
        .filter(|&number| u32::try_from(number).is_ok())
        .ok_or_else(|| Error::wrong(format_args!("{word:?} is no number up to 0xffffffff")))
}

fn list(context: &mut Context, vm: u64) -> Result<(), Error> {
    let manager = &mut *context.manager;
    let mut ranges: Vec<[u64; 3], 32> = Vec::new();
    management::each(
        |index| management::call(manager, manage::FILTER_LIST, [vm, index, 0]),
        |range| _ = ranges.push(range),
    )?;
    if ranges.is_empty() {
        context.line(format_args!("no ranges: the registers alone decide"));
        return Ok(());
    }
    let _ = table::print(context.out, ["first", "last", "count", "action"], |number| {
        let [range, action, _] = *ranges.get(number)?;
        let (base, count) = (range & 0xffff_ffff, range >> 32);
        Some([
            cell(format_args!("{base:#010x}")),
            cell(format_args!("{:#010x}", base.saturating_add(count).saturating_sub(1))),
            cell(format_args!("{count:#x}")),
            cell(format_args!("{}", management::name(&FILTERS, action))),
        ])
    });
    Ok(())
}
