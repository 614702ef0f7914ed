//! The ports of the control VM's console device. That called `portcullis` has requests of four words, and answers of four.

mod data;
mod error;
mod events;
mod find;
mod line;
mod lock;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use controls::calls::Calls;
use portcullis_abi::manage::{ABI_VERSION, SUCCESS, VERSION, WRONG_VERSION};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use self::data::Data;
pub use self::error::{Failed, PortError};
pub use self::events::Events;
pub use self::line::Line;
use self::lock::Lock;
use crate::console::Terminal;
use crate::standard::Standard;

/// The port's name.
const NAME: &str = "portcullis";
/// Bytes of a request, and of an answer: four little-endian words.
const LENGTH: usize = 32;
/// Opens a device node.
pub type Open = dyn Fn(&Path) -> io::Result<File>;
/// Takes the person's terminal.
pub type Enter = dyn Fn() -> io::Result<Terminal>;

/// Where the port is.
pub struct Place {
    /// The folder of sysfs with a folder for each port.
    pub sysfs: PathBuf,
    /// The folder of their device nodes.
    pub nodes: PathBuf,
    /// The file by which programs take turns.
    pub lock: PathBuf,
    /// Longer than any answer takes: EL2 answers in bounded time, or nobody does.
    pub patience: Duration,
    /// How a device node is opened.
    pub open: Box<Open>,
    /// How the terminal is taken that is to be a VM's.
    pub terminal: Box<Enter>,
    /// What the program's standard streams are.
    pub standard: Standard,
    /// How long somebody waits without being told for what.
    pub unsaid: Duration,
}

/// Those of Linux.
impl Default for Place {
    fn default() -> Self {
        Self {
            sysfs: PathBuf::from("/sys/class/virtio-ports"),
            nodes: PathBuf::from("/dev"),
            lock: PathBuf::from("/run/portcullis.lock"),
            patience: Duration::from_secs(10),
            open: Box::new(|node| OpenOptions::new().read(true).write(true).open(node)),
            terminal: Box::new(Terminal::enter),
            standard: Standard::of_program(),
            unsaid: Duration::from_secs(5),
        }
    }
}

/// The port, for as long as it is this program's turn.
#[derive(Debug)]
pub struct Port {
    line: File,
    patience: Duration,
    /// Given back when the port is closed, and by the kernel whatever ends the program.
    _turn: Lock,
}

impl Port {
    /// Takes the turn by the file `lock`, opens the port, and sees that the hypervisor speaks this program's version.
    ///
    /// # Errors
    /// There is no port, somebody else has it for longer than `wait`, or it does not answer as it should.
    pub fn open(place: &Place, lock: &Path, wait: Duration) -> Result<Self, Failed> {
        let node = find::node(place, NAME)?;
        let turn = Lock::take(lock, wait)?;
        let line = (place.open)(&node).map_err(|error| PortError::opening(&node, error))?;
        let mut port = Self { line, patience: place.patience, _turn: turn };
        let [status, version, ..] = port.ask([VERSION.into(), ABI_VERSION.into(), 0, 0])?;
        match status.cast_signed() {
            SUCCESS => Ok(port),
            WRONG_VERSION => Err(Failed::Version(version)),
            other => Err(Failed::Status(controls::status::Status(other))),
        }
    }

    /// Sends a request and returns its answer: x0 to x3 of the call.
    ///
    /// # Errors
    /// The port was cut off, or nothing came.
    pub fn ask(&mut self, request: [u64; 4]) -> Result<[u64; 4], PortError> {
        let mut bytes = [0; LENGTH];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(request) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        // One write is one buffer for the device, which takes whole requests only.
        let written = self.line.write(&bytes).map_err(PortError::asking)?;
        if written != LENGTH {
            return Err(PortError::CutOff);
        }
        self.answer()
    }

    /// Sends several requests at once and returns their answers, in the order of the requests.
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub fn ask_all(&mut self, requests: &[[u64; 4]]) -> Result<Vec<[u64; 4]>, PortError> {
        let bytes: Vec<u8> = requests.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
        let written = self.line.write(&bytes).map_err(PortError::asking)?;
        if written != bytes.len() {
            return Err(PortError::CutOff);
        }
        requests.iter().map(|_| self.answer()).collect()
    }

    /// Reads an answer.
    fn answer(&mut self) -> Result<[u64; 4], PortError> {
        let mut bytes = [0; LENGTH];
        self.read(&mut bytes)?;
        let mut answer = [0; 4];
        for (word, bytes) in answer.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Ok(answer)
    }

    fn read(&mut self, bytes: &mut [u8; LENGTH]) -> Result<(), PortError> {
        let patience =
            Timespec { tv_sec: self.patience.as_secs().cast_signed(), tv_nsec: self.patience.subsec_nanos().into() };
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match poll(&mut [PollFd::new(&self.line, PollFlags::IN)], Some(&patience)) {
                Ok(0) => return Err(PortError::Silent),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(PortError::asking(error.into())),
                Ok(_) => {}
            }
            match self.line.read(rest) {
                Ok(0) => return Err(PortError::CutOff),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(PortError::asking(error)),
            }
        }
        Ok(())
    }
}

impl Calls for Port {
    type Error = Failed;

    fn call(&mut self, function: u32, [x1, x2, x3]: [u64; 3]) -> Result<[u64; 3], Failed> {
        let [status, values @ ..] = self.ask([function.into(), x1, x2, x3])?;
        match status.cast_signed() {
            SUCCESS => Ok(values),
            other => Err(Failed::Status(controls::status::Status(other))),
        }
    }
}
