//! Ports of the control VM's console whose other side is EL2: bytes to and from the program that has one open.
//!
//! What they are about is a [`Service`]'s. What is for a program gets to that one or to nobody, and what one has sent is not taken
//! for the next one's, however fast they follow on each other.

pub mod line;
mod piece;
mod sent;
mod service;

use alloc::boxed::Box;

use portcullis_links::serial::Port;
use spin::Once;

use self::piece::Place;
pub use self::service::{Buffer, Moved, Service};
use super::console::{End, Flow, Jack, Queues};
use super::peer::Peer;
use super::work::{Rest, Work};
use crate::devices::owner::Owner;

/// The port, as it has work; and as there is something for the program, and no other work.
const OWN: usize = 0;
const GIVES: usize = 1;

/// A port, with what it is for.
pub struct OwnPort<S> {
    /// What it is for.
    pub service: S,
    jack: Once<Jack>,
    place: Work<Box<Place>>,
}

impl<S: Service> OwnPort<S> {
    /// A port that is yet to be at a console.
    pub fn new(service: S) -> &'static Self {
        Box::leak(Box::new(Self { service, jack: Once::new(), place: Work::new(Box::new(Place::new())) }))
    }

    /// The port under its name, with what is at its other side. None: the name is too long for a port.
    pub(super) fn port(&'static self, name: &str) -> Option<(Port, &'static dyn End)> {
        Some((Port::new(name)?, self))
    }

    /// There is something for the program: does a piece of work on this core, whichever that is.
    pub fn give(&self) {
        if let Some(peer) = self.peer() {
            self.work_as(GIVES, peer);
        }
    }

    /// Does something if a program has the port open, which has it open as long as that takes.
    pub fn if_open<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        let (jack, owner) = (*self.jack.get()?, self.peer()?);
        let desk = &mut self.enter().desk;
        desk.look(&self.service, jack, owner).then(act)
    }

    /// There is something for the program, or room for what it has sent: has its VM do a piece of work, in an exit of its own.
    pub fn call(&self) {
        self.place.mark(OWN);
        self.call_vm();
    }

    /// The VM that has the port.
    pub(super) fn peer(&self) -> Option<&'static dyn Peer> {
        self.jack.get().and_then(|jack| jack.peer())
    }

    /// The port at rest: nobody works at it meanwhile.
    fn enter(&self) -> Rest<'_, Box<Place>, impl Fn(usize)> {
        self.place.enter(|_| self.call_vm())
    }

    fn call_vm(&self) {
        self.peer().into_iter().for_each(Peer::call);
    }

    fn work_as(&self, end: usize, owner: &dyn Owner) {
        let Some(jack) = self.jack.get() else { return };
        let piece = |place: &mut Box<Place>, end| place.piece(&self.service, *jack, owner, end == OWN);
        self.place.work(end, piece, |_| self.call_vm());
    }
}

impl<S: Service> End for OwnPort<S> {
    fn connect(&self, jack: Jack) {
        self.jack.call_once(|| jack);
    }

    fn begin(&self, queues: Queues) {
        self.enter().desk.line.queues = queues;
    }

    fn stop(&self, flow: Flow) {
        self.enter().desk.line.stop(flow);
    }

    fn forget(&self, owner: &dyn Owner) {
        let desk = &mut self.enter().desk;
        desk.lose(&self.service);
        if let Some(jack) = self.jack.get() {
            desk.line.show(*jack, owner);
        }
    }

    fn notified(&self, _: Flow, owner: &dyn Owner) {
        self.work_as(OWN, owner);
    }

    fn mark(&self) {
        self.place.mark(OWN);
    }

    fn is_marked(&self) -> bool {
        self.place.is_marked(OWN) || self.place.is_marked(GIVES)
    }

    fn work(&self, owner: &dyn Owner) {
        if self.is_marked() {
            self.work_as(OWN, owner);
        }
    }

    fn rest(&self) {
        drop(self.enter());
    }

    fn look(&self, core: usize) -> Option<u64> {
        let next = self.service.look(core);
        if self.service.has() {
            self.give();
        }
        next
    }
}
