//! The port `portcullis.data`, at which a program of the control VM has what is long moved: no call takes or returns as much.
//!
//! A management call names what, and who has the port open then has the transfer. It goes straight between the buffers at the port
//! and where the bytes belong. What the program sends while nothing is to be taken is dropped.

use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_devices::OutOfReach;
use portcullis_links::serial::Port;

use super::console::End;
use super::own_port::{OwnPort, Service};

pub use super::own_port::{Buffer, Moved};

/// The port's name.
const NAME: &str = "portcullis.data";

/// What is moved by the port, one transfer at a time. Called with the port's queues locked.
pub trait Bulk: Send + Sync {
    /// Whether there is something for the program.
    fn gives(&self) -> bool;

    /// Puts what is for the program into a buffer of its. No bytes: the buffer is kept for later.
    fn fill(&self, buffer: &mut Buffer<'_, '_>) -> Moved;

    /// Takes what the program has sent. What is left of the buffer is shown again.
    fn drain(&self, buffer: &mut Buffer<'_, '_>) -> Moved;

    /// The program has closed the port, or its VM has ended: what it has not moved whole is given up.
    fn closed(&self);
}

/// EL2 at the other side of the port.
pub struct Data {
    port: &'static OwnPort<Program>,
}

/// What the port is for.
struct Program {
    bulk: &'static dyn Bulk,
    /// The program that has the port open had a transfer already: there may be something of that left in its buffers.
    used: AtomicBool,
}

impl Data {
    /// A port that is yet to be at a console, by which `bulk` moves what it moves.
    pub fn new(bulk: &'static dyn Bulk) -> Self {
        Self { port: OwnPort::new(Program { bulk, used: AtomicBool::new(false) }) }
    }

    /// The port with what is at its other side.
    pub(super) fn port(&self) -> Option<(Port, &'static dyn End)> {
        self.port.port(NAME)
    }

    /// Begins a transfer by `act` for the program that has the port open, and has had none since it has opened it. None: there is
    /// no such program. It stays so until `act` has returned; not to be called from where [`Bulk`] is.
    pub fn begin<T, E>(&self, act: impl FnOnce() -> Result<T, E>) -> Option<Result<T, E>> {
        let used = &self.port.service.used;
        let begin = || {
            let begun = (!used.load(Ordering::Relaxed)).then(act)?;
            used.store(begun.is_ok(), Ordering::Relaxed);
            Some(begun)
        };
        let begun = self.port.if_open(begin).flatten();
        // What the look at the port has found there is left to do.
        self.port.call();
        begun
    }
}

impl Service for Program {
    fn opened(&self) {
        self.used.store(false, Ordering::Relaxed);
    }

    fn closed(&self) {
        self.bulk.closed();
    }

    fn has(&self) -> bool {
        self.bulk.gives()
    }

    fn fill(&self, buffer: &mut Buffer<'_, '_>) -> Result<Moved, OutOfReach> {
        Ok(self.bulk.fill(buffer))
    }

    fn drain(&self, buffer: &mut Buffer<'_, '_>) -> Result<Moved, OutOfReach> {
        Ok(self.bulk.drain(buffer))
    }
}
