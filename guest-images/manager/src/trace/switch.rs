//! Switches a trace on, and off again whatever the port does meanwhile: one that was left on costs every call of its VMs.

use std::thread;
use std::time::{Duration, Instant};

use controls::problem::Problem;
use controls::trace::{self, Standing};
use portcullis_abi::manage::{BAD_STATE, BUSY};

use crate::error::Error;
use crate::port::{Failed, Port, PortError};

/// Takes the port for a while.
pub type Open<'a> = dyn Fn() -> Result<Port, Failed> + 'a;

/// Between two looks: the port is others' meanwhile.
pub const PAUSE: Duration = Duration::from_millis(5);
/// How long cores may take to follow, and others may have the port.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a port that is cut off, or does not answer, is opened again.
const ATTEMPTS: u32 = 3;

/// Switches one on for the VMs `vms`, a bit each.
///
/// # Errors
/// A trace is on, or the port failed; then none is on that was not before.
pub fn on(open: &Open<'_>, vms: u64) -> Result<(), Error> {
    let mut port = open()?;
    let before = trace::standing(&mut port)?;
    let switched = trace::switch(&mut port, vms);
    drop(port);
    match switched {
        // It may have been done all the same.
        Err(Problem::Call(failed @ Failed::Port(_))) if !before.on => Err(match off(open) {
            Ok(_) => failed.into(),
            Err(left) => left,
        }),
        switched => Ok(switched?),
    }
}

/// Switches it off, and returns the port when all cores have followed.
///
/// # Errors
/// The port has failed again and again, or cores do not follow; the error says if it is left on.
pub fn off(open: &Open<'_>) -> Result<Port, Error> {
    let (start, mut attempts) = (Instant::now(), 0);
    loop {
        let failed = match open().map_err(Error::from).and_then(|mut port| end(&mut port, start).map(|()| port)) {
            Ok(port) => return Ok(port),
            Err(failed) => failed,
        };
        if matches!(failed, Error::TimeOver(_)) {
            return Err(failed);
        }
        attempts += 1;
        let again = match failed {
            Error::Call(Failed::Port(PortError::Busy(..) | PortError::Taken(_)), _) => start.elapsed() < PATIENCE,
            Error::Call(Failed::Port(_), _) => attempts < ATTEMPTS,
            _ => false,
        };
        if !again {
            return Err(Error::Left(failed.into(), "the trace is on still: `portcullis trace off` ends it".to_owned()));
        }
        thread::sleep(PAUSE);
    }
}

/// Ends it, and waits until all cores have followed.
fn end(port: &mut Port, start: Instant) -> Result<(), Error> {
    loop {
        match trace::switch(port, 0) {
            // Somebody has ended it, or this program has, and was not told so.
            Err(Problem::Refused(status, _)) if status.0 == BAD_STATE => break,
            Err(Problem::Refused(status, _)) if status.0 == BUSY && start.elapsed() < PATIENCE => {}
            ended => break ended?,
        }
        thread::sleep(PAUSE);
    }
    while let Standing { on: false, behind: 1.., .. } = trace::standing(port)? {
        if start.elapsed() > PATIENCE {
            return Err(Error::TimeOver("cores have not followed the end of the trace".to_owned()));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
