//! What Prometheus asks for: all that is counted of the machine, in its text format.

mod format;
mod server;

use controls::report::counters::{self, Counters};
use controls::report::links::{self, Counted};
use controls::report::vms::{self, Vms};

pub use self::format::{CONTENT_TYPE, text};
pub use self::server::{Server, address};

use crate::port::{Failed, Port};

/// What was read of the machine in one turn at the port.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The machine and its VMs.
    pub vms: Vms,
    /// What was counted of each of them, in their order.
    pub counted: Vec<(Counters, Vec<Counted>)>,
}

impl Reading {
    /// Reads all of it. No call of it changes anything.
    ///
    /// # Errors
    /// Those of a call.
    pub fn read(port: &mut Port) -> Result<Self, Failed> {
        let vms = vms::read(port, None)?;
        let mut counted = Vec::new();
        for vm in &vms.vms {
            let (counters, mut ends) = (counters::read(port, vm.number)?, Vec::new());
            for number in 0.. {
                if !links::counted(port, vm.number, number, |end| ends.push(end))? {
                    break;
                }
            }
            counted.push((counters, ends));
        }
        Ok(Self { vms, counted })
    }
}
