//! The transports of a VM, where QEMU's virt has them: some with a device, the others without.

use alloc::boxed::Box;

use portcullis_abi::map::{VIRTIO_SIZE, VIRTIO_SLOTS};
use portcullis_abi::state::{LinkNeeds, Unfit};
use portcullis_devices::Unused;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::devices::emulated::Emulated;
use crate::devices::owner::Owner;
use crate::memory::guest::GuestMemory;

/// Why a device is not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSaved {
    /// It does not stand still yet.
    Moves,
    /// A server has requests of the disk with this name, and has not answered.
    Waits(&'static str),
    /// Its state has another length.
    Length,
}

/// Whether a device can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It can.
    Yes,
    /// There is more to be done first.
    Later,
    /// It cannot.
    No(NotSaved),
}

/// Writes a state where it is to be.
///
/// # Errors
///
/// [`NotSaved::Length`].
pub(super) fn put(state: &(impl IntoBytes + Immutable), body: &mut [u8]) -> Result<(), NotSaved> {
    state.write_to(body).map_err(|_| NotSaved::Length)
}

/// Reads a state.
///
/// # Errors
///
/// [`Unfit`].
pub(super) fn of<T: FromBytes>(body: &[u8]) -> Result<T, Unfit> {
    T::read_from_bytes(body).map_err(|_| Unfit::Value("the length of a state"))
}

/// A device in a transport.
pub trait Linked: Emulated {
    /// Goes on with what is left to do for the VM, which `owner` is, on the core on which this runs. No more than a piece or two.
    fn work(&self, owner: &dyn Owner);

    /// Returns when no core copies for the VM any more, which does not run: none does so again before it runs.
    fn rest(&self);

    /// The VM goes on after it stood still: notes that there may be work, for which the VM is called then.
    fn resume(&self);

    /// Returns what the VM needs of it where it goes.
    fn needs(&self) -> LinkNeeds;

    /// The VM stands still and is to be saved, or was created and is to be restored: does a piece of what is to be done in front
    /// of that, with `most` bytes at the most. To be called until it is ready.
    fn prepare(&self, _saves: bool, _most: usize) -> Ready {
        Ready::Yes
    }

    /// Writes the state of the device to `body`, which is as long; the VM stands still.
    ///
    /// # Errors
    ///
    /// [`NotSaved`].
    fn save(&self, body: &mut [u8]) -> Result<(), NotSaved>;

    /// Takes on a state, of a VM that does not run; `memory` is its RAM, which may be restored later.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the device is to be reset then.
    fn restore(&self, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit>;

    /// What it holds that goes with the VM, as the core on which this runs reaches it, and how many bytes in whole pages.
    fn contents(&self) -> Option<(GuestMemory, u64)> {
        None
    }

    /// The VM is loaded: forgets a piece of what was restored in vain, `most` bytes at the most. Returns whether there may be more.
    fn load(&self, _most: u64) -> bool {
        false
    }

    /// Returns the name of a port of a console.
    fn port_name(&self, _number: usize) -> Option<&str> {
        None
    }

    /// [`save`](Self::save) of a port of a console.
    ///
    /// # Errors
    ///
    /// [`NotSaved`]; there is no such port.
    fn save_port(&self, _number: usize, _body: &mut [u8]) -> Result<(), NotSaved> {
        Err(NotSaved::Length)
    }

    /// [`restore`](Self::restore) of a port of a console.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; there is no such port.
    fn restore_port(&self, _number: usize, _memory: &GuestMemory, _body: &[u8]) -> Result<(), Unfit> {
        Err(Unfit::Absent("a port"))
    }

    /// The VM is made anew: forgets a piece of what it keeps of its former lives, `most` bytes at the most. Returns whether
    /// there may be more of it.
    fn scrub(&self, _most: u64) -> bool {
        false
    }
}

/// The transports of a VM, by slot.
pub struct Backplane([Option<Box<dyn Linked>>; VIRTIO_SLOTS]);

impl Backplane {
    /// Transports without a device.
    pub const fn new() -> Self {
        Self([const { None }; VIRTIO_SLOTS])
    }

    /// Puts a device into a slot.
    pub fn add(&mut self, slot: usize, device: Box<dyn Linked>) {
        if let Some(place) = self.0.get_mut(slot) {
            *place = Some(device);
        }
    }

    /// Whether there is no device.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The slots that have a device, in their order.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter_map(|(slot, device)| device.as_ref().map(|_| slot))
    }

    fn devices(&self) -> impl Iterator<Item = &dyn Linked> {
        self.0.iter().flatten().map(|device| &**device)
    }

    /// The device in a slot.
    pub fn device(&self, slot: usize) -> Option<&dyn Linked> {
        self.0.get(slot)?.as_deref()
    }

    /// The console, if it is one of them.
    pub fn console(&self) -> Option<&dyn Linked> {
        self.devices().find(|device| device.needs().device == LinkNeeds::CONSOLE)
    }

    /// Prepares each device; see [`Linked::prepare`].
    pub fn prepare(&self, saves: bool, most: usize) -> Ready {
        let mut prepared = self.devices().map(|device| device.prepare(saves, most));
        prepared.find(|ready| *ready != Ready::Yes).unwrap_or(Ready::Yes)
    }

    /// The VM is loaded; see [`Linked::load`].
    pub fn load(&self, most: u64) -> bool {
        self.devices().any(|device| device.load(most))
    }

    /// Has each device go on with what is left to do for the VM; see [`Linked::work`].
    pub fn work(&self, owner: &dyn Owner) {
        self.devices().for_each(|device| device.work(owner));
    }

    /// Returns when no core copies for the VM any more; see [`Linked::rest`].
    pub fn rest(&self) {
        self.devices().for_each(Linked::rest);
    }

    /// The VM goes on; see [`Linked::resume`].
    pub fn resume(&self) {
        self.devices().for_each(Linked::resume);
    }

    /// The VM is made anew; see [`Linked::scrub`].
    pub fn scrub(&self, most: u64) -> bool {
        self.devices().any(|device| device.scrub(most))
    }

    /// The device at an offset into the transports, and the offset into its own.
    #[inline]
    pub fn at(&self, offset: u64) -> Option<(&dyn Linked, u64)> {
        let device = self.0.get((offset / VIRTIO_SIZE) as usize)?.as_deref()?;
        Some((device, offset % VIRTIO_SIZE))
    }
}

impl Default for Backplane {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulated for &'static Backplane {
    fn begin(&self, owner: &dyn Owner) {
        self.devices().for_each(|device| device.begin(owner));
    }

    fn read(&self, owner: &dyn Owner, offset: u64, size: u8) -> u64 {
        match self.at(offset) {
            Some((device, offset)) => device.read(owner, offset, size),
            None => Unused::Transports.read(offset),
        }
    }

    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        if let Some((device, offset)) = self.at(offset) {
            device.write(owner, offset, size, value);
        }
    }

    fn look(&self, owner: &dyn Owner, core: usize) -> Option<u64> {
        self.devices().filter_map(|device| device.look(owner, core)).min()
    }

    fn reset(&self, owner: &dyn Owner) {
        self.devices().for_each(|device| device.reset(owner));
    }

    fn renew(&self) {
        self.devices().for_each(Emulated::renew);
    }
}
