//! The one virtio console of a VM, with a named port for each thing that it talks to by one: another VM, a disk that it serves,
//! EL2.
//!
//! The device is in the VM's first transport, and its driver shows each port by its name (`/dev/virtio-ports/NAME`). What the
//! driver says and is told of ports goes over two queues that all of them share, and that are the console's own (with the
//! policy of [`portcullis_links::serial`]). Each port has two queues besides. These are of whoever is at its other side: an
//! [`End`].
//!
//! # An end
//!
//! [`Console::new`] takes the ports in the order of their numbers, each with its end, which gets a [`Jack`] for it. An end
//! keeps its queues behind a [`Work`](super::work::Work), as whatever works at queues does, with whatever else its work is
//! about. A message of the driver waits for no such work: it is used up within the exit that brings it, and only leaves
//! [`News`]. So a piece of work
//!
//! 1. takes the [news](Jack::news): the port was set up, closed, opened;
//! 2. [shows](Jack::show) the session of the other end that is open now, if it is another one than was shown last. A port that EL2
//!    serves has one by [`ServerEnd`](portcullis_links::serial::ServerEnd), one that is paired by
//!    [`Pair`](portcullis_links::serial::Pair);
//! 3. moves bytes: nothing to a driver whose program has not opened the port, or that does not know of the session yet;
//! 4. publishes what it has used, [interrupts](Jack::interrupt) who wants that, and tells by its result whether there is more.
//!    What is for one program and no other is [published in its turn](publish_in_turn), and what one program has sent is taken
//!    if the port is [still in that turn](Jack::turn).
//!
//! A driver that is at fault is reported by [`Jack::fail`]: its device needs a reset. What the end does not keep in its `Work`,
//! it must not touch the guest's memory for.
//!
//! Locks are taken in this order: an end's work, a console's registers. Nothing of an end is called with a console's registers
//! locked.

mod end;
mod flow;
mod jack;
mod panel;
mod plug;
mod saved;
mod show;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use portcullis_links::serial::{Event, Port, QUEUES, identity, queues};
use portcullis_virtio::Fault;
use portcullis_virtio::mmio::Transport;
use spin::Once;

pub use self::end::End;
pub use self::flow::{Flow, News, Queues};
pub use self::jack::Jack;
use self::jack::{Act, Board};
use self::panel::{Heard, Panel};
pub use self::plug::Plug;
pub use self::show::publish_in_turn;
use super::peer::Peer;
use super::registers::{Registers, Signals};
use crate::devices::owner::Owner;

/// A VM's console.
pub struct Console {
    /// The number of its VM.
    pub vm: usize,
    /// The slot of its transport.
    pub slot: usize,
    peer: Once<&'static dyn Peer>,
    registers: Registers<Panel, QUEUES>,
    ports: Box<[Outlet]>,
    /// There are messages that were not used up.
    unheard: AtomicBool,
    /// The port that was worked at last.
    last: AtomicUsize,
    /// Its VM was restored, and has yet to go on.
    restored: AtomicBool,
}

/// A port of it.
struct Outlet {
    name: Box<str>,
    end: &'static dyn End,
    /// There are news of it.
    changed: AtomicBool,
    /// How often it was opened and closed. Written with the registers locked.
    turn: AtomicU32,
}

impl Outlet {
    /// Another program has it, or none.
    fn turn(&self) {
        self.turn.fetch_add(1, Ordering::SeqCst);
    }
}

