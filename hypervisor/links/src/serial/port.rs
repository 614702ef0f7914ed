//! A port as its driver knows it.

use heapless::String;

use super::message::{Message, NAME};

/// What a driver was told of a port, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    name: String<NAME>,
    added: bool,
    ready: bool,
    named: bool,
    /// The session of the other end that is open, and the one that the driver was told of. No two sessions in a row have one
    /// number.
    other: Option<u32>,
    shown: Option<u32>,
    /// A program has it open.
    open: bool,
}

impl Port {
    /// A port that its driver does not know yet. None: the name is longer than [`NAME`] bytes.
    pub fn new(name: &str) -> Option<Self> {
        let name = String::try_from(name).ok()?;
        Some(Self { name, added: false, ready: false, named: false, other: None, shown: None, open: false })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a program has it open.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Whether its driver has set it up.
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The session of the other end that the driver was told of.
    pub const fn shown(&self) -> Option<u32> {
        self.shown
    }

    /// The driver has it as its console.
    pub(super) const fn take_as_console(&mut self) {
        (self.added, self.ready, self.named, self.open) = (true, true, true, true);
        self.see_other();
    }

    /// The driver needs not be told of the other end.
    pub(super) const fn see_other(&mut self) {
        self.shown = self.other;
    }

    pub(super) const fn set_other(&mut self, session: Option<u32>) {
        self.other = session;
    }

    /// The driver begins anew.
    pub(super) fn reset(&mut self) {
        (self.added, self.ready, self.named, self.open, self.shown) = (false, false, false, false, None);
    }

    /// What the driver is to be told next.
    pub(super) fn message(&self) -> Option<Message<'_>> {
        if !self.added {
            return Some(Message::Add);
        }
        if !self.ready {
            return None;
        }
        if !self.named {
            return Some(Message::Name(&self.name));
        }
        (self.shown != self.other).then_some(Message::Open(self.shown.is_none()))
    }

    /// Takes note that the driver was told what [`message`](Self::message) says.
    pub(super) const fn told(&mut self) {
        if !self.added {
            self.added = true;
        } else if !self.named {
            self.named = true;
        } else if self.shown.is_some() {
            self.shown = None;
        } else {
            self.shown = self.other;
        }
    }

    pub(super) const fn set_ready(&mut self) {
        self.ready = self.added;
    }

    /// Returns whether that is new. Only what the driver has set up is opened.
    pub(super) const fn set_open(&mut self, open: bool) -> bool {
        let open = open && self.ready;
        core::mem::replace(&mut self.open, open) != open
    }
}
