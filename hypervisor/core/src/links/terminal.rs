//! Ports `console.VM`, at which a program of the control VM has another VM's console: it reads what the VM writes to its UART, and
//! what it writes the VM reads there. The port is attached by being opened, and detached by being closed; the serial line has all
//! that the VM writes as ever.
//!
//! A VM that writes has nothing to do but to call the control VM, once until that has looked: a core of the control VM's copies
//! from what is [kept](crate::devices::log::Log) of the VM's output. A reader that is too slow loses the oldest, and is told how
//! much.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::{AtomicBool, Ordering};

use heapless::String;
use portcullis_links::serial::Port;
use spin::Once;
use spin::mutex::TicketMutex;

use super::console::End;
use super::own_port::{OwnPort, Service};
use super::peer::Peer;
use crate::devices::log::Follower;
use crate::serial::SERIAL;

/// What the ports' names begin with; the VM's name follows.
const PREFIX: &str = "console.";
/// Bytes of a port's name.
const NAME: usize = portcullis_links::serial::NAME;
/// Bytes of what a reader is told between what the VM has written.
const NOTE: usize = 96;

/// The port of one VM.
pub struct Terminal {
    name: String<NAME>,
    port: &'static OwnPort<Screen>,
}

/// What the port is for.
struct Screen {
    /// The number of the VM, and the VM.
    vm: usize,
    peer: Once<&'static dyn Peer>,
    open: AtomicBool,
    /// Who has it open was told that what is typed comes from elsewhere.
    displaced: AtomicBool,
    note: TicketMutex<Note>,
}

/// What a reader is told, as far as it was not told it yet.
#[derive(Default)]
struct Note {
    text: String<NOTE>,
    given: usize,
}

/// A terminal of every VM but `control`, in their order, `most` at the most. `names` are the VMs'.
pub fn all(names: &[&'static str], control: usize, most: usize) -> Vec<&'static Terminal> {
    let others = || names.iter().enumerate().filter(|(vm, _)| *vm != control);
    for (_, name) in others().skip(most) {
        log::warn!("the control VM has no port {PREFIX}{name}, as it has as many ports as there can be");
    }
    others().take(most).filter_map(|(vm, name)| Some(&*Box::leak(Box::new(Terminal::new(vm, name)?)))).collect()
}

impl Terminal {
    /// The port of VM `vm`, called `name`.
    fn new(vm: usize, name: &str) -> Option<Self> {
        let mut text = String::new();
        write!(text, "{PREFIX}{name}").ok()?;
        let (open, displaced) = (AtomicBool::new(false), AtomicBool::new(false));
        let note = TicketMutex::new(Note::default());
        Some(Self { name: text, port: OwnPort::new(Screen { vm, peer: Once::new(), open, displaced, note }) })
    }

    /// The port with what is at its other side.
    pub(super) fn port(&self) -> Option<(Port, &'static dyn End)> {
        self.port.port(&self.name)
    }

    /// Says which VM has which number. To be called once.
    pub(super) fn connect(&self, peer: impl Fn(usize) -> Option<&'static dyn Peer>) {
        let Some(peer) = peer(self.port.service.vm) else { return };
        self.port.service.peer.call_once(|| peer);
        peer.console().set_follower(self.port);
    }
}

/// The VM has written something, or has room for what is typed: the control VM sees to it.
impl Follower for OwnPort<Screen> {
    fn call(&self) {
        if self.service.open.load(Ordering::Relaxed) {
            Self::call(self);
        }
    }
}

impl Screen {
    fn peer(&self) -> Option<&'static dyn Peer> {
        self.peer.get().copied()
    }

    /// Attaches the port to the VM's console, or detaches it.
    fn attach(&self, open: bool) {
        let Some(peer) = self.peer() else { return };
        self.open.store(open, Ordering::Relaxed);
        self.displaced.store(false, Ordering::Relaxed);
        *self.note.lock() = Note::default();
        let at_the_terminal = SERIAL.set_port(self.vm, open);
        peer.console().follow(open);
        if at_the_terminal {
            let name = peer.name();
            if open {
                peer.report(format_args!(
                    "what is typed for {name} comes from the port {PREFIX}{name} now; attached here again, it comes from here"
                ));
            } else {
                peer.report(format_args!("what is typed for {name} comes from here again"));
            }
        }
    }
}

impl Service for Screen {
    fn opened(&self) {
        self.attach(true);
    }

    fn closed(&self) {
        self.attach(false);
    }

    fn has(&self) -> bool {
        self.open.load(Ordering::Relaxed)
            && (self.note.lock().has() || self.peer().is_some_and(|peer| peer.console().has_next()))
    }

    fn give(&self, room: &mut [u8]) -> usize {
        let Some(peer) = self.peer() else { return 0 };
        let mut note = self.note.lock();
        if !note.has() {
            match peer.console().take_lost() {
                0 => {}
                // None is being said.
                lost => _ = note.say(format_args!("{lost} bytes came too fast and are left out")),
            }
        }
        let told = note.give(room);
        drop(note);
        let rest = room.get_mut(told..).unwrap_or_default();
        told.saturating_add(peer.console().read_next(rest))
    }

    fn take(&self, bytes: &[u8]) -> usize {
        let Some(peer) = self.peer() else { return bytes.len() };
        if SERIAL.attachment.is_typed_at_port(self.vm) {
            self.displaced.store(false, Ordering::Relaxed);
            return peer.console().receive_all(peer, bytes);
        }
        if !self.displaced.load(Ordering::Relaxed) {
            let line = format_args!("what is typed comes from the serial line now; attach again to type here");
            self.displaced.store(self.note.lock().say(line), Ordering::Relaxed);
        }
        bytes.len()
    }
}

impl Note {
    fn has(&self) -> bool {
        self.given < self.text.len()
    }

    /// Has a line said, unless another one is being said. Returns whether it is.
    fn say(&mut self, line: core::fmt::Arguments<'_>) -> bool {
        if self.has() {
            return false;
        }
        self.text.clear();
        self.given = 0;
        // There is room for each of them.
        write!(self.text, "\r\n[portcullis: {line}]\r\n").is_ok()
    }

    fn give(&mut self, room: &mut [u8]) -> usize {
        let rest = self.text.as_bytes().get(self.given..).unwrap_or_default();
        let count = rest.len().min(room.len());
        room.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
        self.given = self.given.saturating_add(count);
        count
    }
}
