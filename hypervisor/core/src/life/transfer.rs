//! The pieces in which a VM is saved or restored.

use core::fmt;

use portcullis_abi::manage;
use portcullis_stream::images::{self, Receiver};
use portcullis_stream::{Error, Fault, Progress, Reader, Section, Writer};
use portcullis_virtio::{Cursor, Segment};

use super::receive::Receiving;
use super::refusal::Refusal;
use super::restore::Restoring;
use super::save::Saving;
use crate::cpu::physical_core::Core;
use crate::links::backplane::Ready;
use crate::machine::Machine;
use crate::machine::transfer::{Job, Kept, Transfer, Way};
use crate::memory::guest::GuestMemory;
use crate::vm::images::{Images, Target};
use crate::vm::loading::Contents;
use crate::vm::report::Occasion;
use crate::vm::state::LifecycleError;
use crate::vm::{Vcpu, Vm};

/// Most bytes of a piece.
pub const PIECE: u64 = 32 << 10;
/// What is done in a piece of a VM that is saved, in pages that are looked at: those of a whole buffer are copied then, and more
/// is looked at than is found in these.
const WORK: u64 = 19;
/// What is done in a piece of a VM that is restored, as [`Kind::work`](portcullis_stream::Kind::work) has it.
const SECTIONS: u32 = 8;

/// Instructions that a piece of what is done in front of a stream takes, about: a checksum of as many bytes.
const PREPARED: u32 = 8000;

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
    /// There is no room for the images.
    NoRoom,
    /// The images are not what was sent, or no images.
    Corrupt,
}

impl From<LifecycleError> for TransferError {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Busy => Self::Busy,
            LifecycleError::BadState | LifecycleError::NoImage => Self::BadState,
        }
    }
}

