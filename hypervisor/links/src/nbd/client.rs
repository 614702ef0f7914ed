//! The client of one disk.

use heapless::Vec;

use super::broken::Broken;
use super::exchange::{Done, In, Out};
use super::handshake::{Export, HEARD, Handshake, Heard, SAID, Wanted, take_u32, take_u64};
use super::numbers::*;
use super::request::{Command, MAX_REQUESTS, Request, Slot, Stage};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Handshake(Handshake),
    Ready,
}

/// A client: connected or not, with the requests of its disk. They stay when a connection ends, and are sent again by the next one,
/// until their time is over.
///
/// A server may have kept what it was given in a cache, and the next connection may be to another run of it, which has lost
/// that. So writes that were done and not flushed when a connection ends count as lost: the flushes that were asked for then,
/// or else the next one, are answered by an error, and the driver knows. A flush that says well promises that all writes before
/// it are there (virtio
/// 1.2, section 5.2.6.2). Writes that were not done are sent again, and so not lost. A server that does not offer to flush has
/// no cache that it knows of: what it has done is there, and a flush is over by that, as it is for Linux' own client.
///
/// A read or a write that is longer than what the server takes at once goes in parts, one after the other.
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
    /// The connection is to be cut: nothing goes out by it any more, and nothing comes in.
    cutting: bool,
    /// Writes that were done, and how many of them are known to be flushed.
    writes: u64,
    stable: u64,
    /// The server offers to flush, or did when it was last there.
    flushes: bool,
    /// Writes may be lost, and no flush was answered by an error since.
    lost: bool,
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
            cutting: false,
            writes: 0,
            stable: 0,
            flushes: false,
            lost: false,
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
        (self.skip, self.reading, self.cutting) = (0, None, false);
        self.slots.retain(|slot| slot.stage != Stage::Abandoned);
        self.lost |= self.writes > self.stable && self.flushes;
        self.stable = self.writes;
        let mut told = false;
        for slot in &mut self.slots {
            let doomed = slot.stage == Stage::Doomed || self.lost && slot.request.command == Command::Flush;
            told |= doomed;
            *slot = Slot::new(slot.request, if doomed { Stage::Doomed } else { Stage::Waiting });
        }
        self.lost &= !told;
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
        let doomed = self.lost && request.command == Command::Flush;
        let asked = self.slots.push(Slot::new(request, if doomed { Stage::Doomed } else { Stage::Waiting })).is_ok();
        self.lost &= !(doomed && asked);
        asked
    }

    /// What comes next.
    pub fn next_in(&self) -> In {
        if self.cutting {
            return In::None;
        }
        if self.skip > 0 {
            return In::Skip(self.skip);
        }
        match &self.phase {
            Phase::Closed => In::None,
            Phase::Handshake(handshake) => In::Bytes(handshake.wants().saturating_sub(self.heard.len())),
            Phase::Ready => match self.reading {
                None => In::Bytes(REPLY_BYTES.saturating_sub(self.heard.len())),
                Some((cookie, at)) => match self.slots.iter().find(|slot| slot.cookie == cookie) {
                    Some(Slot { request, stage, base, part, .. }) => {
                        let (at, left) = (base.saturating_add(at), part.saturating_sub(at));
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
        self.judge(bytes).inspect_err(|_| self.cutting = true)
    }

    fn judge(&mut self, bytes: &[u8]) -> Result<Option<Done>, Broken> {
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
                    self.flushes = export.knows(Command::Flush);
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
        if at < slot.part {
            self.reading = Some((cookie, at));
            return None;
        }
        self.reading = None;
        self.part_done(place)
    }

    /// The server has done the part of a request that it was sent. Returns the request if that was the last one, and somebody
    /// waits.
    fn part_done(&mut self, place: usize) -> Option<Done> {
        let slot = self.slots.get_mut(place)?;
        slot.base = slot.base.saturating_add(slot.part);
        if slot.stage == Stage::Sent && slot.base < slot.request.length {
            (slot.stage, slot.cookie) = (Stage::Waiting, 0);
            return None;
        }
        let Slot { stage, request, covers, .. } = self.slots.remove(place);
        match request.command {
            Command::Write | Command::WriteZeroes(_) if stage == Stage::Sent => {
                self.writes = self.writes.wrapping_add(1)
            }
            Command::Flush => self.stable = self.stable.max(covers),
            _ => {}
        }
        (stage == Stage::Sent).then_some(Done::Ok(request))
    }

    /// Whether there is something that goes to the server.
    pub fn has_out(&self) -> bool {
        let goes = |slot: &Slot| matches!(slot.stage, Stage::Waiting | Stage::Sending(_));
        !self.cutting && (!self.said.is_empty() || self.phase == Phase::Ready && self.slots.iter().any(goes))
    }

    /// What goes next. A request is not begun before the one that is being sent is out; nothing goes by a connection that is to be
    /// cut, where the server may wait for the rest of another one.
    pub fn next_out(&mut self) -> Out {
        if self.cutting {
            return Out::None;
        }
        if !self.said.is_empty() {
            return Out::Bytes(self.said.clone());
        }
        if self.phase != Phase::Ready {
            return Out::None;
        }
        let sending = self.slots.iter().position(|slot| matches!(slot.stage, Stage::Sending(_)));
        let waiting = || self.slots.iter().position(|slot| slot.stage == Stage::Waiting);
        let Some(place) = sending.or_else(waiting) else { return Out::None };
        let (cookie, longest) = (self.cookie, self.export.map_or(0, |export| self.wanted.longest(&export)));
        let Some(slot) = self.slots.get_mut(place) else { return Out::None };
        if slot.stage == Stage::Waiting {
            let left = slot.request.length.saturating_sub(slot.base);
            let data = matches!(slot.request.command, Command::Read | Command::Write);
            slot.part = if data { left.min(longest) } else { left };
            (slot.stage, slot.cookie, slot.covers) = (Stage::Sending(0), cookie, self.writes);
            self.cookie = cookie.wrapping_add(1);
        }
        let Stage::Sending(at) = slot.stage else { return Out::None };
        let header = slot.header();
        match header.get(usize::try_from(at).unwrap_or(usize::MAX)..) {
            Some(rest) if !rest.is_empty() => Out::Bytes(Vec::from_slice(rest).unwrap_or_default()),
            _ => {
                let at = at.saturating_sub(REQUEST_BYTES as u64) as u32;
                let left = slot.part.saturating_sub(at);
                Out::Data { head: slot.request.head, at: slot.base.saturating_add(at), left }
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

    /// The next request that is over without the server: one that it does not know, by what it said of its export, a flush of
    /// what may be lost, or one to a server that keeps nothing back.
    pub fn refused(&mut self) -> Option<Done> {
        if let Some(place) = self.slots.iter().position(|slot| slot.stage == Stage::Doomed) {
            return Some(Done::Error(self.slots.remove(place).request));
        }
        let export = self.export?;
        let unknown = |slot: &Slot| slot.stage == Stage::Waiting && !export.knows(slot.request.command);
        let place = self.slots.iter().position(unknown)?;
        let request = self.slots.remove(place).request;
        Some(if request.command == Command::Flush { Done::Ok(request) } else { Done::Unsupported(request) })
    }

    /// The next request whose time is over at `now`. What the server says of it later is thrown away. True beside it: the
    /// connection is to be cut, because half of it was sent, or because the server answers none any more and there is room for
    /// no other.
    pub fn late(&mut self, now: u64) -> Option<(Done, bool)> {
        let is_late = |slot: &Slot| slot.stage != Stage::Abandoned && slot.request.deadline <= now;
        let place = self.slots.iter().position(is_late)?;
        let (request, half) = self.abandon(place)?;
        self.cutting |= half || self.is_stuck();
        Some((Done::Error(request), self.cutting))
    }

    /// When the next request is late.
    pub fn deadline(&self) -> Option<u64> {
        let waited = self.slots.iter().filter(|slot| slot.stage != Stage::Abandoned);
        waited.map(|slot| slot.request.deadline).min()
    }

    /// So many ticks count for no request.
    pub fn postpone(&mut self, ticks: u64) {
        for slot in &mut self.slots {
            slot.request.deadline = slot.request.deadline.saturating_add(ticks);
        }
    }

    /// The disk's driver begins anew: nobody waits for any request. Returns whether the connection is to be cut: half of one
    /// was sent, or the server has as many as there may be, and if it answers none of them there would never be room for
    /// another one.
    pub fn abandon_all(&mut self) -> bool {
        while let Some(place) = self.slots.iter().position(|slot| slot.stage != Stage::Abandoned) {
            let Some((_, half)) = self.abandon(place) else { break };
            self.cutting |= half;
        }
        self.cutting |= self.is_stuck();
        self.cutting
    }

    /// Whether there is no room, and no request with a time that can be over.
    fn is_stuck(&self) -> bool {
        !self.has_room() && self.slots.iter().all(|slot| slot.stage == Stage::Abandoned)
    }

    /// Nobody waits for a request any more. Returns it, and whether half of it was sent.
    fn abandon(&mut self, place: usize) -> Option<(Request, bool)> {
        let slot = self.slots.get_mut(place)?;
        let request = slot.request;
        Some(match slot.stage {
            Stage::Waiting | Stage::Doomed => (self.slots.remove(place).request, false),
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
        if error == 0 {
            return Ok(self.part_done(place));
        }
        let slot = self.slots.remove(place);
        let done = match error {
            NOT_SUPPORTED => Done::Unsupported(slot.request),
            _ => Done::Error(slot.request),
        };
        Ok((slot.stage == Stage::Sent).then_some(done))
    }
}