impl Console {
    /// The console of VM `vm` in transport `slot`, with these ports and what is at their other sides, which is told. There are
    /// [`PORTS`](portcullis_links::serial::PORTS) at the most. The VM is yet to be connected.
    pub fn new(vm: usize, slot: usize, ports: Vec<(Port, &'static dyn End)>) -> &'static Self {
        let registers = Registers::new(
            Transport::new(identity(ports.len())),
            slot,
            Panel::new(ports.iter().map(|(port, _)| port.clone())),
        );
        let outlet = |(port, end): &(Port, &'static dyn End)| Outlet {
            name: port.name().into(),
            end: *end,
            changed: AtomicBool::new(false),
            turn: AtomicU32::new(0),
        };
        let ports: Box<[Outlet]> = ports.iter().map(outlet).collect();
        let (unheard, last, restored) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicBool::new(false));
        let console: &Self =
            Box::leak(Box::new(Self { vm, slot, peer: Once::new(), registers, ports, unheard, last, restored }));
        for (number, outlet) in console.ports.iter().enumerate() {
            outlet.end.connect(Jack { console, number, turn: &outlet.turn });
        }
        console
    }

    pub(super) fn connect(&self, peer: Option<&'static dyn Peer>) {
        peer.into_iter().for_each(|peer| _ = self.peer.call_once(|| peer));
    }

    /// Takes over the queues that its driver has set up.
    fn begin_driver(&self, owner: &dyn Owner, peer: &dyn Peer) -> Result<(), (u16, Fault)> {
        let queue = |number| self.registers.queue(peer, number).map_err(|fault| (number, fault));
        for (number, outlet) in (0_u16..).zip(&self.ports) {
            let (receive, transmit) = queues(number);
            outlet.end.begin(Queues { transmit: queue(transmit)?, receive: queue(receive)? });
        }
        let (tell, hear) = (queue(plug::TELL)?, queue(plug::HEAR)?);
        let event = self.registers.with(owner, |transport, panel| {
            (panel.tell, panel.hear) = (tell, hear);
            panel.ports.begin(transport.accepted())
        });
        if let Event::Opened(number) = event {
            self.mark(1_u32.wrapping_shl(number as u32));
        }
        // A driver that does not wait has notified a queue that was not there yet.
        self.hear(owner);
        Ok(())
    }

    /// Touches nothing of its driver's any more, which begins anew, and takes all ports for closed.
    fn forget(&self, owner: &dyn Owner) {
        self.registers.with(owner, |_, panel| {
            panel.forget();
            // None of them is as it was, whether a program had it open or not.
            self.ports.iter().for_each(Outlet::turn);
        });
        self.restored.store(false, Ordering::SeqCst);
        for outlet in &self.ports {
            outlet.changed.store(false, Ordering::SeqCst);
            outlet.end.forget(owner);
        }
        self.registers.with(owner, |transport, _| transport.finish_reset());
    }

    /// Uses up the driver's messages, and tells it what there is to tell then.
    fn hear(&self, owner: &dyn Owner) {
        let Some(peer) = self.peer() else { return };
        let turn = |number| self.ports.get(number).into_iter().for_each(Outlet::turn);
        let heard = self
            .registers
            .with(owner, |transport, panel| panel.hear(transport, peer, turn).map_err(|fault| (plug::HEAR, fault)));
        match heard {
            Ok(Heard { ports, more }) => {
                self.unheard.store(more, Ordering::SeqCst);
                self.mark(ports);
                self.tell(owner, 0);
            }
            Err((queue, fault)) => self.registers.fail(peer, owner, self, plug::queue_name(queue), fault),
        }
    }

    /// Tells the driver what there is to tell. Who is at the other sides of ports of whose sessions it knows now is to look at
    /// them, but for `own`.
    fn tell(&self, owner: &dyn Owner, own: u32) {
        let Some(peer) = self.peer() else { return };
        match self.registers.with(owner, |transport, panel| panel.tell(transport, peer)) {
            Ok(ports) => self.mark(ports & !own),
            Err(fault) => self.registers.fail(peer, owner, self, plug::queue_name(plug::TELL), fault),
        }
    }

    /// There are news of these ports, a bit each.
    fn mark(&self, ports: u32) {
        if ports == 0 {
            return;
        }
        let marked = self.ports.iter().enumerate().filter(|(number, _)| ports >> number & 1 != 0);
        for (_, outlet) in marked {
            outlet.changed.store(true, Ordering::SeqCst);
            outlet.end.mark();
        }
        self.peer().into_iter().for_each(Peer::call);
    }

    /// Does a piece of the work at one of the ports that have some, and calls the VM for another one.
    fn go_on(&self, owner: &dyn Owner) {
        let last = self.last.load(Ordering::Relaxed);
        let ports = || self.ports.iter().enumerate();
        let marked = || ports().skip(last.wrapping_add(1)).chain(ports()).filter(|(_, outlet)| outlet.end.is_marked());
        let Some((number, outlet)) = marked().next() else { return };
        self.last.store(number, Ordering::Relaxed);
        outlet.end.work(owner);
        if ports().any(|(other, outlet)| other != number && outlet.end.is_marked()) {
            self.peer().into_iter().for_each(Peer::call);
        }
    }
}

impl Board for Console {
    fn peer(&self) -> Option<&'static dyn Peer> {
        self.peer.get().copied()
    }

    fn news(&self, number: usize) -> Option<News> {
        let Outlet { changed, turn, .. } = self.ports.get(number)?;
        if !changed.load(Ordering::Relaxed) {
            return None;
        }
        // What is said from here on is in the news, or is further news.
        changed.store(false, Ordering::SeqCst);
        Some(self.registers.look(|panel| panel.news(number, turn.load(Ordering::Acquire))))
    }

    fn show(&self, owner: &dyn Owner, number: usize, session: Option<u32>) -> Option<u32> {
        self.registers.with(owner, |_, panel| panel.ports.set_other(number, session));
        self.tell(owner, 1_u32.wrapping_shl(number as u32));
        self.registers.with(owner, |_, panel| panel.ports.ports.get(number).and_then(Port::shown))
    }

    fn publish(&self, owner: &dyn Owner, act: Act<'_>) -> Result<(), Fault> {
        self.registers.publish(owner, act)
    }

    fn interrupt(&self, owner: &dyn Owner) {
        self.registers.interrupt(owner);
    }

    fn signals(&self) -> Signals {
        self.registers.signals()
    }

    fn intid(&self) -> u32 {
        self.registers.intid()
    }

    fn fail(&self, owner: &dyn Owner, number: usize, flow: Flow, fault: Fault) {
        if let Some((peer, outlet)) = self.peer().zip(self.ports.get(number)) {
            self.registers.fail(peer, owner, outlet, flow.name(), fault);
        }
    }
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("serial ports")
    }
}

impl fmt::Display for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial port {}", self.name)
    }
}
