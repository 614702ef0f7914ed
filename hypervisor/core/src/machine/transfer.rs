//! The one transfer of the machine: what is moved between a VM and the one that manages it.

use alloc::boxed::Box;
use core::fmt::{self, Write};

use portcullis_abi::manage;
use portcullis_abi::map::MAX_VCPUS;
use portcullis_abi::state::{Counter, Firmware, Generation, Identity, Implementations, Needs, Power, Watchdog};
use portcullis_stream::images::Receiver;
use portcullis_stream::{Reader, Writer};
use spin::{Mutex, MutexGuard};

use crate::vm::images::Target;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Nothing.
    None,
    /// The VM with this number is saved.
    Save(usize),
    /// The VM with this number is restored.
    Restore(usize),
    /// Images are loaded into the VM with this number.
    Load(usize),
}

impl Job {
    /// Which it is, as `TRANSFER_STATE` has it, and the number of the VM.
    const fn parts(self) -> (u64, usize) {
        match self {
            Self::None => (manage::TRANSFER_NOTHING, 0),
            Self::Save(vm) => (manage::TRANSFER_SAVE, vm),
            Self::Restore(vm) => (manage::TRANSFER_RESTORE, vm),
            Self::Load(vm) => (manage::TRANSFER_LOAD, vm),
        }
    }
}

/// How bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through buffers that calls name.
    Calls,
    /// By the port of data.
    Port,
}

/// How the transfer stands that was begun last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// What it is: a `TRANSFER_*`.
    pub what: u64,
    /// The number of the VM.
    pub vm: usize,
    /// How its bytes go.
    pub way: Way,
    /// It has not ended.
    pub goes_on: bool,
    /// Bytes that were moved.
    pub bytes: u64,
    /// How it has ended: a status.
    pub status: i64,
}

/// Why the transfer that was begun last has failed, in a line.
#[derive(Clone, Debug)]
pub struct Why {
    text: [u8; Self::MOST],
    length: usize,
}

impl Why {
    /// Bytes that are kept.
    const MOST: usize = 240;

    /// There is no reason.
    const NONE: Self = Self { text: [0; Self::MOST], length: 0 };

    /// Keeps the beginning of a reason.
    pub fn set(&mut self, reason: &dyn fmt::Display) {
        self.length = 0;
        // What does not fit is left out.
        let _ = write!(self, "{reason}");
    }

    /// Its text.
    pub fn text(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

impl Write for Why {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (place, byte) in self.text.iter_mut().skip(self.length).zip(text.bytes()) {
            *place = byte;
            self.length = self.length.saturating_add(1);
        }
        Ok(())
    }
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
    /// What each vCPU's core was: MIDR_EL1, REVIDR_EL1 and AIDR_EL1.
    pub cpus: [[u64; 3]; MAX_VCPUS],
    /// What it read of that, if it was shown another one.
    pub identity: Option<Identity>,
    /// Its counter, and the physical counter when that was read: for the VM it is what it was then when it goes on.
    pub counter: Option<Counter>,
    /// See there.
    pub now: u64,
    /// What it was told of its restores.
    pub generation: Option<Generation>,
    /// Its watchdog.
    pub watchdog: Option<Watchdog>,
    /// Which of its vCPUs are on.
    pub powers: [Option<Power>; MAX_VCPUS],
    /// Virtio transports whose device has its state, a bit each.
    pub links: u32,
    /// The controller of its wires has its state.
    pub wires: bool,
    /// How many parts of its fast tables were worked out.
    pub parts: usize,
    /// Bytes of the first bank of its flash that have what they had.
    pub firmware_loaded: u64,
    /// Its RAM is zero where nothing was written to it.
    pub zeros: bool,
}

impl Kept {
    /// What vCPU `index` read of MIDR_EL1, REVIDR_EL1 and AIDR_EL1.
    pub fn read_identity(&self, index: usize) -> [u64; 3] {
        let own = self.cpus.get(index).copied().unwrap_or_default();
        self.identity.map_or(own, |identity| identity.shown)
    }
}

/// What is being done, and how far it is.
#[derive(Debug)]
pub struct Transfer {
    job: Job,
    stand: Stand,
    /// Why it has failed.
    pub why: Why,
    /// The stream that is written.
    pub writer: Writer,
    /// The stream that is read.
    pub reader: Reader,
    /// What was read so far.
    pub kept: Kept,
    /// The images that come.
    pub receiver: Receiver,
    /// Where they go.
    pub target: Target,
}

impl Transfer {
    fn new() -> Self {
        let (what, vm) = Job::None.parts();
        let stand = Stand { what, vm, way: Way::Calls, goes_on: false, bytes: 0, status: manage::SUCCESS };
        let (writer, reader, kept) = (Writer::new(), Reader::new(), Kept::default());
        let (receiver, target) = (Receiver::new(0), Target::default());
        Self { job: Job::None, stand, why: Why::NONE, writer, reader, kept, receiver, target }
    }

    /// Begins something.
    pub fn begin(&mut self, job: Job, way: Way) {
        let (what, vm) = job.parts();
        self.job = job;
        self.stand = Stand { what, vm, way, goes_on: true, bytes: 0, status: manage::SUCCESS };
        self.why = Why::NONE;
    }

    /// What is being done.
    pub const fn job(&self) -> Job {
        self.job
    }

    /// What is being done in this way.
    pub fn job_by(&self, way: Way) -> Job {
        if self.stand.way == way { self.job } else { Job::None }
    }

    /// How it stands.
    pub const fn stand(&self) -> Stand {
        self.stand
    }

    /// Takes note of bytes that were moved.
    pub const fn moved(&mut self, bytes: u64) {
        self.stand.bytes = self.stand.bytes.saturating_add(bytes);
    }

    /// It has ended with this status.
    pub const fn end(&mut self, status: i64) {
        self.job = Job::None;
        self.stand.goes_on = false;
        self.stand.status = status;
    }
}

/// The place of the transfer. A machine that has nothing to move has none.
#[derive(Debug)]
pub struct Transfers(Option<Mutex<Box<Transfer>>>);

impl Transfers {
    /// Makes the place, if it is `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self(wanted.then(|| Mutex::new(Box::new(Transfer::new()))))
    }

    /// Tells whether there is a place.
    pub const fn exist(&self) -> bool {
        self.0.is_some()
    }

    /// The transfer, unless somebody else has it now, or there is no place for one.
    pub fn take(&self) -> Option<MutexGuard<'_, Box<Transfer>>> {
        self.0.as_ref()?.try_lock()
    }

    /// The transfer, as soon as nobody else has it, who does a piece of it at the most. None: there is no place for one.
    pub fn wait(&self) -> Option<MutexGuard<'_, Box<Transfer>>> {
        Some(self.0.as_ref()?.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_too_long_is_cut() {
        let mut why = Why::NONE;
        why.set(&"x".repeat(Why::MOST + 1));
        assert_eq!(why.text(), "x".repeat(Why::MOST).as_bytes());
        why.set(&format_args!("{} {}", "short", 1));
        assert_eq!(why.text(), b"short 1");
    }
}
