//! A port as its driver knows it.

use heapless::String;
use portcullis_abi::state::{self, Unfit};

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

    /// Returns what its driver knows and has said: the bits of [`state::Port::flags`].
    pub(super) fn save(&self) -> u32 {
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        bit(self.added, state::Port::ADDED)
            | bit(self.ready, state::Port::READY)
            | bit(self.named, state::Port::NAMED)
            | bit(self.open, state::Port::OPEN)
            | bit(self.shown.is_some(), state::Port::OTHER)
    }

    /// Takes on what its driver knows and has said. Who was at the other end is there no more: the driver is told so before it is
    /// told of somebody else.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub(super) fn restore(&mut self, flags: u32) -> Result<(), Unfit> {
        const ALL: u32 =
            state::Port::ADDED | state::Port::READY | state::Port::NAMED | state::Port::OPEN | state::Port::OTHER;
        let is = |bit: u32| flags & bit != 0;
        let (added, ready, named) = (is(state::Port::ADDED), is(state::Port::READY), is(state::Port::NAMED));
        // In this order its driver comes to know of it.
        if flags & !ALL != 0 || ready && !added || (named || is(state::Port::OPEN)) && !ready {
            return Err(Unfit::Value("what a driver knows of a port"));
        }
        if is(state::Port::OTHER) && !named {
            return Err(Unfit::Value("what a driver knows of a port"));
        }
        (self.added, self.ready, self.named, self.open) = (added, ready, named, is(state::Port::OPEN));
        let another = match self.other {
            Some(session) => session.wrapping_sub(1),
            None => 0,
        };
        self.shown = if is(state::Port::OTHER) { Some(another) } else { None };
        Ok(())
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
