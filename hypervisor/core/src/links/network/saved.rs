//! A port's state, when its VM is saved and restored. Who moves frames on that port's behalf does not run meanwhile.

use portcullis_abi::name::padded;
use portcullis_abi::state::{self, LinkNeeds, Unfit};
use portcullis_links::network::{CONTROL, Mac, RECEIVE, TRANSMIT};
use portcullis_virtio::Queue;

use super::lane::{Receiver, Sender};
use super::{Desk, Network};
use crate::links::backplane::{NotSaved, of, put};
use crate::memory::guest::GuestMemory;

impl Network {
    /// What a VM that has port `number` needs.
    pub(super) fn needs(&self, number: usize) -> LinkNeeds {
        let Mac([a, b, c, d, e, f]) = self.switch.address(number).unwrap_or(Mac([0; 6]));
        let address = [a, b, c, d, e, f, 0, 0];
        let (kind, name) = (self.config.mtu.into(), padded(self.config.name));
        LinkNeeds { device: LinkNeeds::NETWORK, kind, address, name, ..LinkNeeds::NONE }
    }

    /// Writes the state of port `number`.
    pub(super) fn save(&self, number: usize, body: &mut [u8]) -> Result<(), NotSaved> {
        let port = self.ports.get(number).ok_or(NotSaved::Length)?;
        let desk = self.enter();
        let lanes = desk.senders.get(number).zip(desk.receivers.get(number)).ok_or(NotSaved::Length)?;
        let (Sender { queue: transmit, current, .. }, Receiver { queue: receive, .. }) = lanes;
        // A frame that some have already goes to all of them where the VM goes: they are others there.
        let mut transmit = transmit.clone();
        if let Some((queue, (head, _))) = transmit.as_mut().zip(*current) {
            queue.rewind(queue.before(head));
        }
        let queue = |number, queue: Option<&Queue>| port.registers.save_queue(number, queue.map(Queue::save));
        let (receive, transmit) = (queue(RECEIVE, receive.as_ref()), queue(TRANSMIT, transmit.as_ref()));
        drop(desk);
        let (transport, setups) = port.registers.save().ok_or(NotSaved::Moves)?;
        let (status, control) = port.registers.look(|driven| driven.save());
        let queues = [receive, transmit, port.registers.save_queue(CONTROL, control)];
        put(&state::Network { version: state::Network::VERSION, status, transport, setups, queues }, body)
    }

    /// Takes on the state of port `number`.
    pub(super) fn restore(&self, number: usize, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        let saved: state::Network = of(body)?;
        Unfit::check_version(saved.version, state::Network::VERSION)?;
        let port = self.ports.get(number).ok_or(Unfit::Absent("a port of a network"))?;
        // What is taken from one of these is given back within the same piece of work.
        if saved.queues.iter().any(|queue| queue.taken != [0; 4]) {
            return Err(Unfit::Value("the chains that a network's port has"));
        }
        port.registers.restore(&saved.transport, &saved.setups, |driven| driven.restore(saved.status))?;
        let queue = |number, saved| port.registers.restore_queue(number, saved, memory);
        let [receive, transmit, control] = &saved.queues;
        let (receive, transmit, control) =
            (queue(RECEIVE, receive)?, queue(TRANSMIT, transmit)?, queue(CONTROL, control)?);
        port.registers.look(|driven| driven.take_over(control));
        let features = port.registers.accepted();
        let mut desk = self.enter();
        let Desk { senders, receivers, .. } = &mut *desk;
        if let Some((sender, receiver)) = senders.get_mut(number).zip(receivers.get_mut(number)) {
            (sender.queue, sender.features, sender.current) = (transmit, features, None);
            *receiver = Receiver { queue: receive, features };
        }
        Ok(())
    }
}
