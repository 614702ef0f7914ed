//! `stats` and `refused`: what was counted of a VM's calls and exits.

use heapless::Vec;
use portcullis_abi::manage::{self, CONDUITS, EXITS, REFUSALS, SERVICES};

use super::entry::{Command, Kind, usage};
use crate::context::{Context, microseconds};
use crate::error::{Error, Status};
use crate::function;
use crate::management;
use crate::table::{self, cell};

/// `stats`.
pub static STATS: Command = Command {
    name: "stats",
    arguments: "VM",
    about: "its calls by service and conduit, and its exits by cause",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run: stats,
};

/// The groups with a count per service: a column each.
const COLUMNS: [u64; 4] = [
    manage::COUNTER_ANSWERED_HVC,
    manage::COUNTER_ANSWERED_SMC,
    manage::COUNTER_DENIED_HVC,
    manage::COUNTER_DENIED_SMC,
];

fn stats(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&STATS)) };
    let vm = context.vm(vm)?;
    let mut counts = [[0; COLUMNS.len()]; SERVICES.len()];
    for (service, row) in counts.iter_mut().enumerate() {
        for (group, count) in COLUMNS.into_iter().zip(row) {
            *count = counter(context, vm, group, service as u64)?;
        }
    }
    let titles = ["service", "answered by hvc", "by smc", "refused by hvc", "by smc"];
    let _ = table::print(context.out, titles, |number| {
        let (&name, [a, b, c, d]) = (SERVICES.get(number)?, *counts.get(number)?);
        Some([
            cell(format_args!("{name}")),
            cell(format_args!("{a}")),
            cell(format_args!("{b}")),
            cell(format_args!("{c}")),
            cell(format_args!("{d}")),
        ])
    });
    one_line(context, vm, "forwarded", manage::COUNTER_FORWARDED, &CONDUITS)?;
    one_line(context, vm, "exits", manage::COUNTER_EXITS, &EXITS)
}

/// One count of a VM.
///
/// # Errors
/// The call's status.
pub fn counter(context: &mut Context, vm: u64, group: u64, index: u64) -> Result<u64, Status> {
    context.call(manage::COUNTER, [vm, group, index]).map(|[count, ..]| count)
}

fn one_line(context: &mut Context, vm: u64, title: &str, group: u64, names: &[&str]) -> Result<(), Error> {
    let mut gap = "";
    let _ = write!(context.out, "{title}: ");
    for (index, name) in names.iter().enumerate() {
        let count = counter(context, vm, group, index as u64)?;
        let _ = write!(context.out, "{gap}{name} {count}");
        gap = ", ";
    }
    context.line(format_args!(""));
    Ok(())
}

/// `refused`.
pub static REFUSED: Command = Command {
    name: "refused",
    arguments: "VM",
    about: "its last refused calls, the newest first",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run: refused,
};

/// A refused call.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// Function identifier.
    pub function: u32,
    /// By SMC.
    pub smc: bool,
    /// The vCPU.
    pub vcpu: u64,
    /// The physical counter then.
    pub time: u64,
    /// Calls refused since creation.
    pub total: u64,
}

/// The refused calls of a VM that are remembered, the newest first.
///
/// # Errors
/// A call's status.
pub fn refusals(context: &mut Context, vm: u64) -> Result<Vec<Refusal, { REFUSALS as usize }>, Status> {
    let mut refusals = Vec::new();
    let manager = &mut *context.manager;
    management::each(
        |index| management::call(manager, manage::REFUSED, [vm, index, 0]),
        |[call, time, total]| {
            let refusal =
                Refusal { function: call as u32, smc: call >> 32 & 1 == 1, vcpu: call >> 40 & 0xff, time, total };
            _ = refusals.push(refusal);
        },
    )?;
    Ok(refusals)
}

fn refused(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&REFUSED)) };
    let vm = context.vm(vm)?;
    let refusals = refusals(context, vm)?;
    let Some(newest) = refusals.first() else {
        context.line(format_args!("nothing was refused"));
        return Ok(());
    };
    let (now, frequency) = (context.manager.physical_counter(), context.manager.frequency());
    let _ = table::print(context.out, ["seconds ago", "vCPU", "by", "function", "name"], |number| {
        let refusal = refusals.get(number)?;
        let age = microseconds(now.saturating_sub(refusal.time), frequency);
        Some([
            cell(format_args!("{}.{:06}", age / 1_000_000, age % 1_000_000)),
            cell(format_args!("{}", refusal.vcpu)),
            cell(format_args!("{}", if refusal.smc { "smc" } else { "hvc" })),
            cell(format_args!("{:#010x}", refusal.function)),
            cell(format_args!("{}", function::name(refusal.function))),
        ])
    });
    context.line(format_args!("{} of {} refused calls", refusals.len(), newest.total));
    Ok(())
}
