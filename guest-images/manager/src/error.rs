//! Why a command failed: a line that says what would be right, and an exit status.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use controls::problem::{Problem, Wrong};

use crate::exit::Exit;
use crate::moving::wait::GivenUp;
use crate::port::Failed;

/// Why a command failed.
#[derive(Debug)]
pub enum Error {
    /// A word means nothing.
    Wrong(String),
    /// No VM has this name.
    NoVm(String),
    /// A call failed, or the port; the text says more than that does, if there is one.
    Call(Failed, Option<String>),
    /// The VM has ended meanwhile.
    Ended(String),
    /// What was waited for did not come.
    TimeOver(String),
    /// A VM was not handed over: it is where it was.
    NotMoved(String),
    /// A hand-over was not finished: both sides have to be looked at.
    Elsewhere(String),
    /// A VM was not taken from the other side.
    NotTaken(String, Box<Self>),
    /// It was broken off, which the text tells of.
    BrokenOff(String),
    /// What has failed has left something behind, which the text tells.
    Left(Box<Self>, String),
    /// The output could not be written.
    Output(io::Error),
    /// What was to be sent could not be read.
    Input(io::Error),
    /// What was to be sent has ended after so many bytes, in the middle.
    Short(u64),
    /// A file could not be written.
    File(String, io::Error),
    /// There cannot be listened.
    Socket(SocketAddr, io::Error),
}

impl Error {
    /// What was to be sent could not be read.
    pub fn input(error: io::Error) -> Self {
        match GivenUp::of(&error) {
            Some(given_up) => Self::BrokenOff(given_up.to_string()),
            None => Self::Input(error),
        }
    }

    /// The same where the VM `name` should have been taken, beside which the other side's words are seen.
    pub fn of_taking(self, name: String) -> Self {
        match self {
            Self::NotMoved(_) | Self::Elsewhere(_) => self,
            error => Self::NotTaken(name, error.into()),
        }
    }

    /// The kind of it, for scripts.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Wrong(_) => Exit::Usage,
            Self::NoVm(_) => Exit::NoVm,
            Self::Call(Failed::Status(status), _) => (*status).into(),
            Self::Call(Failed::Version(_), _) => Exit::Version,
            Self::Call(Failed::Port(error), _) => error.exit(),
            Self::Ended(_) => Exit::State,
            Self::TimeOver(_) => Exit::TimeOver,
            Self::NotMoved(_) | Self::BrokenOff(_) => Exit::NotMoved,
            Self::Elsewhere(_) => Exit::Elsewhere,
            Self::Left(first, _) | Self::NotTaken(_, first) => first.exit(),
            Self::Short(_) => Exit::Refused,
            Self::Output(_) | Self::Input(_) | Self::File(..) | Self::Socket(..) => Exit::Output,
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Call(failed, None)
    }
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong.to_string())
    }
}

impl From<Problem<Failed>> for Error {
    fn from(problem: Problem<Failed>) -> Self {
        match problem {
            Problem::Wrong(wrong) => wrong.into(),
            Problem::Refused(status, wrong) => Self::Call(Failed::Status(status), Some(wrong.to_string())),
            Problem::Call(failed) => failed.into(),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match GivenUp::of(&error) {
            Some(given_up) => Self::BrokenOff(given_up.to_string()),
            None => Self::Output(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Wrong(text)
            | Self::NoVm(text)
            | Self::Ended(text)
            | Self::TimeOver(text)
            | Self::NotMoved(text)
            | Self::Elsewhere(text)
            | Self::BrokenOff(text) => f.write_str(text),
            Self::Call(Failed::Status(status), Some(text)) => {
                write!(f, "{}: {text}", status.name().unwrap_or("status"))
            }
            Self::Call(failed, _) => failed.fmt(f),
            Self::NotTaken(name, why) => write!(f, "{name} was not taken: {why}"),
            Self::Left(first, left) => write!(f, "{first}; {left}"),
            Self::Input(error) => write!(f, "the input cannot be read: {error}"),
            Self::Short(bytes) => write!(f, "the input has ended after {bytes} bytes, in the middle: it is not whole"),
            Self::Output(error) => write!(f, "the output cannot be written: {error}"),
            Self::Socket(address, error) => write!(f, "nobody can be answered on {address}: {error}"),
            Self::File(name, error) => write!(f, "{name} cannot be written: {error}"),
        }
    }
}
