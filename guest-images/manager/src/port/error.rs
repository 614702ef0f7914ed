//! Why a call has no answer, or not the one that was hoped for.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use controls::calls::Failure;
use controls::status::Status;
use portcullis_abi::manage::ABI_VERSION;

use crate::exit::Exit;

/// Why a call did not succeed.
#[derive(Debug)]
pub enum Failed {
    /// The hypervisor has answered so.
    Status(Status),
    /// The hypervisor speaks this version of the interface, and not this program's.
    Version(u64),
    /// The port has failed.
    Port(PortError),
}

impl Failure for Failed {
    fn status(&self) -> Option<Status> {
        match self {
            Self::Status(status) => Some(*status),
            Self::Version(_) | Self::Port(_) => None,
        }
    }
}

impl From<PortError> for Failed {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Version(theirs) => {
                let ours = u64::from(ABI_VERSION);
                let [theirs_major, theirs_minor, major, minor] =
                    [theirs >> 16, theirs & 0xffff, ours >> 16, ours & 0xffff];
                let (older, right) =
                    if *theirs < ours { ("older", "a program as old as it") } else { ("newer", "its program") };
                write!(
                    f,
                    "the hypervisor is {older}: it speaks version {theirs_major}.{theirs_minor} of the interface, this program \
                     {major}.{minor}; use {right}, or update the hypervisor with its program"
                )
            }
            Self::Port(error) => error.fmt(f),
        }
    }
}

/// What the port itself had.
#[derive(Debug)]
pub enum PortError {
    /// No port has the name.
    Absent(PathBuf),
    /// No port is the console of a VM.
    NoConsole(String),
    /// There is a port for calls, but none for data.
    NoData,
    /// The port is there and cannot be opened.
    Closed(PathBuf, io::Error),
    /// Another program has its turn for longer than this.
    Busy(Option<u32>, Duration),
    /// Another program has opened the port, without waiting for its turn.
    Taken(PathBuf),
    /// The lock file cannot be used.
    Lock(PathBuf, io::Error),
    /// The port was closed from the other side in the middle of a call.
    CutOff,
    /// The port of a VM's console is there no more.
    Gone(String),
    /// There was no answer.
    Silent,
    /// Reading or writing failed.
    Line(io::Error),
}

impl PortError {
    /// The port cannot be opened.
    pub(super) fn opening(node: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ResourceBusy => Self::Taken(node.into()),
            _ => Self::Closed(node.into(), error),
        }
    }

    /// A request or an answer has failed.
    pub(super) fn asking(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::CutOff,
            // ENODEV: the device was unplugged.
            _ if error.raw_os_error() == Some(19) => Self::CutOff,
            _ => Self::Line(error),
        }
    }

    /// The kind of it, for scripts.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Absent(_) | Self::NoConsole(_) | Self::Closed(..) | Self::Lock(..) => Exit::Absent,
            Self::NoData => Exit::Version,
            Self::Busy(..) | Self::Taken(_) => Exit::Busy,
            Self::CutOff | Self::Gone(_) | Self::Silent | Self::Line(_) => Exit::CutOff,
        }
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Absent(sysfs) => write!(
                f,
                "no port is called \"portcullis\" in {}: this is not the control VM (the manifest names it, [machine] control = \
                 \"NAME\"), or the modules virtio_mmio and virtio_console are not loaded",
                sysfs.display()
            ),
            Self::NoConsole(name) => write!(
                f,
                "no port is called {name:?}: the hypervisor is older than this program, or has as many ports as there can be, which its \
                 log says; `logs` shows what the VM has written"
            ),
            Self::Gone(name) => {
                write!(
                    f,
                    "the port {name} is closed from the other side: its driver was taken down, or the machine ends"
                )
            }
            Self::NoData => f.write_str(
                "no port is called \"portcullis.data\": the hypervisor is older than this program; use a program as old as it, or \
                 update the hypervisor with its program",
            ),
            Self::Closed(node, error) => write!(
                f,
                "{} cannot be opened: {error}; root can, or who is in the group portcullis where its udev rule is installed",
                node.display()
            ),
            Self::Busy(Some(pid), wait) => {
                write!(
                    f,
                    "the port is busy: process {pid} has it for more than {} s; --wait waits longer",
                    wait.as_secs_f64()
                )
            }
            Self::Busy(None, wait) => {
                write!(
                    f,
                    "the port is busy: another program has it for more than {} s; --wait waits longer",
                    wait.as_secs_f64()
                )
            }
            Self::Taken(node) => {
                write!(f, "{} is busy: another program has it open; a port has one user at a time", node.display())
            }
            Self::Lock(lock, error) => {
                let right = match error.kind() {
                    io::ErrorKind::PermissionDenied => "root can, or who is in the group portcullis",
                    _ => "--lock FILE names another lock file",
                };
                write!(f, "{} cannot be locked: {error}; {right}", lock.display())
            }
            Self::CutOff => {
                f.write_str("the port was cut off in the middle of a call: `vms` shows whether that was done")
            }
            Self::Silent => f.write_str("the hypervisor did not answer: the port may be open on this side only"),
            Self::Line(error) => write!(f, "the port cannot be used: {error}"),
        }
    }
}
