//! The one VM that is being saved or restored.

use alloc::boxed::Box;

use portcullis_abi::map::MAX_VCPUS;
use portcullis_abi::state::{Counter, Firmware, Implementations, Needs, Power, Watchdog};
use portcullis_stream::{Reader, Writer};
use spin::{Mutex, MutexGuard};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Nothing.
    None,
    /// The VM with this number is saved.
    Save(usize),
    /// The VM with this number is restored.
    Restore(usize),
}

/// What was read of a stream and is put into effect in the end.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The VM's shape.
    pub needs: Option<Needs>,
    /// Firmware registers and filter.
    pub firmware: Option<Firmware>,
    /// The CPU implementations that it was told of.
    pub implementations: Option<Implementations>,
    /// Its counter.
    pub counter: Option<Counter>,
    /// Its watchdog.
    pub watchdog: Option<Watchdog>,
    /// Which of its vCPUs are on.
    pub powers: [Option<Power>; MAX_VCPUS],
    /// Virtio transports whose device has its state, a bit each.
    pub links: u32,
    /// The controller of its wires has its state.
    pub wires: bool,
    /// Its RAM is zero where nothing was written to it.
    pub zeros: bool,
}

/// What is being done, and how far it is.
#[derive(Debug)]
pub struct Transfer {
    /// What.
    pub job: Job,
    /// The stream that is written.
    pub writer: Writer,
    /// The stream that is read.
    pub reader: Reader,
    /// What was read so far.
    pub kept: Kept,
}

/// The place of the transfer. A machine none of whose VMs can be saved has none.
#[derive(Debug)]
pub struct Transfers(Option<Mutex<Box<Transfer>>>);

impl Transfers {
    /// Makes the place, if it is `wanted`.
    pub fn new(wanted: bool) -> Self {
        let none = || Transfer { job: Job::None, writer: Writer::new(), reader: Reader::new(), kept: Kept::default() };
        Self(wanted.then(|| Mutex::new(Box::new(none()))))
    }

    /// Tells whether there is a place.
    pub const fn exist(&self) -> bool {
        self.0.is_some()
    }

    /// The transfer, unless somebody else has it now, or there is no place for one.
    pub fn take(&self) -> Option<MutexGuard<'_, Box<Transfer>>> {
        self.0.as_ref()?.try_lock()
    }
}
