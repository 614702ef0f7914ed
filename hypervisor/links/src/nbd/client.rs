//! The client of one disk.

use heapless::Vec;

use super::broken::Broken;
use super::handshake::{Export, HEARD, Handshake, Heard, SAID, Wanted, take_u32, take_u64};
use super::numbers::*;
use super::request::{Command, MAX_REQUESTS, Request, Slot, Stage};

/// What comes next from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    /// Nothing: there is no connection.
    None,
    /// So many bytes, for [`Client::hear`].
    Bytes(usize),
    /// So many bytes that nobody wants, for [`Client::moved_in`].
    Skip(u32),
    /// Data of a read request: it belongs at byte `at` of the chain's data, and `left` bytes are yet to come; for
    /// [`Client::moved_in`].
    Data {
        /// The chain.
        head: u16,
        /// Where it belongs.
        at: u32,
        /// Bytes that are to come.
        left: u32,
    },
}

/// What goes next to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Nothing.
    None,
    /// These bytes, for [`Client::moved_out`].
    Bytes(Vec<u8, SAID>),
    /// Data of a write request: from byte `at` of the chain's data on, of which `left` bytes are to go; for [`Client::moved_out`].
    Data {
        /// The chain.
        head: u16,
        /// From where on.
        at: u32,
        /// Bytes that are to go.
        left: u32,
    },
}

/// A request that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Ok(Request),
    /// The server could not do it, or did not within its time.
    Error(Request),
    /// The server does not know the command.
    Unsupported(Request),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Handshake(Handshake),
    Ready,
}

/// A client: connected or not, with the requests of its disk. They stay when a connection ends, and are sent again by the next one,
/// until their time is over.
#[derive(Clone, Debug)]
pub struct Client {
    wanted: Wanted,
    phase: Phase,
    export: Option<Export>,
    said: Vec<u8, SAID>,
    heard: Vec<u8, HEARD>,
    /// Bytes to come that nobody wants.
    skip: u32,
    /// The reply whose data comes: cookie, and bytes that came.
    reading: Option<(u64, u32)>,
    slots: Vec<Slot, MAX_REQUESTS>,
    /// The next cookie. None is used twice, nor by another connection.
    cookie: u64,
}

