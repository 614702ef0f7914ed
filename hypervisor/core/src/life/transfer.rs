//! The pieces in which a VM is saved or restored.

use core::fmt;

use portcullis_stream::{Error, Fault, Progress, Reader, Section, Writer};

use super::refusal::Refusal;
use super::restore::Restoring;
use super::save::Saving;
use crate::cpu::physical_core::Core;
use crate::links::backplane::Ready;
use crate::machine::Machine;
use crate::machine::transfer::{Job, Kept, Transfer};
use crate::vm::report::Occasion;
use crate::vm::state::LifecycleError;
use crate::vm::{Vcpu, Vm};

/// Most bytes of a piece.
pub const PIECE: u64 = 32 << 10;
/// What is done in a piece of a VM that is saved, in pages that are looked at: those of a whole buffer are copied then, and more
/// is looked at than is found in these.
const WORK: u64 = 22;
/// What is done in a piece of a VM that is restored, as [`Kind::work`](portcullis_stream::Kind::work) has it.
const SECTIONS: u32 = 8;

/// Why a piece is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// Something else is in progress.
    Busy,
    /// The VM is in no state for it any more, or there is nothing to go on with.
    BadState,
    /// The buffer is not in the caller's RAM, or too long.
    Buffer,
    /// The VM cannot be saved, or the stream is refused. The log says why.
    Refused,
}

impl From<LifecycleError> for TransferError {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Busy => Self::Busy,
            LifecycleError::BadState => Self::BadState,
        }
    }
}

impl Machine {
    /// Begins to save `vm`, which is paused and whose manifest lets it.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub fn begin_save(&self, vm: &'static Vm) -> Result<(), TransferError> {
        let mut transfer = self.idle()?;
        let _lock = vm.manager_lock().ok_or(TransferError::Busy)?;
        vm.life.save()?;
        transfer.writer = Writer::new();
        transfer.job = Job::Save(vm.index);
        vm.report(Occasion::Repeatable, format_args!("{}: is being saved", vm.name()));
        Ok(())
    }

    /// Begins to restore a saved VM into `vm`, which was only created and whose manifest lets it.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub fn begin_restore(&self, vm: &'static Vm) -> Result<(), TransferError> {
        let mut transfer = self.idle()?;
        let _lock = vm.manager_lock().ok_or(TransferError::Busy)?;
        let contents = vm.life.restore()?;
        transfer.reader = Reader::new();
        transfer.kept = Kept { zeros: contents == crate::vm::loading::Contents::Zeros, ..Kept::default() };
        transfer.job = Job::Restore(vm.index);
        vm.begin_restore();
        Ok(())
    }

    /// Does the next piece, with the buffer of `length` bytes at `address` of the caller's RAM: fills it when a VM is saved,
    /// takes what is in it when one is restored. Returns how many bytes that were, and how it stands.
    ///
    /// # Errors
    ///
    /// [`TransferError`]; but for a wrong buffer, and when it is busy, the transfer has ended then.
    pub fn transfer(&self, caller: &Vcpu, address: u64, length: u64) -> Result<(u64, Progress), TransferError> {
        if length > PIECE || length == 0 || !caller.vm.is_ram(address, length) {
            return Err(TransferError::Buffer);
        }
        if !self.transfers.exist() {
            return Err(TransferError::BadState);
        }
        let mut transfer = self.transfers.take().ok_or(TransferError::Busy)?;
        let core = Core::current().ok_or(TransferError::BadState)?.index;
        let piece = Piece { caller, core, address, length };
        let done = match transfer.job {
            Job::None => Err(TransferError::BadState),
            Job::Save(vm) => {
                self.vms.get(vm).map_or(Err(TransferError::BadState), |vm| save(&mut transfer, vm, &piece))
            }
            Job::Restore(vm) => {
                self.vms.get(vm).map_or(Err(TransferError::BadState), |vm| restore(&mut transfer, vm, &piece))
            }
        };
        match done {
            Ok((_, Progress::Done)) | Err(TransferError::BadState | TransferError::Refused) => transfer.job = Job::None,
            _ => {}
        }
        done
    }

    /// Ends what is being done, if anything is: a VM that is saved stays paused, one that is restored is created again.
    ///
    /// # Errors
    ///
    /// [`TransferError::Busy`].
    pub fn end_transfer(&self) -> Result<(), TransferError> {
        if !self.transfers.exist() {
            return Ok(());
        }
        let mut transfer = self.transfers.take().ok_or(TransferError::Busy)?;
        match transfer.job {
            Job::None => {}
            Job::Save(vm) => self.vms.get(vm).into_iter().for_each(|vm| vm.life.saved()),
            Job::Restore(vm) => self.vms.get(vm).into_iter().for_each(Vm::give_up_restore),
        }
        transfer.job = Job::None;
        Ok(())
    }

    /// The place of the transfer, when there is none.
    fn idle(&self) -> Result<spin::MutexGuard<'_, alloc::boxed::Box<Transfer>>, TransferError> {
        self.transfers.take().filter(|transfer| transfer.job == Job::None).ok_or(TransferError::Busy)
    }
}

