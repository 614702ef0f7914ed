//! What a VM used, as the smallest stanza of a manifest that would have let it run.

use core::fmt;

use heapless::Vec;
use portcullis_abi::manage::STATE_AUDIT;
use portcullis_abi::{firmware, manage};

use super::filter::{self, Range};
use super::{Seconds, conduit};
use crate::calls::Calls;
use crate::duration::microseconds;
use crate::function;
use crate::management;
use crate::register::{self, Register};
use crate::table::{self, cell};

/// The registers that a manifest has a key for.
const KEYS: [u64; 6] = [
    firmware::STD,
    firmware::STD_HYP,
    firmware::VENDOR_HYP,
    firmware::VENDOR_HYP_2,
    firmware::PSCI_VERSION,
    firmware::SMCCC_VERSION,
];

/// Most functions that are listed.
const LISTED: usize = 128;

/// The first use of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// Function identifier.
    pub function: u32,
    /// By SMC.
    pub smc: bool,
    /// Refused even so.
    pub refused: bool,
    /// Handed to EL3 by a range of the filter.
    pub forwarded: bool,
    /// Microseconds since the first one of all.
    pub after: u64,
}

/// What a VM used.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Whether it was, or will be, let use everything.
    pub audited: bool,
    /// The functions in the order of their first use.
    pub functions: Vec<Use, LISTED>,
    /// Functions that were not noted because the list was full.
    pub lost: u64,
    /// The smallest value of each register that a manifest has a key for, with the register.
    pub registers: [(u64, u64); KEYS.len()],
    /// The ranges of the filter by which EL3 was reached.
    pub forwarded: Vec<Range, 64>,
}

/// Reads what a VM used. `frequency` is that of the physical counter.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, vm: u64, frequency: u64) -> Result<Audit, C::Error> {
    let audited = management::vm_state(calls, vm)?.marks & STATE_AUDIT != 0;
    let (mut functions, mut first, mut lost) = (Vec::new(), None, 0);
    management::each(
        |index| calls.call(manage::AUDIT_LIST, [vm, index, 0]),
        |[call, time, without_room]| {
            lost = without_room;
            let ticks = time.saturating_sub(*first.get_or_insert(time));
            _ = functions.push(Use {
                function: call as u32,
                smc: call >> 32 & 1 == 1,
                refused: call >> 33 & 1 == 1,
                forwarded: call >> 34 & 1 == 1,
                after: microseconds(ticks, frequency),
            });
        },
    )?;
    let mut registers = KEYS.map(|id| (id, 0));
    for (id, value) in &mut registers {
        [*value, ..] = calls.call(manage::AUDIT_REGISTER, [vm, *id, 0])?;
    }
    let [reached, ..] = calls.call(manage::AUDIT_RANGES, [vm, 0, 0])?;
    let mut forwarded = Vec::new();
    for index in (0..64).filter(|index| reached >> index & 1 == 1) {
        _ = forwarded.push(filter::range(calls, vm, index)?);
    }
    Ok(Audit { audited, functions, lost, registers, forwarded })
}

/// As text that can be pasted into a manifest.
impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.audited {
            writeln!(f, "# not audited: `audit VM on` before the start lets it use everything")?;
        }
        self.list(f)?;
        self.stanza(f)
    }
}

impl Audit {
    /// The functions that were used, as comments.
    fn list(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.functions.is_empty() {
            return writeln!(f, "# it has called nothing");
        }
        table::print(f, ["# function", "by", "seconds", "name"], |number| {
            let used = self.functions.get(number)?;
            let fate = match (used.refused, used.forwarded) {
                (true, _) => "refused",
                (_, true) => "forwarded",
                _ => "",
            };
            Some([
                cell(format_args!("# {:#010x}", used.function)),
                cell(format_args!("{}", conduit(used.smc))),
                cell(format_args!("{}", Seconds(used.after))),
                match (function::name(used.function), fate) {
                    (name, "") => cell(format_args!("{name}")),
                    ("", fate) => cell(format_args!("{fate}")),
                    (name, fate) => cell(format_args!("{name} {fate}")),
                },
            ])
        })?;
        if self.lost != 0 {
            writeln!(f, "# and {} more", self.lost)?;
        }
        Ok(())
    }

    /// The smallest stanza that would have let the VM run as it did.
    fn stanza(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "[vm.firmware]")?;
        for (id, value) in self.registers {
            if let Some(register) = register::by_id(id) {
                key(f, register, value)?;
            }
        }
        for range in &self.forwarded {
            let Range { first, count, .. } = range;
            writeln!(f, "\n[[vm.firmware.filter]]\nbase = {first:#x}\ncount = {count:#x}\naction = \"forward\"")?;
        }
        Ok(())
    }
}

fn key(f: &mut fmt::Formatter, register: &Register, value: u64) -> fmt::Result {
    if !register.bitmap {
        let named = register.values.iter().find(|(_, number)| *number == value);
        return match named {
            Some((version, _)) => writeln!(f, "{} = \"{version}\"", register.name),
            None => writeln!(f, "{} = \"{}.{}\"", register.name, value >> 16, value & 0xffff),
        };
    }
    let names = register.values.iter().filter(|(_, bit)| value & bit != 0);
    if value == 0 {
        // What is not named is cleared.
        return Ok(());
    }
    if names.clone().map(|(_, bit)| bit).sum::<u64>() != value {
        // A bit without a name makes the whole value a number.
        return writeln!(f, "{} = {value:#x}", register.name);
    }
    write!(f, "{} = [", register.name)?;
    for (number, (name, _)) in names.enumerate() {
        write!(f, "{}\"{name}\"", if number == 0 { "" } else { ", " })?;
    }
    writeln!(f, "]")
}
