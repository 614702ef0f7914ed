//! Why a command failed, in words that say what would be right.

use core::fmt;

use controls::problem::{Problem, Wrong};
use controls::status::Status;

use crate::manager::Cancelled;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What a management call answered, if it was one that failed.
    pub status: Option<Status>,
    /// Ctrl-C was typed.
    pub cancelled: bool,
    text: Option<Wrong>,
}

impl Error {
    /// The command itself was wrong.
    pub fn wrong(text: fmt::Arguments) -> Self {
        Wrong::new(text).into()
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self { status: Some(status), cancelled: false, text: None }
    }
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Self { status: None, cancelled: false, text: Some(wrong) }
    }
}

impl From<Problem<Status>> for Error {
    fn from(problem: Problem<Status>) -> Self {
        match problem {
            Problem::Wrong(wrong) => wrong.into(),
            Problem::Refused(status, wrong) => Self { status: Some(status), cancelled: false, text: Some(wrong) },
            Problem::Call(status) => status.into(),
        }
    }
}

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Self { cancelled: true, ..Self::wrong(format_args!("broken off by Ctrl-C")) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.status, &self.text) {
            (Some(status), None) => status.fmt(f),
            (Some(status), Some(text)) => write!(f, "{}: {text}", status.name().unwrap_or("status")),
            (None, Some(text)) => text.fmt(f),
            (None, None) => Ok(()),
        }
    }
}