/// The buffer of a piece, and where it is used.
struct Piece<'a> {
    /// Whose RAM it is.
    caller: &'a Vcpu,
    /// The core on which this runs.
    core: usize,
    address: u64,
    length: u64,
}

/// Saves the next piece of the VM.
fn save(transfer: &mut Transfer, vm: &Vm, piece: &Piece) -> Result<(u64, Progress), TransferError> {
    let lock = vm.manager_lock().ok_or(TransferError::Busy)?;
    // It may have ended since the last piece, as the machine ends perhaps.
    let _still = vm.life.keep_still().ok_or(TransferError::BadState)?;
    let memories = vm.memory_on(piece.core).zip(piece.caller.vm.memory_on(piece.core));
    let (memory, buffer) = memories.ok_or(TransferError::BadState)?;
    if transfer.writer.bytes() == 0 {
        match vm.links.map_or(Ready::Yes, |links| links.prepare(true, PIECE as usize)) {
            Ready::Yes => {}
            Ready::Later => return Ok((0, Progress::More)),
            Ready::No(reason) => {
                say(vm, "not saved", &Refusal::from(reason));
                vm.life.saved();
                return Err(TransferError::Refused);
            }
        }
    }
    let mut saving = Saving { lock: &lock, memory, buffer, at: piece.address, room: piece.length as usize };
    let progress = transfer.writer.fill(&mut saving, WORK);
    let written = piece.length.saturating_sub(saving.room as u64);
    let progress = progress.map_err(|refusal| {
        say(vm, "not saved", &refusal);
        vm.life.saved();
        TransferError::Refused
    })?;
    if progress == Progress::Done {
        vm.life.saved();
        let bytes = transfer.writer.bytes();
        vm.report(Occasion::Repeatable, format_args!("{}: saved, {bytes} bytes", vm.name()));
    }
    Ok((written, progress))
}

/// Restores the next piece of the VM.
fn restore(transfer: &mut Transfer, vm: &'static Vm, piece: &Piece) -> Result<(u64, Progress), TransferError> {
    let mut lock = vm.manager_lock().ok_or(TransferError::Busy)?;
    let memories = vm.memory_on(piece.core).zip(piece.caller.vm.memory_on(piece.core));
    let (memory, buffer) = memories.ok_or(TransferError::BadState)?;
    let Transfer { reader, kept, .. } = transfer;
    if reader.bytes() == 0 && vm.links.is_some_and(|links| links.prepare(false, PIECE as usize) != Ready::Yes) {
        return Ok((0, Progress::More));
    }
    let (at, left) = (piece.address, piece.length as usize);
    let mut restoring = Restoring { vm, kept, memory, buffer, at, left, cleared: 0 };
    let progress = reader.push(&mut restoring, SECTIONS);
    let taken = piece.length.saturating_sub(restoring.left as u64);
    let progress = progress.and_then(|progress| {
        if progress == Progress::Done {
            vm.complete_restore(&mut lock, &transfer.kept)
                .map_err(|refusal| Fault::Other(refusal).of(Some(Section::END)))?;
        }
        Ok(progress)
    });
    match progress {
        Ok(progress) => Ok((taken, progress)),
        Err(error) => {
            say::<Error<Refusal>>(vm, "not restored", &error);
            vm.give_up_restore();
            Err(TransferError::Refused)
        }
    }
}

/// Says why it is not done.
fn say<E: fmt::Display>(vm: &Vm, what: &str, error: &E) {
    vm.report(Occasion::End, format_args!("{}: {what}: {error}", vm.name()));
}
