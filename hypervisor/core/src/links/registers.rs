//! The registers of a device with its interrupt line and what its driver is shown, behind one lock, which nobody has during a copy.

use core::convert::Infallible;
use core::fmt::Display;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use portcullis_abi::map;
use portcullis_abi::state::{Unfit, VirtioSetup, VirtioTransport, Virtqueue};
use portcullis_devices::Line;
use portcullis_virtio::mmio::registers::{INTERRUPT_ACK, INTERRUPT_STATUS, QUEUE_NOTIFY};
use portcullis_virtio::mmio::{Effect, Transport};
use portcullis_virtio::{Fault, Queue};
use spin::mutex::TicketMutex;

use super::peer::Peer;
use crate::devices::owner::{Owner, drive};
use crate::memory::guest::GuestMemory;

/// What a device shows its driver besides the registers that all have.
pub trait Front: Send {
    /// The device's configuration, as bytes.
    type Config: AsRef<[u8]>;

    /// Returns the configuration as it is now.
    fn config(&self) -> Self::Config;
}

/// See the module. Fair: a VM's vCPUs and whoever does its work come to it.
pub struct Registers<F, const QUEUES: usize> {
    state: TicketMutex<State<F, QUEUES>>,
    shown: Shown,
}

/// What drivers use all the time, and takes no lock. It is written under the lock.
#[derive(Debug, Default)]
struct Shown {
    /// InterruptStatus.
    interrupt: AtomicU32,
    /// Queues that may be notified, a bit each; those of higher numbers take the lock.
    queues: AtomicU64,
    /// Notifications of these, which everybody counts.
    notifications: AtomicU64,
}

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
        let state = TicketMutex::new(State { transport, line, signals: Signals::default(), front });
        Self { state, shown: Shown::default() }
    }

    /// Reads `size` bytes at `offset`.
    #[inline]
    pub fn read(&self, offset: u64, size: u8) -> u64 {
        if offset == INTERRUPT_STATUS && size == 4 {
            return self.shown.interrupt.load(Ordering::Acquire).into();
        }
        self.read_any(offset, size)
    }

    #[inline(never)]
    fn read_any(&self, offset: u64, size: u8) -> u64 {
        let state = self.state.lock();
        state.transport.read(offset, size, state.front.config().as_ref())
    }

    /// The queue that is notified by what [`write`](Self::write) is given, which is not to be called then. None: it is another
    /// register, or a queue that is not looked at.
    #[inline(always)]
    pub fn notified(&self, offset: u64, size: u8, value: u64) -> Option<u16> {
        if offset != QUEUE_NOTIFY || size != 4 {
            return None;
        }
        let queues = self.shown.queues.load(Ordering::Acquire).checked_shr(value as u32)?;
        if queues & 1 == 0 {
            return None;
        }
        self.shown.notifications.fetch_add(1, Ordering::Relaxed);
        Some(value as u16)
    }

    /// Writes `value`, which is `size` bytes long, at `offset`. Returns what is left to do: what is not the interrupt line's.
    #[inline]
    pub fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) -> Effect {
        if let Some(queue) = self.notified(offset, size, value) {
            return Effect::Notify(queue);
        }
        if offset == INTERRUPT_ACK && size == 4 {
            self.acknowledge(owner, value as u32);
            return Effect::None;
        }
        self.write_any(owner, offset, size, value)
    }

    #[inline(never)]
    fn write_any(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) -> Effect {
        let mut state = self.state.lock();
        let effect = state.transport.write(offset, size, value);
        if let Effect::Notify(_) = effect {
            state.signals.notifications = state.signals.notifications.wrapping_add(1);
        }
        self.shown.queues.store(state.transport.notifiable(), Ordering::Release);
        state.settle(owner, &self.shown);
        effect
    }

    /// The driver acknowledges causes of the interrupt. If there are others by now the line falls and rises once, so that the
    /// guest gets one more edge.
    #[inline(never)]
    fn acknowledge(&self, owner: &dyn Owner, causes: u32) {
        let mut state = self.state.lock();
        if state.transport.acknowledge(causes) {
            drive(owner, &mut state.line, false);
        }
        state.settle(owner, &self.shown);
    }

    /// Does something with the registers, and has the line be as they are then.
    pub fn with<R>(&self, owner: &dyn Owner, work: impl FnOnce(&mut Transport<QUEUES>, &mut F) -> R) -> R {
        let mut state = self.state.lock();
        let State { transport, front, .. } = &mut *state;
        let result = work(transport, front);
        self.shown.queues.store(transport.notifiable(), Ordering::Release);
        state.settle(owner, &self.shown);
        result
    }

    /// Does something with what the driver is shown, which changes nothing of the registers.
    pub fn look<R>(&self, work: impl FnOnce(&mut F) -> R) -> R {
        work(&mut self.state.lock().front)
    }

    /// [`look`](Self::look) with the registers, of which nothing changes.
    pub fn look_with<R>(&self, work: impl FnOnce(&Transport<QUEUES>, &mut F) -> R) -> R {
        let State { transport, front, .. } = &mut *self.state.lock();
        work(transport, front)
    }

    /// The queue with this number as its driver has set it up, in the memory of `peer`, and the features that it accepted;
    /// none: it does not use it.
    ///
    /// # Errors
    ///
    /// [`Fault`]: it cannot be worked at.
    pub fn queue(&self, peer: &dyn Peer, number: u16) -> Result<Option<Queue>, Fault> {
        let (layout, features) = {
            let state = self.state.lock();
            (state.transport.layout(number), state.transport.features())
        };
        let Some((layout, memory)) = layout.zip(peer.memory()) else { return Ok(None) };
        Queue::new(layout, features, &memory).map(Some)
    }

    /// Returns the registers of a device of a VM that stands still: those that all have, and of the first queues. None: a reset is
    /// under way.
    pub fn save<const SAVED: usize>(&self) -> Option<(VirtioTransport, [VirtioSetup; SAVED])> {
        let state = self.state.lock();
        let setup = |number| state.transport.save_setup(number).unwrap_or(VirtioSetup::NONE);
        Some((state.transport.save()?, core::array::from_fn(setup)))
    }

    /// Takes registers on, of a VM that does not run, and what the driver is shown by `restore`.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(
        &self,
        saved: &VirtioTransport,
        setups: &[VirtioSetup; QUEUES],
        restore: impl FnOnce(&mut F) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        let mut state = self.state.lock();
        let mut transport = state.transport.clone();
        transport.restore(saved, setups)?;
        restore(&mut state.front)?;
        state.transport = transport;
        // Its level is in the virtual GIC that is restored, too.
        let level = state.transport.level();
        let _ = state.line.set(level);
        self.shown.interrupt.store(state.transport.interrupt_status(), Ordering::Release);
        self.shown.queues.store(state.transport.notifiable(), Ordering::Release);
        Ok(())
    }

    /// Takes on the registers of more queues, behind [`restore`](Self::restore), and what the driver is shown by `restore`.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the device is to be reset then.
    pub fn restore_setups(
        &self,
        setups: impl Iterator<Item = (u16, VirtioSetup)>,
        restore: impl FnOnce(&mut F) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        let mut state = self.state.lock();
        for (number, setup) in setups {
            state.transport.restore_setup(number.into(), &setup)?;
        }
        self.shown.queues.store(state.transport.notifiable(), Ordering::Release);
        restore(&mut state.front)
    }

    /// The registers of a queue.
    pub fn save_setup(&self, number: u16) -> VirtioSetup {
        self.state.lock().transport.save_setup(number.into()).unwrap_or(VirtioSetup::NONE)
    }

    /// How far a queue is, as it stands in a state: one that its driver does not use, or that cannot be used before a reset, is
    /// [`Virtqueue::NONE`].
    pub fn save_queue(&self, number: u16, queue: Option<Virtqueue>) -> Virtqueue {
        let is_used = self.state.lock().transport.layout(number).is_some();
        queue.filter(|_| is_used).unwrap_or(Virtqueue::NONE)
    }

    /// Whether the driver uses the device.
    pub fn is_running(&self) -> bool {
        self.state.lock().transport.is_running()
    }

    /// What the driver accepted.
    pub fn accepted(&self) -> u64 {
        self.state.lock().transport.accepted()
    }

    /// How far the queue with this number was, in `memory`; none: its driver does not use it. The registers are restored.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn restore_queue(&self, number: u16, saved: &Virtqueue, memory: &GuestMemory) -> Result<Option<Queue>, Unfit> {
        let (layout, features) = {
            let state = self.state.lock();
            (state.transport.layout(number), state.transport.features())
        };
        match layout {
            None if *saved == Virtqueue::NONE => Ok(None),
            None => Err(Unfit::Value("how far a virtqueue is that is not in use")),
            Some(layout) => Queue::restore(layout, features, memory, saved).map(Some),
        }
    }

    /// How often driver and device told each other something, since the VM was created.
    pub fn signals(&self) -> Signals {
        let Signals { notifications, interrupts } = self.state.lock().signals;
        let notifications = notifications.wrapping_add(self.shown.notifications.load(Ordering::Relaxed));
        Signals { notifications, interrupts }
    }

    /// The number of its interrupt.
    pub fn intid(&self) -> u32 {
        self.state.lock().line.intid()
    }

    /// The VM is a new one: counts anew.
    pub fn renew(&self) {
        self.state.lock().signals = Signals::default();
        self.shown.notifications.store(0, Ordering::Relaxed);
    }

    /// Returns when nobody is at the registers who was there before.
    pub fn rest(&self) {
        drop(self.state.lock());
    }

    /// Takes note that chains were given back to a driver that wants to be interrupted.
    pub fn interrupt(&self, owner: &dyn Owner) {
        let Ok(()) = self.publish(owner, || Ok::<_, Infallible>(true));
    }

    /// Does something with nobody else at the registers, and takes note that chains were given back to a driver that wants to be
    /// interrupted, if it says so.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn publish<E>(&self, owner: &dyn Owner, work: impl FnOnce() -> Result<bool, E>) -> Result<(), E> {
        let mut state = self.state.lock();
        if work()? {
            state.transport.used();
            state.settle(owner, &self.shown);
        }
        Ok(())
    }

    /// The device cannot go on: its driver went against the specification. Says so, once.
    pub fn fail(&self, peer: &dyn Peer, owner: &dyn Owner, device: &dyn Display, queue: &str, fault: Fault) {
        if self.with(owner, |transport, _| transport.fail()) {
            report(peer, device, queue, fault);
        }
    }
}

impl<F, const QUEUES: usize> State<F, QUEUES> {
    #[inline]
    fn settle(&mut self, owner: &dyn Owner, shown: &Shown) {
        shown.interrupt.store(self.transport.interrupt_status(), Ordering::Release);
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
