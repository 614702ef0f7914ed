//! A disk that EL2 has in memory.

use portcullis_virtio::{Budget, Chain, Fault, Queue, Shared};

use super::answer::give_back;
use super::geometry::Geometry;
use super::medium::Medium;
use super::request::{self, Action, HEADER, Judged, Request, Status};

/// Whether a piece of work has left something over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is no request that is known of any more.
    Idle,
    /// The budget is spent, and there may be more to do.
    More,
}

/// A local disk at work. A request that takes more than one piece of work is gone on with; its chain stays as it was judged.
#[derive(Debug)]
pub struct Local {
    disk: Geometry,
    chain: Chain,
    /// The request in [`chain`](Self::chain), and how many bytes of it are done.
    current: Option<(Request, u32)>,
    /// Chains that a restored queue has as taken are to be taken up again.
    resuming: bool,
    /// Bytes that were read and written, and nobody has asked for.
    moved: u64,
}

impl Local {
    /// A disk with no request.
    pub const fn new(disk: Geometry) -> Self {
        Self { disk, chain: Chain::new(), current: None, resuming: false, moved: 0 }
    }

    /// What the disk is.
    pub const fn geometry(&self) -> &Geometry {
        &self.disk
    }

    /// Bytes that were read and written since this was asked last.
    pub const fn take_moved(&mut self) -> u64 {
        core::mem::replace(&mut self.moved, 0)
    }

    /// The disk's driver begins anew, or the disk is saved: a request that is half done is forgotten. What a queue was restored
    /// from still has it, and it is done again from its beginning: [`resume`](Self::resume).
    pub const fn reset(&mut self) {
        (self.current, self.resuming) = (None, false);
    }

    /// The queue was restored: whatever it has as taken is taken up again, before anything else.
    pub const fn resume(&mut self) {
        self.resuming = true;
    }

    /// Does requests, as far as the budget goes. The driver sees what is done when the queue is published.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the disk's driver.
    pub fn work<M: Shared>(
        &mut self,
        queue: &mut Queue,
        memory: &mut M,
        medium: &mut impl Medium<M>,
        budget: &mut Budget,
    ) -> Result<Progress, Fault> {
        if self.current.is_some() {
            budget.chain(&self.chain);
        }
        loop {
            if budget.is_spent() {
                // A piece that was enough for all that there was has no other one behind it that finds nothing.
                let more = self.current.is_some() || self.resuming || queue.is_known();
                return Ok(if more { Progress::More } else { Progress::Idle });
            }
            if let Some((request, done)) = self.current {
                self.go_on(queue, memory, medium, budget, request, done)?;
            } else if self.next(queue, memory)? {
                budget.chain(&self.chain);
                self.begin(queue, memory)?;
            } else {
                return Ok(Progress::Idle);
            }
        }
    }

    /// Has the next request in the chain. False: there is none.
    fn next<M: Shared>(&mut self, queue: &mut Queue, memory: &mut M) -> Result<bool, Fault> {
        if self.resuming {
            // None is under way, so that what the queue has was taken before.
            let head = queue.taken().next();
            if let Some(head) = head {
                queue.again(memory, head, &mut self.chain)?;
                return Ok(true);
            }
            self.resuming = false;
        }
        queue.take(memory, &mut self.chain)
    }

    /// Judges the request in the chain. What needs no medium is over by that.
    fn begin<M: Shared>(&mut self, queue: &mut Queue, memory: &mut M) -> Result<(), Fault> {
        match request::read(&self.disk, memory, &self.chain)? {
            // What was written is in the medium, and what is discarded may stay there.
            Judged::Do(Request { action: Action::Flush | Action::Discard, .. }) => {
                give_back(queue, memory, &self.chain, 0, Status::Ok)
            }
            Judged::Do(request) => {
                self.current = Some((request, 0));
                Ok(())
            }
            Judged::Name => {
                let written = self.chain.writer().write(memory, &self.disk.name)?;
                give_back(queue, memory, &self.chain, written as u32, Status::Ok)
            }
            Judged::Over(status) => give_back(queue, memory, &self.chain, 0, status),
        }
    }

    /// Does as much of a request as there is a budget for.
    fn go_on<M: Shared>(
        &mut self,
        queue: &mut Queue,
        memory: &mut M,
        medium: &mut impl Medium<M>,
        budget: &mut Budget,
        request: Request,
        done: u32,
    ) -> Result<(), Fault> {
        let Request { action, offset, length } = request;
        let mut cursor = match action {
            Action::Write => {
                let mut reader = self.chain.reader();
                reader.skip(HEADER);
                reader
            }
            _ => self.chain.writer(),
        };
        let data = matches!(action, Action::Read | Action::Write);
        if data {
            cursor.skip(done);
        }
        let most = length.saturating_sub(done).min(budget.bytes());
        let at = offset.wrapping_add(u64::from(done));
        let good = match action {
            Action::Read => medium.read(at, memory, &mut cursor, most),
            Action::Write => medium.write(at, memory, &mut cursor, most),
            _ => medium.clear(at, most),
        };
        budget.copied(most);
        if data && good {
            self.moved = self.moved.wrapping_add(u64::from(most));
        }
        let done = done.saturating_add(most);
        if good && done < length {
            self.current = Some((request, done));
            return Ok(());
        }
        self.current = None;
        let written = if good && action == Action::Read { length } else { 0 };
        give_back(queue, memory, &self.chain, written, if good { Status::Ok } else { Status::Error })
    }
}
