//! The firmware registers of a VM.

use core::fmt;

use heapless::Vec;
use portcullis_abi::manage::{self, RULE_CLEAR, RULE_KEEP, STATE_FROZEN};

use crate::calls::{Calls, Failure};
use crate::management::{self, Entry};
use crate::problem::{Problem, Wrong};
use crate::register::{self, Shown};
use crate::status::Status;
use crate::table::{self, cell};

/// The registers of a VM, and what is still to be done with them.
#[derive(Clone, Debug)]
pub struct Registers {
    /// The registers in the order of the list.
    pub entries: Vec<Entry, 32>,
    /// A `RULE_*`.
    pub rule: u64,
    /// Whether the first write has happened.
    pub written: bool,
    /// Whether nothing can be written any more.
    pub frozen: bool,
}

/// Reads the registers of a VM.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<Registers, C::Error> {
    let mut entries = Vec::new();
    management::each(|index| management::register_entry(calls, vm, index), |entry| _ = entries.push(entry))?;
    let frozen = management::vm_state(calls, vm)?.marks & STATE_FROZEN != 0;
    let [rule, written, _] = calls.call(manage::RULE_GET, [vm, 0, 0])?;
    Ok(Registers { entries, rule, written: written == 1, frozen })
}

impl fmt::Display for Registers {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        table::print(f, ["register", "identifier", "value", "names", "supported"], |number| {
            let &Entry { id, value, supported } = self.entries.get(number)?;
            Some([
                cell(format_args!("{}", register_name(id))),
                cell(format_args!("{id:#018x}")),
                cell(format_args!("{value:#x}")),
                cell(format_args!("{}", Shown { id, value })),
                cell(format_args!("{supported:#x}")),
            ])
        })?;
        let written = if self.written { "written" } else { "not written yet" };
        let frozen = if self.frozen { "frozen" } else { "writable" };
        writeln!(f, "rule {}, {written}, {frozen}", rule_name(self.rule))
    }
}

/// The name of a register; `?` if it has none.
pub fn register_name(id: u64) -> &'static str {
    register::by_id(id).map_or("?", |register| register.name)
}

/// A rule in one word.
pub fn rule_name(rule: u64) -> &'static str {
    match rule {
        RULE_CLEAR => "clear",
        RULE_KEEP => "keep",
        _ => "?",
    }
}

/// What a register supports; 0 if there is no such VM or register, which the call itself then says.
pub fn supported<C: Calls + ?Sized>(calls: &mut C, vm: u64, id: u64) -> u64 {
    let entry = management::find_register(calls, vm, id);
    entry.ok().flatten().map_or(0, |entry| entry.supported)
}

/// Sets a register, both of which are words.
///
/// # Errors
/// A word means nothing, or those of a call.
pub fn set<C: Calls + ?Sized>(calls: &mut C, vm: u64, name: &str, value: &str) -> Result<(), Problem<C::Error>> {
    let id = register::identifier(name).map_err(Problem::Wrong)?;
    let supported = supported(calls, vm, id);
    let value = register::value(id, value, supported).map_err(Problem::Wrong)?;
    match calls.call(manage::REGISTER_SET, [vm, id, value]) {
        Ok(_) => Ok(()),
        Err(error) => match error.status() {
            Some(status @ Status(manage::UNSUPPORTED)) => {
                let most = match register::by_id(id) {
                    Some(register) if register.bitmap => "what is supported",
                    _ => "the largest value",
                };
                let names = Shown { id, value: supported };
                Err(Problem::Refused(
                    status,
                    Wrong::new(format_args!(
                        "{name} = {value:#x} is not supported here; {most} is {supported:#x} ({names})"
                    )),
                ))
            }
            _ => Err(Problem::Call(error)),
        },
    }
}
