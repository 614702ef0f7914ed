//! A console's state, and that of its ports, when its VM is saved and restored.
//!
//! Where the VM goes others are at the other ends of its ports. So its programs find each end closed, and open again if it is,
//! and who is at the other end finds the same.

use core::sync::atomic::Ordering;

use portcullis_abi::state::{self, LinkNeeds, Unfit, VirtioSetup};
use portcullis_links::serial::queues;
use portcullis_virtio::Queue;

use super::{Console, Queues, plug};
use crate::links::backplane::{NotSaved, of, put};
use crate::memory::guest::GuestMemory;

impl Console {
    /// What a VM that has it needs.
    pub(super) fn needs(&self) -> LinkNeeds {
        LinkNeeds { device: LinkNeeds::CONSOLE, kind: self.ports.len() as u32, ..LinkNeeds::NONE }
    }

    /// The name of a port.
    pub(super) fn port_name(&self, number: usize) -> Option<&str> {
        self.ports.get(number).map(|outlet| &*outlet.name)
    }

    /// Writes what is not of one port.
    pub(super) fn save(&self, body: &mut [u8]) -> Result<(), NotSaved> {
        let (transport, []) = self.registers.save().ok_or(NotSaved::Moves)?;
        let (flags, tell, hear) = self.registers.look(|panel| panel.save());
        let numbers = [plug::TELL, plug::HEAR];
        let setups = numbers.map(|number| self.registers.save_setup(number));
        let queues = [self.registers.save_queue(plug::TELL, tell), self.registers.save_queue(plug::HEAR, hear)];
        put(&state::Console { version: state::Console::VERSION, flags, transport, setups, queues }, body)
    }

    /// Takes on what is not of one port.
    pub(super) fn restore(&self, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        let saved: state::Console = of(body)?;
        Unfit::check_version(saved.version, state::Console::VERSION)?;
        if saved.queues.iter().any(|queue| queue.taken != [0; 4]) {
            return Err(Unfit::Value("the messages that a console has"));
        }
        let registers = &self.registers;
        registers.restore(&saved.transport, &[VirtioSetup::NONE; portcullis_links::serial::QUEUES], |_| Ok(()))?;
        let accepted = registers.is_running().then(|| registers.accepted());
        let [tell, hear] = saved.setups;
        let setups = [(plug::TELL, tell), (plug::HEAR, hear)];
        registers.restore_setups(setups.into_iter(), |panel| panel.restore(saved.flags, accepted))?;
        let [tell, hear] = &saved.queues;
        let tell = registers.restore_queue(plug::TELL, tell, memory)?;
        let hear = registers.restore_queue(plug::HEAR, hear, memory)?;
        registers.look(|panel| panel.take_over(tell, hear));
        self.restored.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Writes the state of a port.
    pub(super) fn save_port(&self, number: usize, body: &mut [u8]) -> Result<(), NotSaved> {
        let outlet = self.ports.get(number).ok_or(NotSaved::Length)?;
        let flags = self.registers.look(|panel| panel.ports.save_port(number)).ok_or(NotSaved::Length)?;
        let (receive, transmit) = queues(number as u16);
        let setups = [receive, transmit].map(|queue| self.registers.save_setup(queue));
        let [received, sent] = outlet.end.save();
        let queues = [self.registers.save_queue(receive, received), self.registers.save_queue(transmit, sent)];
        put(&state::Port { version: state::Port::VERSION, flags, setups, queues }, body)
    }

    /// Takes on the state of a port.
    pub(super) fn restore_port(&self, number: usize, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        let saved: state::Port = of(body)?;
        Unfit::check_version(saved.version, state::Port::VERSION)?;
        let outlet = self.ports.get(number).ok_or(Unfit::Absent("a port"))?;
        if saved.queues.iter().any(|queue| queue.taken != [0; 4]) {
            return Err(Unfit::Value("the chains that a port has"));
        }
        let (receive, transmit) = queues(number as u16);
        let [receive_setup, transmit_setup] = saved.setups;
        let setups = [(receive, receive_setup), (transmit, transmit_setup)];
        self.registers.restore_setups(setups.into_iter(), |panel| panel.ports.restore_port(number, saved.flags))?;
        let [received, sent] = &saved.queues;
        let receive = self.registers.restore_queue(receive, received, memory)?;
        let transmit: Option<Queue> = self.registers.restore_queue(transmit, sent, memory)?;
        outlet.end.begin(Queues { transmit, receive });
        Ok(())
    }

    /// The VM goes on. If it was restored, who is at the other ends is told what its driver has said before.
    pub(super) fn resume(&self) {
        if !self.restored.swap(false, Ordering::SeqCst) {
            return;
        }
        let memory = self.peer.get().and_then(|peer| peer.memory());
        self.registers.look_with(|transport, panel| panel.come_back(transport, memory));
        self.ports.iter().for_each(|outlet| outlet.changed.store(true, Ordering::SeqCst));
    }
}