impl Machine {
    /// Begins to save `vm`, which is paused and whose manifest lets it.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub fn begin_save(&self, vm: &'static Vm, way: Way) -> Result<(), TransferError> {
        let mut transfer = self.idle()?;
        let _lock = vm.manager_lock().ok_or(TransferError::Busy)?;
        vm.life.save()?;
        transfer.writer = Writer::new();
        transfer.begin(Job::Save(vm.index), way);
        vm.report(Occasion::Repeatable, format_args!("{}: is being saved", vm.name()));
        Ok(())
    }

    /// Begins to restore a saved VM into `vm`, which was only created and whose manifest lets it.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub fn begin_restore(&self, vm: &'static Vm, way: Way) -> Result<(), TransferError> {
        let mut transfer = self.idle()?;
        let _lock = vm.manager_lock().ok_or(TransferError::Busy)?;
        let contents = vm.life.restore()?;
        let had_images = vm.images.as_ref().is_some_and(Images::lose_ram);
        transfer.reader = Reader::new();
        transfer.kept = Kept { zeros: contents == Contents::Zeros && !had_images, ..Kept::default() };
        transfer.begin(Job::Restore(vm.index), way);
        vm.begin_restore();
        Ok(())
    }

    /// Begins to load images into `vm`, which does not run and whose manifest has none. So many bytes are announced.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub fn begin_load(&self, vm: &'static Vm, way: Way, total: u64) -> Result<(), TransferError> {
        let mut transfer = self.idle()?;
        let images = vm.images.as_ref().ok_or(TransferError::BadState)?;
        let _lock = vm.manager_lock().ok_or(TransferError::Busy)?;
        let in_ram = !images.has_store();
        let contents = vm.life.receive(in_ram)?;
        // Whatever is in RAM, images there are not whole any more as soon as others come.
        let had_images = in_ram && images.lose_ram();
        let is_clean = match contents {
            // What the guest's former life has left it may find again, as after any restart.
            Contents::Life => true,
            Contents::Zeros => !had_images,
            Contents::Foreign => false,
        };
        let clear = if in_ram && !is_clean { vm.memory.size() } else { 0 };
        transfer.target = Target { clear, ..Target::default() };
        transfer.receiver = Receiver::new(total);
        transfer.begin(Job::Load(vm.index), way);
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
        let job = transfer.job_by(Way::Calls);
        if job == Job::None {
            return Err(TransferError::BadState);
        }
        let core = Core::current().ok_or(TransferError::BadState)?.index;
        let Some(mut buffer) = caller.vm.memory_on(core) else { return Err(TransferError::BadState) };
        let segment = Segment { address, length: length as u32 };
        let piece = &mut Piece { buffer: &mut buffer, at: Cursor::over(&segment), work: WORK, spent: 0 };
        let progress = self.step(&mut transfer, job, piece)?;
        Ok((length.saturating_sub(piece.at.left().into()), progress))
    }

    /// Does the next piece of what is being done, which has ended then if an error but [`TransferError::Busy`] says so.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub(super) fn step(
        &self,
        transfer: &mut Transfer,
        job: Job,
        piece: &mut Piece<'_>,
    ) -> Result<Progress, TransferError> {
        let left = piece.at.left();
        let vm = |vm: usize| self.vms.get(vm).ok_or(TransferError::BadState);
        let done = match job {
            Job::None => return Err(TransferError::BadState),
            Job::Save(number) => vm(number).and_then(|vm| save(transfer, vm, piece)),
            Job::Restore(number) => vm(number).and_then(|vm| restore(transfer, vm, piece)),
            Job::Load(number) => vm(number).and_then(|vm| receive(transfer, vm, piece)),
        };
        transfer.moved(left.saturating_sub(piece.at.left()).into());
        let status = match done {
            Ok(Progress::Done) => manage::SUCCESS,
            Err(TransferError::BadState) => manage::BAD_STATE,
            Err(TransferError::Refused) => manage::UNFIT,
            Err(TransferError::NoRoom) => manage::NO_ROOM,
            Err(TransferError::Corrupt) => manage::CORRUPT,
            Ok(Progress::More | Progress::Buffer) | Err(TransferError::Busy | TransferError::Buffer) => return done,
        };
        if done.is_err() {
            self.leave(job);
        }
        transfer.end(status);
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
        let job = transfer.job();
        self.give_up(&mut transfer, job);
        Ok(())
    }

    /// Gives up what is being done.
    pub(super) fn give_up(&self, transfer: &mut Transfer, job: Job) {
        if job != Job::None {
            self.leave(job);
            transfer.end(manage::CLOSED);
        }
    }

    /// Has the VM of a job that is not done to its end be what it was before it, as far as that is still there.
    fn leave(&self, job: Job) {
        let vm = |vm: usize| self.vms.get(vm).into_iter();
        match job {
            Job::None => {}
            Job::Save(number) => vm(number).for_each(|vm| vm.life.saved(false)),
            Job::Restore(number) => vm(number).for_each(Vm::give_up_restore),
            Job::Load(number) => vm(number).for_each(|vm| vm.life.received(false)),
        }
    }

    /// The place of the transfer, when there is none.
    fn idle(&self) -> Result<spin::MutexGuard<'_, alloc::boxed::Box<Transfer>>, TransferError> {
        self.transfers.take().filter(|transfer| transfer.job() == Job::None).ok_or(TransferError::Busy)
    }
}

/// The buffer of a piece, on the core on which this runs.
pub struct Piece<'a> {
    /// The memory of the VM that has it.
    pub(super) buffer: &'a mut GuestMemory,
    /// What is left of it.
    pub(super) at: Cursor<'a>,
    /// What is done of a VM that is saved, in pages that are looked at.
    pub(super) work: u64,
    /// Instructions that it took besides copies, about.
    pub(super) spent: u32,
}

/// Works out the next piece of what is to be known in front of the stream of the VM, which is saved, or restored.
fn prepare(vm: &Vm, saves: bool) -> Ready {
    match &vm.flash {
        Some(flash) if !flash.sum_up(PIECE as usize) => Ready::Later,
        _ => vm.links.map_or(Ready::Yes, |links| links.prepare(saves, PIECE as usize)),
    }
}

