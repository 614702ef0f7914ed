//! The registers of a device with its interrupt line and what its driver is shown, behind one lock, which nobody has during a copy.

use core::fmt::Display;

use portcullis_abi::map;
use portcullis_devices::Line;
use portcullis_virtio::mmio::{Effect, Transport};
use portcullis_virtio::{Fault, Queue};
use spin::mutex::TicketMutex;

use super::peer::Peer;
use crate::devices::owner::{Owner, drive};

/// What a device shows its driver besides the registers that all have.
pub trait Front: Send {
    /// The device's configuration, as bytes.
    type Config: AsRef<[u8]>;

    /// Returns the configuration as it is now.
    fn config(&self) -> Self::Config;
}

/// See the module. Fair: a VM's vCPUs and whoever does its work come to it.
pub struct Registers<F, const QUEUES: usize>(TicketMutex<State<F, QUEUES>>);

struct State<F, const QUEUES: usize> {
    transport: Transport<QUEUES>,
    line: Line,
    signals: Signals,
    front: F,
}

/// How often a driver and its device told each other something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Notifications of the driver's that the device looked at.
    pub notifications: u64,
    /// Edges of the interrupt line.
    pub interrupts: u64,
}

impl<F: Front, const QUEUES: usize> Registers<F, QUEUES> {
    /// The registers of a device in transport `slot`.
    pub fn new(transport: Transport<QUEUES>, slot: usize, front: F) -> Self {
        let line = Line::new(map::VIRTIO_INTID.saturating_add(slot as u32));
        Self(TicketMutex::new(State { transport, line, signals: Signals::default(), front }))
    }

    /// Reads `size` bytes at `offset`.
    pub fn read(&self, offset: u64, size: u8) -> u64 {
        let state = self.0.lock();
        state.transport.read(offset, size, state.front.config().as_ref())
    }

    /// Writes `value`, which is `size` bytes long, at `offset`. Returns what is left to do: what is not the interrupt line's.
    pub fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) -> Effect {
        let mut state = self.0.lock();
        let effect = state.transport.write(offset, size, value);
        match effect {
            Effect::Raise => drive(owner, &mut state.line, false),
            Effect::Notify(_) => state.signals.notifications = state.signals.notifications.wrapping_add(1),
            _ => {}
        }
        state.settle(owner);
        if effect == Effect::Raise { Effect::None } else { effect }
    }

    /// Does something with the registers, and has the line be as they are then.
    pub fn with<R>(&self, owner: &dyn Owner, work: impl FnOnce(&mut Transport<QUEUES>, &mut F) -> R) -> R {
        let mut state = self.0.lock();
        let State { transport, front, .. } = &mut *state;
        let result = work(transport, front);
        state.settle(owner);
        result
    }

    /// Does something with what the driver is shown, which changes nothing of the registers.
    pub fn look<R>(&self, work: impl FnOnce(&mut F) -> R) -> R {
        work(&mut self.0.lock().front)
    }

    /// The queue with this number as its driver has set it up, in the memory of `peer`, and the features that it accepted;
    /// none: it does not use it.
    ///
    /// # Errors
    ///
    /// [`Fault`]: it cannot be worked at.
    pub fn queue(&self, peer: &dyn Peer, number: u16) -> Result<Option<Queue>, Fault> {
        let (layout, features) = {
            let state = self.0.lock();
            (state.transport.layout(number), state.transport.features())
        };
        let Some((layout, memory)) = layout.zip(peer.memory()) else { return Ok(None) };
        Queue::new(layout, features, &memory).map(Some)
    }

    /// How often driver and device told each other something, since the VM was created.
    pub fn signals(&self) -> Signals {
        self.0.lock().signals
    }

    /// The number of its interrupt.
    pub fn intid(&self) -> u32 {
        self.0.lock().line.intid()
    }

    /// The VM is a new one: counts anew.
    pub fn renew(&self) {
        self.0.lock().signals = Signals::default();
    }

    /// Returns when nobody is at the registers who was there before.
    pub fn rest(&self) {
        drop(self.0.lock());
    }

    /// Takes note that chains were given back to a driver that wants to be interrupted.
    pub fn interrupt(&self, owner: &dyn Owner) {
        self.with(owner, |transport, _| transport.used());
    }

    /// The device cannot go on: its driver went against the specification. Says so, once.
    pub fn fail(&self, peer: &dyn Peer, owner: &dyn Owner, device: &dyn Display, queue: &str, fault: Fault) {
        if self.with(owner, |transport, _| transport.fail()) {
            report(peer, device, queue, fault);
        }
    }
}

impl<F, const QUEUES: usize> State<F, QUEUES> {
    fn settle(&mut self, owner: &dyn Owner) {
        if let Some(level) = self.line.set(self.transport.level()) {
            self.signals.interrupts = self.signals.interrupts.wrapping_add(u64::from(level));
            owner.set_level(self.line.intid(), level);
        }
    }
}

/// Says of a VM's device that it needs a reset, and why.
#[cold]
pub fn report(peer: &dyn Peer, device: &dyn Display, queue: &str, fault: Fault) {
    peer.report(format_args!("{}: {device}: {queue}: {fault}; the driver has to reset the device", peer.name()));
}
