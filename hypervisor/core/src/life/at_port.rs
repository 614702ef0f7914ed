//! The transfer by the port of data: its pieces, straight at the buffers of the program that has the port open.

use super::save::LOOK;
use super::transfer::{Piece, TransferError};
use crate::links::data::{Buffer, Bulk, Moved};
use crate::machine::Machine;
use crate::machine::transfer::{Job, Way};

/// The machine's transfer, if it goes by the port.
pub struct AtPort;

const NOTHING: Moved = Moved { bytes: 0, more: false };
/// There is something, but not in this piece of work.
const LATER: Moved = Moved { bytes: 0, more: true };

/// What is being done by the port.
fn job() -> Job {
    let transfer = Machine::get().transfers.wait();
    transfer.map_or(Job::None, |transfer| transfer.job_by(Way::Port))
}

/// Does the next piece in the buffer.
fn step(buffer: &mut Buffer<'_, '_>, wanted: impl Fn(Job) -> bool) -> Moved {
    let machine = Machine::get();
    let Some(mut transfer) = machine.transfers.wait() else { return NOTHING };
    let job = transfer.job_by(Way::Port);
    if !wanted(job) {
        return NOTHING;
    }
    let Buffer { at, memory, budget, .. } = buffer;
    let mut room = **at;
    room.truncate(budget.bytes());
    let before = room.left();
    let work = (budget.instructions() / LOOK).max(1);
    let mut piece = Piece { buffer: memory, at: room, work: work.into(), spent: 0 };
    let done = machine.step(&mut transfer, job, &mut piece);
    let bytes = before.saturating_sub(piece.at.left());
    let spent = piece.spent;
    budget.copied(bytes);
    budget.spend(spent);
    match done {
        Ok(_) => Moved { bytes, more: true },
        Err(TransferError::Busy) => LATER,
        Err(_) => NOTHING,
    }
}

impl Bulk for AtPort {
    fn gives(&self) -> bool {
        matches!(job(), Job::Save(_))
    }

    fn fill(&self, buffer: &mut Buffer<'_, '_>) -> Moved {
        step(buffer, |job| matches!(job, Job::Save(_)))
    }

    fn drain(&self, buffer: &mut Buffer<'_, '_>) -> Moved {
        if !matches!(job(), Job::Restore(_)) {
            // Nobody waits for it.
            return Moved { bytes: buffer.at.left(), more: true };
        }
        if !buffer.budget.is_fresh() {
            // What is in it may take as long as a piece of work.
            return LATER;
        }
        match step(buffer, |job| matches!(job, Job::Restore(_))) {
            // The rest of what was refused goes with it.
            NOTHING => Moved { bytes: buffer.at.left(), more: true },
            moved => moved,
        }
    }

    fn closed(&self) {
        let machine = Machine::get();
        if let Some(mut transfer) = machine.transfers.wait() {
            let job = transfer.job_by(Way::Port);
            machine.give_up(&mut transfer, job);
        }
    }
}
