//! The last refused calls of a VM.

use core::fmt;

use heapless::Vec;
use portcullis_abi::manage::{self, REFUSALS};

use super::{Seconds, conduit};
use crate::calls::Calls;
use crate::duration::microseconds;
use crate::function;
use crate::management;
use crate::table::{self, cell};

/// A refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
pub type Refusals = Vec<Refusal, { REFUSALS as usize }>;

/// Reads the refused calls of a VM.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<Refusals, C::Error> {
    let mut refusals = Vec::new();
    management::each(
        |index| calls.call(manage::REFUSED, [vm, index, 0]),
        |[call, time, total]| {
            let refusal =
                Refusal { function: call as u32, smc: call >> 32 & 1 == 1, vcpu: call >> 40 & 0xff, time, total };
            _ = refusals.push(refusal);
        },
    )?;
    Ok(refusals)
}

/// Refused calls, as seen at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The calls.
    pub refusals: &'a Refusals,
    /// The physical counter now.
    pub now: u64,
    /// Its ticks in a second.
    pub frequency: u64,
}

impl Seen<'_> {
    /// Microseconds since a call was refused.
    pub fn age(&self, refusal: &Refusal) -> u64 {
        microseconds(self.now.saturating_sub(refusal.time), self.frequency)
    }
}

impl fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Some(newest) = self.refusals.first() else {
            return writeln!(f, "nothing was refused");
        };
        table::print(f, ["seconds ago", "vCPU", "by", "function", "name"], |number| {
            let refusal = self.refusals.get(number)?;
            Some([
                cell(format_args!("{}", Seconds(self.age(refusal)))),
                cell(format_args!("{}", refusal.vcpu)),
                cell(format_args!("{}", conduit(refusal.smc))),
                cell(format_args!("{:#010x}", refusal.function)),
                cell(format_args!("{}", function::name(refusal.function))),
            ])
        })?;
        writeln!(f, "{} of {} refused calls", self.refusals.len(), newest.total)
    }
}
