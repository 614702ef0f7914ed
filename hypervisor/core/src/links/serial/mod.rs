//! A pair of serial ports that are connected, each of which is at a VM's [console](super::console).

mod desk;
mod piece;
mod port_end;
mod report;

use alloc::boxed::Box;

use portcullis_bundle::links as bundle;
use portcullis_links::serial::{Counters, Side};
use spin::Once;

use self::desk::{Ask, Desk};
use super::console::Jack;
use super::peer::Peer;
use super::work::{Rest, Work};
use crate::devices::owner::Owner;

/// A pair of serial ports.
pub struct Serial {
    name: &'static str,
    /// Numbers of the VMs of both ends.
    vms: [usize; 2],
    a: Once<Jack>,
    b: Once<Jack>,
    desk: Work<Desk>,
}

/// Both ends.
const SIDES: [Side; 2] = [Side::A, Side::B];

impl Serial {
    /// A pair with this name between two VMs, at whose consoles the ports are yet to be.
    pub fn new(name: &'static str, vms: [usize; 2]) -> &'static Self {
        Box::leak(Box::new(Self { name, vms, a: Once::new(), b: Once::new(), desk: Work::new(Desk::new()) }))
    }

    /// The pair that the bundle has.
    pub fn of(serial: &bundle::Serial<'static>) -> &'static Self {
        Self::new(serial.name, serial.vms)
    }

    /// Its name, which is that of the ports.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The VMs of both ends.
    pub const fn vms(&self) -> [usize; 2] {
        self.vms
    }

    /// What became of what the VM of one side has sent.
    pub fn counters(&self, side: Side) -> Counters {
        self.enter().pair.counters(side)
    }

    /// Keeps everybody from moving bytes until the result is dropped.
    #[cfg(test)]
    pub(super) fn busy(&self) -> impl Sized + '_ {
        self.enter()
    }

    const fn place(&self, side: Side) -> &Once<Jack> {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    fn jack(&self, side: Side) -> Option<Jack> {
        self.place(side).get().copied()
    }

    fn peer(&self, side: Side) -> Option<&'static dyn Peer> {
        self.jack(side).and_then(Jack::peer)
    }

    /// The pair at rest: nobody moves bytes meanwhile.
    fn enter(&self) -> Rest<'_, Desk, impl Fn(usize)> {
        self.desk.enter(|ask| self.call(ask))
    }

    /// Has the VM go on that has the reason with the number `ask` to work.
    fn call(&self, ask: usize) {
        self.peer(Ask::of(ask).by).into_iter().for_each(Peer::call);
    }

    /// Does a piece of work because of `ask`, whose VM `owner` is.
    fn work(&self, ask: Ask, owner: &dyn Owner) {
        let piece = |desk: &mut Desk, end: usize| self.piece(desk, Ask::of(end).from, Owners { side: ask.by, owner });
        self.desk.work(ask.number(), piece, |ask| self.call(ask));
    }
}

/// The VMs of both ends, for who works for that of one.
#[derive(Clone, Copy)]
struct Owners<'a> {
    side: Side,
    owner: &'a dyn Owner,
}

impl<'a> Owners<'a> {
    /// The VM of one side, which is `peer`, as it is known here.
    fn of(self, side: Side, peer: Option<&'static dyn Peer>) -> Option<&'a dyn Owner> {
        if side == self.side { Some(self.owner) } else { peer.map(|peer| peer as &dyn Owner) }
    }

    /// Does something for the VM of one side, as whom it is known here.
    fn with(self, serial: &Serial, side: Side, work: impl FnOnce(&dyn Owner)) {
        if side == self.side {
            work(self.owner);
        } else if let Some(peer) = serial.peer(side) {
            work(peer);
        }
    }
}
