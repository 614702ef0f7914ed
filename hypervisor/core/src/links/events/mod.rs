//! The port `portcullis.events`, at which a program of the control VM is told what happens: a record for each event.
//!
//! Whoever has an event to tell makes the record, and puts it into the reader's buffers on its own core. If nobody reads it is
//! dropped; for a slow reader the last ones are kept, and the next record says how many are lost.

mod event;
mod refusals;
mod ring;
mod ups;

use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_abi::manage::{EVENT_LINK, EVENT_SIZE};
use portcullis_arch::timer;
use portcullis_links::serial::Port;
use spin::mutex::TicketMutex;

use self::refusals::Refusals;
use self::ring::Ring;
use self::ups::Ups;
use super::console::End;
use super::own_port::{OwnPort, Service};
use super::report::Link;

pub use self::event::Event;
pub use self::refusals::Refused;

/// The port's name.
const NAME: &str = "portcullis.events";

/// EL2 at the other side of the port.
pub struct Events {
    port: &'static OwnPort<Reader>,
    ups: Ups,
}

/// What the port is for.
struct Reader {
    /// A program has the port open.
    open: AtomicBool,
    ring: TicketMutex<Ring>,
    refusals: Refusals,
}

impl Events {
    /// A port that is yet to be at a console. `refused` tells how many calls of a VM were refused.
    pub fn new(refused: Refused) -> Self {
        let (open, ring, refusals) = (AtomicBool::new(false), TicketMutex::new(Ring::new()), Refusals::new(refused));
        Self { port: OwnPort::new(Reader { open, ring, refusals }), ups: Ups::new() }
    }

    /// There are so many links, and so many VMs. To be called once.
    pub(super) fn set_up(&self, links: usize, vms: usize) {
        self.ups.set_up(links);
        self.port.service.refusals.set_up(vms);
    }

    /// The port with what is at its other side.
    pub(super) fn port(&self) -> Option<(Port, &'static dyn End)> {
        self.port.port(NAME)
    }

    /// Whether anybody reads.
    pub fn has_reader(&self) -> bool {
        self.port.service.open.load(Ordering::Relaxed)
    }

    /// Tells who reads what has happened. Not to be called with a lock held that work at the control VM's console takes.
    pub fn tell(&self, event: Event) {
        if self.has_reader() {
            self.port.service.ring.lock().push(event.record(timer::count()));
            self.port.give();
        }
    }

    /// A VM runs, or does so no longer: tells which ends of `links` are up now, or down, that were not.
    pub(super) fn phase_changed<'a>(&self, links: impl Iterator<Item = &'a dyn Link>) {
        self.ups.look(links, |link, end, (vm, up)| {
            self.tell(Event { kind: EVENT_LINK, vm, link: (link, end), value: u64::from(up) });
        });
    }
}

impl Service for Reader {
    const LEAST: u32 = EVENT_SIZE as u32;

    fn opened(&self) {
        *self.ring.lock() = Ring::new();
        self.refusals.begin(timer::count(), timer::frequency());
        self.open.store(true, Ordering::Relaxed);
    }

    fn closed(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    fn has(&self) -> bool {
        !self.ring.lock().is_empty()
    }

    fn give(&self, room: &mut [u8]) -> usize {
        let (mut ring, mut given) = (self.ring.lock(), 0);
        for bytes in room.as_chunks_mut().0 {
            let Some(record) = ring.pop() else { break };
            *bytes = record;
            given += bytes.len();
        }
        given
    }

    /// Looks at the calls that were refused, while somebody reads.
    fn look(&self, core: usize) -> Option<u64> {
        let now = timer::count();
        let tell = |event: Event| self.ring.lock().push(event.record(now));
        self.open.load(Ordering::Relaxed).then(|| self.refusals.look(core, now, timer::frequency(), tell))?
    }
}
