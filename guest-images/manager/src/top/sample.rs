//! What is read of the machine at one look.

use controls::calls::{Calls, Failure};
use controls::report::counters::{self, Counters};
use controls::report::links::{self, Counted};
use controls::report::vms::{self, Vms};
use controls::status::Status;
use portcullis_abi::manage::{SYSTEM_COUNTER, UNKNOWN_VM};

use crate::port::{Failed, Port};

/// One look at the machine.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The physical counter, and its ticks in a second.
    pub counter: [u64; 2],
    /// The VMs.
    pub vms: Vms,
    /// What was counted of the VM that is looked at.
    pub detail: Option<Detail>,
}

/// What was counted of one VM.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Its number.
    pub vm: u64,
    /// Its calls and exits.
    pub counters: Counters,
    /// At its ends of links.
    pub links: Vec<Counted>,
}

impl Sample {
    /// Looks at all VMs, and at what was counted of VM `vm`, or of the first one.
    ///
    /// # Errors
    /// Those of a call.
    pub fn read(port: &mut Port, vm: Option<u64>) -> Result<Self, Failed> {
        let [counter, _, frequency] = port.call(SYSTEM_COUNTER, [0; 3])?;
        let vms = vms::read(port, None)?;
        let detail = match detail(port, vm.unwrap_or_default()) {
            // It has gone since.
            Err(failed) if failed.status() == Some(Status(UNKNOWN_VM)) => None,
            other => Some(other?),
        };
        Ok(Self { counter: [counter, frequency], vms, detail })
    }
}

fn detail(port: &mut Port, vm: u64) -> Result<Detail, Failed> {
    let counters = counters::read(port, vm)?;
    let mut links = Vec::new();
    for number in 0.. {
        if !links::counted(port, vm, number, |counted| links.push(counted))? {
            break;
        }
    }
    Ok(Detail { vm, counters, links })
}