/// Saves the next piece of the VM.
fn save(transfer: &mut Transfer, vm: &Vm, piece: &mut Piece<'_>) -> Result<Progress, TransferError> {
    let lock = vm.manager_lock().ok_or(TransferError::Busy)?;
    // It may have ended since the last piece, as the machine ends perhaps.
    let _still = vm.life.keep_still().ok_or(TransferError::BadState)?;
    let Some(memory) = &mut vm.memory_on(piece.buffer.core()) else { return Err(TransferError::BadState) };
    if transfer.writer.bytes() == 0 {
        match prepare(vm, true) {
            Ready::Yes => {}
            Ready::Later => {
                piece.spent = piece.spent.saturating_add(PREPARED);
                return Ok(Progress::More);
            }
            Ready::No(reason) => {
                say(transfer, vm, "not saved", &Refusal::from(reason));
                return Err(TransferError::Refused);
            }
        }
    }
    let Piece { buffer, at, work, spent } = piece;
    let mut saving = Saving { lock: &lock, memory, buffer, at: *at, spent: 0 };
    let progress = transfer.writer.fill(&mut saving, *work);
    (*at, *spent) = (saving.at, saving.spent);
    let progress = progress.map_err(|refusal| {
        say(transfer, vm, "not saved", &refusal);
        TransferError::Refused
    })?;
    if progress == Progress::Done {
        vm.life.saved(true);
        let bytes = transfer.writer.bytes();
        vm.report(Occasion::Repeatable, format_args!("{}: saved, {bytes} bytes", vm.name()));
    }
    Ok(progress)
}

/// Restores the next piece of the VM.
fn restore(transfer: &mut Transfer, vm: &'static Vm, piece: &mut Piece<'_>) -> Result<Progress, TransferError> {
    let mut lock = vm.manager_lock().ok_or(TransferError::Busy)?;
    let Some(memory) = &mut vm.memory_on(piece.buffer.core()) else { return Err(TransferError::BadState) };
    let Transfer { reader, kept, .. } = transfer;
    if reader.bytes() == 0 && prepare(vm, false) != Ready::Yes {
        piece.spent = piece.spent.saturating_add(PREPARED);
        return Ok(Progress::More);
    }
    let mut restoring = Restoring { vm, kept, memory, buffer: piece.buffer, at: piece.at, cleared: 0 };
    let progress = reader.push(&mut restoring, SECTIONS);
    piece.at = restoring.at;
    let progress = progress.and_then(|progress| {
        if progress == Progress::Done {
            vm.complete_restore(&mut lock, &transfer.kept)
                .map_err(|refusal| Fault::Other(refusal).of(Some(Section::END)))?;
        }
        Ok(progress)
    });
    progress.map_err(|error| {
        say::<Error<Refusal>>(transfer, vm, "not restored", &error);
        TransferError::Refused
    })
}

/// Takes the next piece of the VM's images.
fn receive(transfer: &mut Transfer, vm: &Vm, piece: &mut Piece<'_>) -> Result<Progress, TransferError> {
    let images = vm.images.as_ref().ok_or(TransferError::BadState)?;
    let core = piece.buffer.core();
    let memory = if images.has_store() {
        images.store_on(core)
    } else if vm.aliases.are_gone() {
        vm.memory_on(core)
    } else {
        // Others have it mapped yet.
        return Err(TransferError::Busy);
    };
    let mut memory = memory.ok_or(TransferError::BadState)?;
    let Transfer { receiver, target, .. } = transfer;
    let left = target.clear.saturating_sub(target.cleared).min(PIECE);
    if left != 0 {
        let cleared = memory.clear(vm.ram.saturating_add(target.cleared), left as usize);
        cleared.map_err(|_| TransferError::BadState)?;
        target.cleared = target.cleared.saturating_add(left);
        return Ok(Progress::More);
    }
    let mut receiving = Receiving { vm, images, target, memory, buffer: piece.buffer, at: piece.at };
    let progress = receiver.push(&mut receiving);
    piece.at = receiving.at;
    match progress {
        Ok(Progress::Done) => {
            let kept = target.kept.take().ok_or(TransferError::BadState)?;
            let bytes = kept.kernel.saturating_add(kept.initrd);
            *images.kept() = Some(kept);
            vm.life.received(!images.has_store());
            vm.report(Occasion::Repeatable, format_args!("{}: has an image, {bytes} bytes", vm.name()));
            Ok(Progress::Done)
        }
        Ok(progress) => Ok(progress),
        Err(fault) => {
            say(transfer, vm, "not loaded", &fault);
            match fault {
                images::Fault::Other(error) if error.is_room() => Err(TransferError::NoRoom),
                _ => Err(TransferError::Corrupt),
            }
        }
    }
}

/// Says why it is not done, and keeps it for who asks.
fn say<E: fmt::Display>(transfer: &mut Transfer, vm: &Vm, what: &str, error: &E) {
    transfer.why.set(error);
    vm.report(Occasion::End, format_args!("{}: {what}: {error}", vm.name()));
}
