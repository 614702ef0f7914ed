//! The port `console.VM`, at which the program has a VM's console. It has one user at a time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::{Place, PortError, find};

/// The port, opened. Nothing of it waits.
#[derive(Debug)]
pub struct Line {
    line: File,
    name: String,
}

impl Line {
    /// Opens the port of the VM called `vm`.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open(place: &Place, vm: &str) -> Result<Self, PortError> {
        let name = format!("console.{vm}");
        let node = match find::node(place, &name) {
            Err(PortError::Absent(_)) => return Err(PortError::NoConsole(name)),
            node => node?,
        };
        let line = (place.open)(&node).map_err(|error| PortError::opening(&node, error))?;
        let closed = |error: rustix::io::Errno| PortError::Closed(node.clone(), error.into());
        let flags = fcntl_getfl(&line).map_err(closed)?;
        fcntl_setfl(&line, flags | OFlags::NONBLOCK).map_err(closed)?;
        Ok(Self { line, name })
    }

    /// Reads what has come. Returns how many bytes that are.
    ///
    /// # Errors
    /// The port is there no more.
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<usize, PortError> {
        match self.line.read(bytes) {
            Ok(0) if !bytes.is_empty() => Err(PortError::Gone(self.name.clone())),
            result => self.some(result),
        }
    }

    /// Types, as far as there is room. Returns how many bytes that are.
    ///
    /// # Errors
    /// The port is there no more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, PortError> {
        let result = self.line.write(bytes);
        self.some(result)
    }

    fn some(&self, result: io::Result<usize>) -> Result<usize, PortError> {
        match result {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            result => result.map_err(|error| match PortError::asking(error) {
                PortError::CutOff => PortError::Gone(self.name.clone()),
                error => error,
            }),
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }
}
