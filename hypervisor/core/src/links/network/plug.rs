//! A port in a transport of its VM.

use core::fmt;

use portcullis_abi::state::{LinkNeeds, Unfit};
use portcullis_links::network::{CONTROL, RECEIVE, TRANSMIT, Traffic};
use portcullis_virtio::mmio::Effect;
use portcullis_virtio::{Fault, Queue};

use super::lane::{Receiver, Sender};
use super::{Desk, Network, Port};
use crate::devices::emulated::Emulated;
use crate::devices::owner::Owner;
use crate::links::backplane::{Linked, NotSaved};
use crate::links::peer::Peer;
use crate::links::registers;
use crate::memory::guest::GuestMemory;

/// A port of a network, as the VM's bus has it.
pub struct Plug {
    /// The network.
    pub network: &'static Network,
    /// The number of the port.
    pub number: usize,
    /// The port.
    pub port: &'static Port,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "network {}", self.name())
    }
}

/// The name of a queue, as messages have it.
pub(super) const fn queue_name(number: u16) -> &'static str {
    match number {
        RECEIVE => "receive queue",
        TRANSMIT => "transmit queue",
        CONTROL => "control queue",
        _ => "a queue that it has not",
    }
}

impl Plug {
    fn port(&self) -> Option<(&Port, &'static dyn Peer)> {
        Some((self.port, self.port.peer()?))
    }

    /// Does what is left to do because of an access.
    #[inline(never)]
    fn act(&self, owner: &dyn Owner, effect: Effect) {
        let Some((port, peer)) = self.port() else { return };
        let fails = |queue, fault| port.registers.fail(peer, owner, self.network, queue_name(queue), fault);
        match effect {
            Effect::Notify(TRANSMIT) => self.network.send(self.number, owner),
            Effect::Notify(CONTROL) => _ = port.control(peer, owner).map_err(|fault| fails(CONTROL, fault)),
            // Buffers are looked for when there is a frame.
            Effect::None | Effect::Raise | Effect::Notify(_) => {}
            Effect::DriverOk => _ = self.begin_driver(port, peer, owner).map_err(|(queue, fault)| fails(queue, fault)),
            Effect::Stop(CONTROL) => port.set_control(owner, None),
            Effect::Stop(queue) => self.stop(queue),
            Effect::Reset => self.forget(port, owner),
            Effect::Failed(queue, fault) => {
                registers::report(peer, self.network, queue.map_or("its driver", queue_name), fault);
            }
        }
    }

    /// Does what an access that notifies no queue does.
    #[inline(never)]
    fn write_other(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.port.registers.write(owner, offset, size, value) {
            Effect::None => {}
            effect => self.act(owner, effect),
        }
    }

    /// Takes over the queues that its driver has set up.
    fn begin_driver(&self, port: &Port, peer: &dyn Peer, owner: &dyn Owner) -> Result<(), (u16, Fault)> {
        let queue = |number| port.registers.queue(peer, number).map_err(|fault| (number, fault));
        let (transmit, mut receive, control) = (queue(TRANSMIT)?, queue(RECEIVE)?, queue(CONTROL)?);
        if let Some((queue, mut memory)) = receive.as_mut().zip(peer.memory()) {
            queue.silence(&mut memory).map_err(|fault| (RECEIVE, fault))?;
        }
        let features = port.registers.with(owner, |transport, _| transport.accepted());
        port.set_control(owner, control);
        let mut desk = self.network.enter();
        let Desk { senders, receivers, .. } = &mut *desk;
        if let Some((sender, receiver)) = senders.get_mut(self.number).zip(receivers.get_mut(self.number)) {
            (sender.queue, receiver.queue) = (transmit, receive);
            (sender.features, receiver.features) = (features, features);
        }
        Ok(())
    }

    /// Does not touch a queue any more.
    fn stop(&self, number: u16) {
        let mut desk = self.network.enter();
        let Desk { senders, receivers, .. } = &mut *desk;
        if let Some((sender, receiver)) = senders.get_mut(self.number).zip(receivers.get_mut(self.number)) {
            let queue: &mut Option<Queue> = if number == RECEIVE { &mut receiver.queue } else { &mut sender.queue };
            *queue = None;
        }
    }

    /// Touches nothing of its driver's any more, which begins anew.
    fn forget(&self, port: &Port, owner: &dyn Owner) {
        {
            let mut desk = self.network.enter();
            let Desk { senders, receivers, traffic, .. } = &mut *desk;
            senders.get_mut(self.number).into_iter().for_each(Sender::forget);
            receivers.get_mut(self.number).into_iter().for_each(|receiver| *receiver = Receiver::default());
            traffic.get_mut(self.number).into_iter().for_each(Traffic::restart);
        }
        port.finish_reset(owner);
    }
}

impl Emulated for Plug {
    fn read(&self, _: &dyn Owner, offset: u64, size: u8) -> u64 {
        self.port.registers.read(offset, size)
    }

    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.port.registers.notified(offset, size, value) {
            Some(TRANSMIT) => self.network.send(self.number, owner),
            Some(queue) => self.act(owner, Effect::Notify(queue)),
            None => self.write_other(owner, offset, size, value),
        }
    }

    fn reset(&self, owner: &dyn Owner) {
        if let Some((port, _)) = self.port() {
            self.forget(port, owner);
        }
    }

    fn renew(&self) {
        if let Some(traffic) = self.network.enter().traffic.get_mut(self.number) {
            *traffic = Traffic::default();
        }
        self.port.registers.renew();
    }
}

impl Linked for Plug {
    fn work(&self, owner: &dyn Owner) {
        if self.network.desk.is_marked(self.number) {
            self.network.send(self.number, owner);
        }
    }

    fn rest(&self) {
        drop(self.network.enter());
    }

    fn resume(&self) {
        self.network.desk.mark(self.number);
        if let Some((port, peer)) = self.port() {
            port.resume(peer);
        }
    }

    fn needs(&self) -> LinkNeeds {
        self.network.needs(self.number)
    }

    fn save(&self, body: &mut [u8]) -> Result<(), NotSaved> {
        self.network.save(self.number, body)
    }

    fn restore(&self, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        self.network.restore(self.number, memory, body)
    }
}
