//! The port `portcullis.data`, by which a program and the hypervisor have what is long moved. A call at the other port names what;
//! each transfer takes an opening of its own.

use std::fs::File;
use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use controls::transfer::Transfer;
use portcullis_abi::manage::SUCCESS;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Failed, NAME as CALLS, Place, PortError, find};
use crate::error::Error;

/// The port's name.
const NAME: &str = "portcullis.data";
/// Bytes that are sent at once, as Linux makes a buffer of them for the device.
const PIECE: usize = 32 << 10;
/// How long nothing moves before it is asked how the transfer stands.
const STEP: Duration = Duration::from_millis(20);
/// Bytes that are sent before that is asked, at the most.
const SENT: u64 = 4 << 20;

/// Tells how the transfer stands, by a call, and why it has failed.
pub type Ask<'a> = dyn FnMut() -> Result<(Transfer, String), Error> + 'a;

/// The port, opened. Closed, it gives up what is not complete.
#[derive(Debug)]
pub struct Data {
    line: File,
    patience: Duration,
}

impl Data {
    /// Opens the port. Another transfer has it for as long as it takes.
    ///
    /// # Errors
    /// There is no such port, or somebody else has it.
    pub fn open(place: &Place) -> Result<Self, PortError> {
        let node = match find::node(place, NAME) {
            Err(PortError::Absent(_)) if find::node(place, CALLS).is_ok() => Err(PortError::NoData),
            node => node,
        }?;
        let line = (place.open)(&node).map_err(|error| PortError::opening(&node, error))?;
        Ok(Self { line, patience: place.patience })
    }

    /// Takes all that comes of the transfer that was begun, and writes it to `to`. Returns how many bytes that are.
    ///
    /// # Errors
    /// The transfer has failed, the port has, or `to` cannot be written.
    pub fn receive(&mut self, to: &mut dyn Write, ask: &mut Ask<'_>) -> Result<u64, Error> {
        let (mut bytes, mut count) = (vec![0; PIECE], 0);
        let mut since = Instant::now();
        loop {
            if !self.is_ready(PollFlags::IN, STEP)? {
                let (transfer, reason) = ask()?;
                if !transfer.goes_on && (transfer.bytes == count || transfer.status.0 != SUCCESS) {
                    return ended(transfer, reason).map(|()| count);
                }
                self.be_patient(since)?;
                continue;
            }
            since = Instant::now();
            let length = match self.line.read(&mut bytes) {
                Ok(0) => return Err(Failed::from(PortError::CutOff).into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(|error| Failed::from(PortError::asking(error)))?,
            };
            to.write_all(bytes.get(..length).unwrap_or_default())?;
            count += length as u64;
        }
    }

    /// Sends all that `from` has for the transfer that was begun, and waits until it has ended. Returns how many bytes were taken.
    ///
    /// # Errors
    /// The transfer has failed, the port has, or `from` cannot be read or is too short.
    pub fn send(&mut self, from: &mut dyn Read, ask: &mut Ask<'_>) -> Result<u64, Error> {
        let (mut bytes, mut count, mut asked) = (vec![0; PIECE], 0, 0);
        loop {
            let length = match from.read(&mut bytes) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(Error::input)?,
            };
            let mut rest = bytes.get(..length).unwrap_or_default();
            let mut since = Instant::now();
            while !rest.is_empty() {
                let ready = self.is_ready(PollFlags::OUT, STEP)?;
                if !ready || count - asked >= SENT {
                    asked = count;
                    let (transfer, reason) = ask()?;
                    if !transfer.goes_on {
                        return ended(transfer, reason).map(|()| transfer.bytes);
                    }
                }
                if !ready {
                    self.be_patient(since)?;
                    continue;
                }
                since = Instant::now();
                let length = match self.line.write(rest) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    length => length.map_err(|error| Failed::from(PortError::asking(error)))?,
                };
                rest = rest.get(length..).unwrap_or_default();
                count += length as u64;
            }
        }
        let since = Instant::now();
        loop {
            let (transfer, reason) = ask()?;
            if !transfer.goes_on {
                return ended(transfer, reason).map(|()| transfer.bytes);
            }
            if transfer.bytes >= count {
                return Err(Error::Short(count));
            }
            self.be_patient(since)?;
            thread::sleep(STEP);
        }
    }

    /// Whether the port is ready within a while.
    fn is_ready(&self, wanted: PollFlags, within: Duration) -> Result<bool, Error> {
        let within = Timespec { tv_sec: within.as_secs().cast_signed(), tv_nsec: within.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&self.line, wanted)], Some(&within)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
            Ok(_) => Ok(true),
            Err(error) => Err(Failed::from(PortError::asking(error.into())).into()),
        }
    }

    /// Gives up when nothing has moved for too long.
    fn be_patient(&self, since: Instant) -> Result<(), Error> {
        if since.elapsed() < self.patience { Ok(()) } else { Err(Failed::from(PortError::Silent).into()) }
    }
}

/// How a transfer has ended.
fn ended(transfer: Transfer, reason: String) -> Result<(), Error> {
    match transfer.status.0 {
        SUCCESS => Ok(()),
        _ => Err(Error::Call(Failed::Status(transfer.status), (!reason.is_empty()).then_some(reason))),
    }
}
