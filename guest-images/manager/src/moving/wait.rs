//! A pipe that is waited at: until it is ready, or a person breaks it off, or the other side has been silent for too long.

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::onlooker::Onlooker;
use crate::interruption::Interruption;

/// Between two looks whether it is to be broken off.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A wait that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// Somebody has broken it off.
    BrokenOff,
    /// The other side was silent for so long.
    Silent(Duration),
}

impl GivenUp {
    /// Whether this is why a pipe was not read or written.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::BrokenOff => f.write_str("it was broken off"),
            Self::Silent(time) => {
                write!(f, "the other side was silent for {} s; --timeout waits longer", time.as_secs_f64())
            }
        }
    }
}

impl Error for GivenUp {}

impl From<GivenUp> for io::Error {
    fn from(given_up: GivenUp) -> Self {
        Self::other(given_up)
    }
}

/// What ends a wait, and what is said while it takes long.
pub struct Wait<'a> {
    interruption: &'a Interruption,
    onlooker: &'a Onlooker<'a>,
    /// How long nothing may come, or be taken.
    pub limit: Option<Duration>,
    /// What is said, once, when it takes longer than that.
    pub notice: Option<(Duration, String)>,
}

impl<'a> Wait<'a> {
    /// One without a limit.
    pub const fn new(interruption: &'a Interruption, onlooker: &'a Onlooker<'a>) -> Self {
        Self { interruption, onlooker, limit: None, notice: None }
    }

    /// Sees whether it is to go on.
    ///
    /// # Errors
    /// It was broken off.
    pub fn check(&self) -> Result<(), GivenUp> {
        if self.interruption.is_raised() { Err(GivenUp::BrokenOff) } else { Ok(()) }
    }

    /// Waits until this end of a pipe can be read or written, or is closed.
    ///
    /// # Errors
    /// That was given up ([`GivenUp`]), or cannot be waited for.
    pub fn until(&mut self, end: impl AsFd, wanted: PollFlags) -> io::Result<()> {
        let start = Instant::now();
        loop {
            self.check()?;
            match poll(&mut [PollFd::new(&end, wanted)], Some(&STEP)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            let waited = start.elapsed();
            if let Some(limit) = self.limit.filter(|limit| waited >= *limit) {
                return Err(GivenUp::Silent(limit).into());
            }
            if let Some((_, notice)) = self.notice.take_if(|(after, _)| waited >= *after) {
                self.onlooker.say(&notice);
            }
        }
    }
}

/// An end of a pipe, read or written when it is ready for that.
pub struct Waited<'w, 'a, T> {
    /// The end.
    pub end: T,
    /// What it is waited for with.
    pub wait: &'w mut Wait<'a>,
}

impl<T: Read + AsFd> Read for Waited<'_, '_, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.wait.until(&self.end, PollFlags::IN)?;
        self.end.read(bytes)
    }
}

impl<T: Write + AsFd> Write for Waited<'_, '_, T> {
    /// The end must not block: then it takes as much as there is room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.wait.until(&self.end, PollFlags::OUT)?;
            match self.end.write(bytes) {
                // There is less room than such a write takes as a whole (pipe(7)).
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.end.flush()
    }
}