impl Client {
    /// A client without a connection.
    pub const fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            phase: Phase::Closed,
            export: None,
            said: Vec::new(),
            heard: Vec::new(),
            skip: 0,
            reading: None,
            slots: Vec::new(),
            cookie: 1,
        }
    }

    /// A connection begins.
    pub fn open(&mut self) {
        self.close();
        self.phase = Phase::Handshake(Handshake::new());
    }

    /// The connection is over. Requests that somebody waits for are sent by the next one, from their beginning.
    pub fn close(&mut self) {
        (self.phase, self.export) = (Phase::Closed, None);
        self.said.clear();
        self.heard.clear();
        (self.skip, self.reading) = (0, None);
        self.slots.retain(|slot| slot.stage != Stage::Abandoned);
        for slot in &mut self.slots {
            (slot.stage, slot.cookie) = (Stage::Waiting, 0);
        }
    }

    /// Whether there is a connection, agreed or not.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Closed
    }

    /// What the server has agreed to.
    pub const fn export(&self) -> Option<&Export> {
        self.export.as_ref()
    }

    /// Whether one more request can be taken.
    pub fn has_room(&self) -> bool {
        self.slots.len() < MAX_REQUESTS
    }

    /// Takes a request. It is over when [`hear`](Self::hear), [`moved_in`](Self::moved_in), [`refused`](Self::refused) or
    /// [`late`](Self::late) say so. False: there is no room.
    pub fn ask(&mut self, request: Request) -> bool {
        self.slots.push(Slot { request, cookie: 0, stage: Stage::Waiting }).is_ok()
    }

    /// What comes next.
    pub fn next_in(&self) -> In {
        if self.skip > 0 {
            return In::Skip(self.skip);
        }
        match &self.phase {
            Phase::Closed => In::None,
            Phase::Handshake(handshake) => In::Bytes(handshake.wants().saturating_sub(self.heard.len())),
            Phase::Ready => match self.reading {
                None => In::Bytes(REPLY_BYTES.saturating_sub(self.heard.len())),
                Some((cookie, at)) => match self.slots.iter().find(|slot| slot.cookie == cookie) {
                    Some(Slot { request, stage, .. }) => {
                        let left = request.length.saturating_sub(at);
                        if *stage == Stage::Sent { In::Data { head: request.head, at, left } } else { In::Skip(left) }
                    }
                    None => In::None,
                },
            },
        }
    }

    /// Takes bytes that came, at most as many as [`next_in`](Self::next_in) asks for. Returns the request that is over by them.
    ///
    /// # Errors
    ///
    /// [`Broken`]: the connection is to be cut.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Option<Done>, Broken> {
        let In::Bytes(wants) = self.next_in() else { return Ok(None) };
        let bytes = bytes.get(..wants.min(bytes.len())).unwrap_or_default();
        // There is room for the longest.
        let _ = self.heard.extend_from_slice(bytes);
        if bytes.len() < wants {
            return Ok(None);
        }
        let heard = core::mem::take(&mut self.heard);
        if let Phase::Handshake(handshake) = &mut self.phase {
            match handshake.hear(&heard, &self.wanted)? {
                Heard::More(said, skip) => {
                    let _ = self.said.extend_from_slice(&said);
                    self.skip = skip;
                }
                Heard::Agreed(export, skip) => {
                    (self.phase, self.export, self.skip) = (Phase::Ready, Some(export), skip);
                }
            }
            return Ok(None);
        }
        self.reply(&heard)
    }

    /// Takes note that bytes of data, or such that nobody wants, have come. Returns the request that is over by them.
    pub fn moved_in(&mut self, bytes: u32) -> Option<Done> {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(bytes);
            return None;
        }
        let (cookie, at) = self.reading?;
        let place = self.slots.iter().position(|slot| slot.cookie == cookie)?;
        let slot = self.slots.get(place)?;
        let at = at.saturating_add(bytes);
        if at < slot.request.length {
            self.reading = Some((cookie, at));
            return None;
        }
        self.reading = None;
        let slot = self.slots.remove(place);
        (slot.stage == Stage::Sent).then_some(Done::Ok(slot.request))
    }

    /// What goes next. A request is not begun before the one that is being sent is out.
    pub fn next_out(&mut self) -> Out {
        if !self.said.is_empty() {
            return Out::Bytes(self.said.clone());
        }
        if self.phase != Phase::Ready {
            return Out::None;
        }
        let sending = self.slots.iter().position(|slot| matches!(slot.stage, Stage::Sending(_)));
        let waiting = || self.slots.iter().position(|slot| slot.stage == Stage::Waiting);
        let Some(place) = sending.or_else(waiting) else { return Out::None };
        let cookie = self.cookie;
        let Some(slot) = self.slots.get_mut(place) else { return Out::None };
        if slot.stage == Stage::Waiting {
            (slot.stage, slot.cookie) = (Stage::Sending(0), cookie);
            self.cookie = cookie.wrapping_add(1);
        }
        let Stage::Sending(at) = slot.stage else { return Out::None };
        let header = slot.header();
        match header.get(usize::try_from(at).unwrap_or(usize::MAX)..) {
            Some(rest) if !rest.is_empty() => Out::Bytes(Vec::from_slice(rest).unwrap_or_default()),
            _ => {
                let at = at.saturating_sub(REQUEST_BYTES as u64) as u32;
                Out::Data { head: slot.request.head, at, left: slot.request.length.saturating_sub(at) }
            }
        }
    }

    /// Takes note that so many bytes of [`next_out`](Self::next_out) have gone.
    pub fn moved_out(&mut self, bytes: u32) {
        if !self.said.is_empty() {
            let rest = self.said.get(bytes as usize..).and_then(|rest| Vec::from_slice(rest).ok());
            self.said = rest.unwrap_or_default();
            return;
        }
        let sending = self.slots.iter_mut().find(|slot| matches!(slot.stage, Stage::Sending(_)));
        if let Some(slot) = sending
            && let Stage::Sending(at) = slot.stage
        {
            let at = at.saturating_add(u64::from(bytes));
            slot.stage = if at < slot.bytes_out() { Stage::Sending(at) } else { Stage::Sent };
        }
    }

    /// The next request that the server cannot do, by what it said of its export.
    pub fn refused(&mut self) -> Option<Done> {
        let export = self.export?;
        let known = |slot: &Slot| {
            let Request { command, length, .. } = slot.request;
            let long = matches!(command, Command::Read | Command::Write) && length > export.longest;
            export.knows(command) && !long
        };
        let place = self.slots.iter().position(|slot| slot.stage == Stage::Waiting && !known(slot))?;
        let Request { command, .. } = self.slots.get(place)?.request;
        let request = self.slots.remove(place).request;
        Some(if export.knows(command) { Done::Error(request) } else { Done::Unsupported(request) })
    }

    /// The next request whose time is over at `now`. What the server says of it later is thrown away. True beside it: the connection is
    /// to be cut, because half of it was sent, or because the server answers none any more and there is room for no other.
    pub fn late(&mut self, now: u64) -> Option<(Done, bool)> {
        let is_late = |slot: &Slot| slot.stage != Stage::Abandoned && slot.request.deadline <= now;
        let place = self.slots.iter().position(is_late)?;
        let (request, half) = self.abandon(place)?;
        let full = !self.has_room() && self.slots.iter().all(|slot| slot.stage == Stage::Abandoned);
        Some((Done::Error(request), half || full))
    }

    /// When the next request is late.
    pub fn deadline(&self) -> Option<u64> {
        let waited = self.slots.iter().filter(|slot| slot.stage != Stage::Abandoned);
        waited.map(|slot| slot.request.deadline).min()
    }

    /// The disk's driver begins anew: nobody waits for any request. Returns whether half of one was sent, so that the connection
    /// is to be cut.
    pub fn abandon_all(&mut self) -> bool {
        let mut cut = false;
        while let Some(place) = self.slots.iter().position(|slot| slot.stage != Stage::Abandoned) {
            let Some((_, half)) = self.abandon(place) else { break };
            cut |= half;
        }
        cut
    }

    /// Nobody waits for a request any more. Returns it, and whether half of it was sent.
    fn abandon(&mut self, place: usize) -> Option<(Request, bool)> {
        let slot = self.slots.get_mut(place)?;
        let request = slot.request;
        Some(match slot.stage {
            Stage::Waiting => (self.slots.remove(place).request, false),
            // Nothing of it has gone.
            Stage::Sending(0) => (self.slots.remove(place).request, false),
            Stage::Sending(_) => {
                slot.stage = Stage::Abandoned;
                (request, true)
            }
            Stage::Sent | Stage::Abandoned => {
                slot.stage = Stage::Abandoned;
                (request, false)
            }
        })
    }

    fn reply(&mut self, bytes: &[u8]) -> Result<Option<Done>, Broken> {
        let (magic, bytes) = take_u32(bytes);
        let (error, bytes) = take_u32(bytes);
        let (cookie, _) = take_u64(bytes);
        if magic != REPLY {
            return Err(Broken::Reply(magic.to_be_bytes()));
        }
        let has = |slot: &Slot| slot.cookie == cookie && matches!(slot.stage, Stage::Sent | Stage::Abandoned);
        let Some(place) = self.slots.iter().position(has) else { return Err(Broken::Cookie(cookie)) };
        let reads = self.slots.get(place).is_some_and(|slot| slot.request.command == Command::Read);
        if error == 0 && reads {
            self.reading = Some((cookie, 0));
            return Ok(None);
        }
        let slot = self.slots.remove(place);
        let done = match error {
            0 => Done::Ok(slot.request),
            NOT_SUPPORTED => Done::Unsupported(slot.request),
            _ => Done::Error(slot.request),
        };
        Ok((slot.stage == Stage::Sent).then_some(done))
    }
}
