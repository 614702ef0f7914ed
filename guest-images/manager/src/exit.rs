//! The exit statuses: what kind of thing went wrong, for scripts.

use controls::status::Status;
use portcullis_abi::manage;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done.
    Success = 0,
    /// The output, a file or a socket could not be had.
    Output = 1,
    /// The command line is wrong, or a word of it means nothing.
    Usage = 2,
    /// There is no port.
    Absent = 3,
    /// Somebody else has the port.
    Busy = 4,
    /// The port was cut off in the middle of a call, or did not answer.
    CutOff = 5,
    /// The hypervisor speaks another version of the interface.
    Version = 6,
    /// This VM, or this board, does not permit it.
    NotPermitted = 7,
    /// There is no such VM.
    NoVm = 8,
    /// It is not possible in the VM's present state, which may have changed meanwhile.
    State = 9,
    /// Something else is in progress with the VM.
    InProgress = 10,
    /// The hypervisor does not take this value.
    Refused = 11,
    /// The time was over before what was waited for.
    TimeOver = 12,
    /// The hypervisor has no memory for it.
    NoMemory = 13,
    /// A VM was not handed over, or what saves or restores it was broken off: it is where it was.
    NotMoved = 14,
    /// A hand-over was not finished: both sides have to be looked at.
    Elsewhere = 15,
}

/// Every exit status with what it means, for the man page and the documentation.
pub const ALL: [(Exit, &str); 16] = [
    (Exit::Success, "what was asked for is done"),
    (Exit::Output, "the output, a file or a socket could not be had"),
    (Exit::Usage, "the command line is wrong, or a word of it means nothing"),
    (Exit::Absent, "there is no port: this is not the control VM, or it has no console device"),
    (Exit::Busy, "somebody else had the port for longer than --wait"),
    (Exit::CutOff, "the port was cut off in the middle of a call, or did not answer"),
    (Exit::Version, "the hypervisor speaks another version of the interface"),
    (Exit::NotPermitted, "not permitted to this VM, on that VM or on this board"),
    (Exit::NoVm, "there is no such VM"),
    (Exit::State, "not possible in the VM's present state, or the VM has ended meanwhile"),
    (Exit::InProgress, "something else is in progress with the VM"),
    (Exit::Refused, "the hypervisor does not take this value"),
    (Exit::TimeOver, "the time was over before what was waited for"),
    (Exit::NoMemory, "the hypervisor has no memory for it"),
    (
        Exit::NotMoved,
        "a VM was not handed over, or what saves or restores it was broken off: the message says what it does",
    ),
    (Exit::Elsewhere, "a hand-over was not finished: the message says what to look at, and what to do then"),
];

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status.0 {
            manage::WRONG_VERSION | manage::UNKNOWN_CALL => Self::Version,
            manage::NOT_SUPPORTED | manage::NOT_PERMITTED => Self::NotPermitted,
            manage::UNKNOWN_VM => Self::NoVm,
            manage::FROZEN | manage::BAD_STATE | manage::CLOSED | manage::NO_IMAGE => Self::State,
            manage::BUSY => Self::InProgress,
            manage::NO_MEMORY => Self::NoMemory,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_in_order() {
        for (number, (exit, _)) in ALL.iter().enumerate() {
            assert_eq!(*exit as usize, number);
        }
        assert_eq!(Exit::Elsewhere as usize + 1, ALL.len());
    }

    #[test]
    fn every_status_is_a_failure_of_some_kind() {
        for (name, status) in manage::STATUSES.into_iter().skip(1) {
            assert!(Exit::from(Status(status)) as u8 >= Exit::Version as u8, "{name}");
        }
    }
}
