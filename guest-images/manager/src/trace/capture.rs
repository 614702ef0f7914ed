//! Has cores note what they do, and reads that for a time.

use std::thread;
use std::time::{Duration, Instant};

use controls::calls::Calls;
use controls::trace::{self, Read, Record};
use portcullis_abi::manage::{NO_ITEM, SUCCESS, TRACE_READ};

use super::switch::{self, Open, PAUSE};
use crate::error::Error;
use crate::interruption::Interruption;
use crate::port::{Failed, Port, PortError};

/// Requests that are made at once.
const BATCH: u64 = 32;

/// What was read of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// A record.
    Record(Record),
    /// So many were overwritten before they were read.
    Lost(u64),
}

/// What cores have noted, as far as it is read.
#[derive(Debug, Default)]
pub struct Capture {
    /// By core, in their order.
    pub cores: Vec<Vec<Noted>>,
    positions: Vec<u64>,
}

impl Capture {
    /// How many records were read, and how many lost.
    pub fn count(&self) -> (u64, u64) {
        self.cores.iter().flatten().fold((0, 0), |(read, lost), noted| match noted {
            Noted::Record(_) => (read + 1, lost),
            Noted::Lost(count) => (read, lost + count),
        })
    }

    /// Has the VMs `vms`, a bit each, followed for a time, or until a signal ends the program, and reads what cores note. `open`
    /// takes the port for a while.
    ///
    /// # Errors
    /// A trace is on, or the port failed; then the trace is ended as far as that can be done.
    pub fn take(open: &Open<'_>, vms: u64, time: Duration) -> Result<Self, Error> {
        Self::follow(open, vms, time, &Interruption::begin())
    }

    fn follow(open: &Open<'_>, vms: u64, time: Duration, broken_off: &Interruption) -> Result<Self, Error> {
        switch::on(open, vms)?;
        let start = Instant::now();
        let mut capture = Self::default();
        let mut read = || -> Result<(), Error> {
            while start.elapsed() < time && !broken_off.is_raised() {
                match open().and_then(|mut port| capture.drain(&mut port)) {
                    Ok(0) => thread::sleep(PAUSE.min(time.saturating_sub(start.elapsed()))),
                    Ok(_) => {}
                    // Who has the port now has it for a moment; meanwhile records may be lost.
                    Err(Failed::Port(PortError::Busy(..) | PortError::Taken(_))) => thread::sleep(PAUSE),
                    Err(failed) => return Err(failed.into()),
                }
            }
            Ok(())
        };
        let done = read();
        let ended = switch::off(open);
        done?;
        let mut port = ended?;
        // No more come.
        while capture.drain(&mut port)? != 0 {}
        Ok(capture)
    }

    /// Reads what there is. Returns how many records that were.
    fn drain(&mut self, port: &mut Port) -> Result<u64, Failed> {
        if self.cores.is_empty() {
            let cores = trace::standing(port)?.cores as usize;
            (self.cores, self.positions) = (vec![Vec::new(); cores], vec![0; cores]);
        }
        let mut all = 0;
        for (core, (noted, position)) in (0..).zip(self.cores.iter_mut().zip(&mut self.positions)) {
            // One core that notes faster than it is read does not keep the others from being read.
            for _ in 0..64 {
                let requests: Vec<[u64; 4]> =
                    (0..BATCH).map(|ahead| [TRACE_READ.into(), core, *position + ahead, 0]).collect();
                let mut more = true;
                for [status, values @ ..] in port.ask_all(&requests)? {
                    match status.cast_signed() {
                        SUCCESS => {}
                        NO_ITEM => {
                            more = false;
                            break;
                        }
                        other => return Err(Failed::Status(controls::status::Status(other))),
                    }
                    match trace::record(values) {
                        Read::Record(record) => {
                            noted.push(Noted::Record(record));
                            *position += 1;
                            all += 1;
                        }
                        Read::Lost(count) => {
                            noted.push(Noted::Lost(count));
                            *position = position.saturating_add(count);
                            // What was asked for behind it is lost, too, or asked for again.
                            break;
                        }
                        Read::Nothing => {}
                    }
                }
                if !more {
                    break;
                }
            }
        }
        Ok(all)
    }
}

/// Reads the names of VMs and links.
///
/// # Errors
/// Those of a call.
pub fn names<C: Calls + ?Sized>(calls: &mut C) -> Result<super::Names, C::Error> {
    let vms = controls::vm::names(calls)?.iter().map(ToString::to_string).collect();
    let mut links = Vec::new();
    while let Some(link) = controls::report::links::link(calls, links.len() as u64)? {
        links.push(link.name.to_string());
    }
    Ok(super::Names { vms, links })
}
