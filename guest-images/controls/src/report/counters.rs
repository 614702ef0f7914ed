//! What was counted of a VM's calls and exits.

use core::fmt;

use portcullis_abi::manage::{self, CONDUITS, EXITS, SERVICES};

use crate::calls::Calls;
use crate::table::{self, cell};

/// The groups with a count per service, in the order of [`Counters::services`].
const GROUPS: [u64; 4] = [
    manage::COUNTER_ANSWERED_HVC,
    manage::COUNTER_ANSWERED_SMC,
    manage::COUNTER_DENIED_HVC,
    manage::COUNTER_DENIED_SMC,
];

/// The counts of a VM since its creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls by service: answered by HVC and by SMC, refused by HVC and by SMC.
    pub services: [[u64; 4]; SERVICES.len()],
    /// Calls that went to EL3, by conduit.
    pub forwarded: [u64; CONDUITS.len()],
    /// Exits by cause.
    pub exits: [u64; EXITS.len()],
}

/// Reads the counters of a VM.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<Counters, C::Error> {
    let mut counters = Counters::default();
    for (service, row) in (0..).zip(&mut counters.services) {
        for (group, count) in GROUPS.into_iter().zip(row) {
            *count = counter(calls, vm, group, service)?;
        }
    }
    let Counters { forwarded, exits, .. } = &mut counters;
    for (group, counts) in [(manage::COUNTER_FORWARDED, &mut forwarded[..]), (manage::COUNTER_EXITS, exits)] {
        for (index, count) in (0..).zip(counts) {
            *count = counter(calls, vm, group, index)?;
        }
    }
    Ok(counters)
}

/// One count of a VM.
///
/// # Errors
/// Those of the call.
pub fn counter<C: Calls + ?Sized>(calls: &mut C, vm: u64, group: u64, index: u64) -> Result<u64, C::Error> {
    calls.call(manage::COUNTER, [vm, group, index]).map(|[count, ..]| count)
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let titles = ["service", "answered by hvc", "by smc", "refused by hvc", "by smc"];
        table::print(f, titles, |number| {
            let (&name, [a, b, c, d]) = (SERVICES.get(number)?, *self.services.get(number)?);
            Some([
                cell(format_args!("{name}")),
                cell(format_args!("{a}")),
                cell(format_args!("{b}")),
                cell(format_args!("{c}")),
                cell(format_args!("{d}")),
            ])
        })?;
        one_line(f, "forwarded", &CONDUITS, &self.forwarded)?;
        one_line(f, "exits", &EXITS, &self.exits)
    }
}

fn one_line(f: &mut fmt::Formatter, title: &str, names: &[&str], counts: &[u64]) -> fmt::Result {
    write!(f, "{title}: ")?;
    let mut gap = "";
    for (name, count) in names.iter().zip(counts) {
        write!(f, "{gap}{name} {count}")?;
        gap = ", ";
    }
    writeln!(f)
}
