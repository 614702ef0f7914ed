//! A port at which EL2 answers requests: four little-endian words each, and answers as long.
//!
//! A buffer of the driver's has one request or several. One whose length is no multiple of a request's has a single answer, and
//! nothing of it is done. No request is taken while there is no room for its answer. What was asked before a close and is not
//! answered then is dropped.

use portcullis_virtio::{Budget, Chain, Fault, Queue, Shared};

use crate::serial::{Progress, Wait};

/// Bytes of a request, and of an answer.
pub const LENGTH: u32 = 32;
/// Requests that one piece of work answers at the most: each may take as long as the rest of a piece.
pub const MOST: u32 = 4;

/// A fault of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// At the queue of requests.
    Requests(Fault),
    /// At that of buffers for answers.
    Answers(Fault),
}

/// The queues of the port, in their driver's memory.
#[derive(Debug)]
pub struct Desk<'a, M> {
    /// Of requests.
    pub requests: &'a mut Queue,
    /// Of buffers for answers, if the driver uses it.
    pub answers: Option<&'a mut Queue>,
    /// Where both are.
    pub memory: &'a mut M,
    /// Filled with one chain of requests after the other.
    pub request: &'a mut Chain,
    /// Filled with one buffer for an answer after the other.
    pub answer: &'a mut Chain,
}

/// How far requests were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// The chain that is being answered, and how many of its bytes are done.
    current: Option<(u16, u32)>,
    /// What was asked before this index was for somebody who has closed.
    lost: Option<u16>,
}

impl Requests {
    /// Nothing was asked.
    pub const fn new() -> Self {
        Self { current: None, lost: None }
    }

    /// Whoever has asked what is in the queue of requests before index `sent` has closed the port.
    pub const fn close(&mut self, sent: u16) {
        self.lost = Some(sent);
    }

    /// Answers requests by `serve`, if the port is `open`, as far as there are some, there is room, and the budget goes.
    /// `serve` gets none for a buffer that has no whole number of requests. A request is answered only if `still` says, after it
    /// was read, that the program that has the port open is the same. The driver sees what is done when its queues are published.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn work<M: Shared>(
        &mut self,
        desk: &mut Desk<'_, M>,
        open: bool,
        budget: &mut Budget,
        still: impl Fn() -> bool,
        mut serve: impl FnMut(&mut M, Option<[u64; 4]>) -> [u64; 4],
    ) -> Result<Progress, Broken> {
        let mut left = MOST;
        loop {
            if budget.is_spent() || left == 0 {
                return Ok(Progress::More);
            }
            if self.lost == Some(desk.requests.position()) && self.current.is_none() {
                self.lost = None;
            }
            if !open && self.lost.is_none() {
                return Ok(Progress::Idle(Wait::Reader));
            }
            let (before, mark) = (self.current, desk.requests.mark());
            if !self.load(desk, budget).map_err(Broken::Requests)? {
                return Ok(Progress::Idle(Wait::Bytes));
            }
            if self.lost.is_some() {
                self.finish(desk).map_err(Broken::Requests)?;
                continue;
            }
            let request = self.read(desk).map_err(Broken::Requests)?;
            if !still() {
                // It is the next program's, perhaps, and waits for what is told of that.
                if before.is_none() {
                    self.current = None;
                    desk.requests.rewind(mark);
                }
                return Ok(Progress::More);
            }
            if !take_room(desk, budget).map_err(Broken::Answers)? {
                return Ok(Progress::Idle(Wait::Room));
            }
            left = left.saturating_sub(1);
            let answer = serve(desk.memory, request);
            put_answer(desk, answer).map_err(Broken::Answers)?;
            self.advance(desk, request.is_some()).map_err(Broken::Requests)?;
        }
    }

    /// Has the chain that is being answered in `desk.request`, the next one if there is none. False: there is none.
    fn load<M: Shared>(&mut self, desk: &mut Desk<'_, M>, budget: &mut Budget) -> Result<bool, Fault> {
        match self.current {
            Some((head, done)) => {
                desk.requests.again(desk.memory, head, desk.request)?;
                // There was something left of it.
                if desk.request.readable() <= done {
                    return Err(Fault::Changed { head });
                }
            }
            None if desk.requests.take(desk.memory, desk.request)? => {
                if desk.request.readable() == 0 {
                    return Err(Fault::Short { what: "a request", length: 0, least: LENGTH });
                }
                self.current = Some((desk.request.head(), 0));
            }
            None => return Ok(false),
        }
        budget.chain(desk.request);
        Ok(true)
    }

    /// The request that comes next. None: the buffer has no whole number of them.
    fn read<M: Shared>(&self, desk: &mut Desk<'_, M>) -> Result<Option<[u64; 4]>, Fault> {
        let Some((head, done)) = self.current else { return Ok(None) };
        if !desk.request.readable().is_multiple_of(LENGTH) {
            // What was answered of it before had a whole number.
            return if done == 0 { Ok(None) } else { Err(Fault::Changed { head }) };
        }
        let mut bytes = [0; LENGTH as usize];
        let mut reader = desk.request.reader();
        reader.skip(done);
        reader.read(desk.memory, &mut bytes)?;
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Ok(Some(words))
    }

    /// A request is answered, or the whole buffer.
    fn advance<M: Shared>(&mut self, desk: &mut Desk<'_, M>, one: bool) -> Result<(), Fault> {
        match &mut self.current {
            Some((_, done)) if one && done.saturating_add(LENGTH) < desk.request.readable() => {
                *done = done.saturating_add(LENGTH);
                Ok(())
            }
            _ => self.finish(desk),
        }
    }

    /// Gives the chain that is being answered back.
    fn finish<M: Shared>(&mut self, desk: &mut Desk<'_, M>) -> Result<(), Fault> {
        match self.current.take() {
            Some((head, _)) => desk.requests.put(desk.memory, head, 0),
            None => Ok(()),
        }
    }
}

/// Has a buffer for an answer in `desk.answer`. False: there is none.
fn take_room<M: Shared>(desk: &mut Desk<'_, M>, budget: &mut Budget) -> Result<bool, Fault> {
    let Some(answers) = desk.answers.as_deref_mut() else { return Ok(false) };
    if !answers.take(desk.memory, desk.answer)? {
        return Ok(false);
    }
    budget.chain(desk.answer);
    let length = desk.answer.writable();
    if length < LENGTH { Err(Fault::Narrow { what: "an answer", length, least: LENGTH }) } else { Ok(true) }
}

/// Puts an answer into the buffer that was taken for it, and gives that back.
fn put_answer<M: Shared>(desk: &mut Desk<'_, M>, answer: [u64; 4]) -> Result<(), Fault> {
    let Some(answers) = desk.answers.as_deref_mut() else { return Ok(()) };
    desk.answer.writer().write(desk.memory, answer.map(u64::to_le_bytes).as_flattened())?;
    answers.put(desk.memory, desk.answer.head(), LENGTH)
}
