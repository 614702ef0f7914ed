//! The port `portcullis.events`, at which the hypervisor says what happens. It has one reader.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use controls::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Place, PortError, find};

/// The port's name.
const NAME: &str = "portcullis.events";

/// The port, opened.
#[derive(Debug)]
pub struct Events {
    line: File,
    /// What has come of records that were not taken yet.
    bytes: Vec<u8>,
}

impl Events {
    /// Opens the port. None: an older hypervisor has none, or somebody else reads it.
    ///
    /// # Errors
    /// It is there and cannot be opened.
    pub fn open(place: &Place) -> Result<Option<Self>, PortError> {
        let node = match find::node(place, NAME) {
            Err(PortError::Absent(_)) => return Ok(None),
            node => node?,
        };
        match (place.open)(&node).map_err(|error| PortError::opening(&node, error)) {
            Err(PortError::Taken(_)) => Ok(None),
            line => Ok(Some(Self { line: line?, bytes: Vec::new() })),
        }
    }

    /// Takes the next event, which may be long in coming. None: it did not come within `wait`.
    ///
    /// # Errors
    /// The port was cut off, or says what nobody understands.
    pub fn next(&mut self, wait: Option<Duration>) -> Result<Option<Event>, PortError> {
        let start = std::time::Instant::now();
        loop {
            let malformed = |_| PortError::Line(io::Error::from(io::ErrorKind::InvalidData));
            if let Some((event, length)) = Event::read(&self.bytes).map_err(malformed)? {
                self.bytes.drain(..length);
                return Ok(Some(event));
            }
            let left = wait.map(|wait| {
                let left = wait.saturating_sub(start.elapsed());
                Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
            });
            match poll(&mut [PollFd::new(&self.line, PollFlags::IN)], left.as_ref()) {
                Ok(0) => return Ok(None),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(PortError::asking(error.into())),
                Ok(_) => {}
            }
            let mut bytes = [0; 4096];
            match self.line.read(&mut bytes) {
                Ok(0) => return Err(PortError::CutOff),
                Ok(count) => self.bytes.extend(bytes.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(PortError::asking(error)),
            }
        }
    }
}
