//! A console in a transport of its VM.

use core::sync::atomic::Ordering;

use portcullis_abi::state::{LinkNeeds, Unfit};
use portcullis_links::serial::{CONTROL_RECEIVE, CONTROL_TRANSMIT, Purpose};
use portcullis_virtio::mmio::Effect;

use super::jack::Board;
use super::{Console, Flow};
use crate::devices::emulated::Emulated;
use crate::devices::owner::Owner;
use crate::links::backplane::{Linked, NotSaved};
use crate::links::registers;
use crate::memory::guest::GuestMemory;

/// Number of the queue of buffers for messages to the driver.
pub(super) const TELL: u16 = CONTROL_RECEIVE;
/// Number of the queue of messages of the driver.
pub(super) const HEAR: u16 = CONTROL_TRANSMIT;

/// A console, as the VM's bus has it.
pub struct Plug(pub &'static Console);

/// The name of a queue, as messages have it.
pub(super) const fn queue_name(number: u16) -> &'static str {
    match Purpose::of(number) {
        Purpose::Tell => "control receive queue",
        Purpose::Hear => "control transmit queue",
        Purpose::Receive(_) => Flow::Receive.name(),
        Purpose::Transmit(_) => Flow::Transmit.name(),
    }
}

impl Plug {
    /// Does what there is to do at a queue that the driver has notified.
    fn notified(&self, owner: &dyn Owner, number: u16) {
        let Self(console) = self;
        let notify = |port: usize, flow| {
            if let Some(outlet) = console.ports.get(port) {
                outlet.end.notified(flow, owner);
            }
        };
        match Purpose::of(number) {
            Purpose::Tell => console.tell(owner, 0),
            Purpose::Hear => console.hear(owner),
            Purpose::Receive(port) => notify(port, Flow::Receive),
            Purpose::Transmit(port) => notify(port, Flow::Transmit),
        }
    }

    /// Does what an access that notifies no queue does.
    #[inline(never)]
    fn write_other(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.0.registers.write(owner, offset, size, value) {
            Effect::None => {}
            effect => self.act(owner, effect),
        }
    }

    /// Does what is left to do because of an access.
    #[inline(never)]
    fn act(&self, owner: &dyn Owner, effect: Effect) {
        let Self(console) = self;
        let Some(peer) = console.peer() else { return };
        let end = |number: usize| console.ports.get(number).map(|outlet| outlet.end);
        match effect {
            Effect::None | Effect::Raise => {}
            Effect::Notify(number) => self.notified(owner, number),
            Effect::DriverOk => {
                let begun = console.begin_driver(owner, peer);
                if let Err((queue, fault)) = begun {
                    console.registers.fail(peer, owner, *console, queue_name(queue), fault);
                }
            }
            Effect::Stop(number) => match Purpose::of(number) {
                Purpose::Tell => console.registers.with(owner, |_, panel| panel.tell = None),
                Purpose::Hear => console.registers.with(owner, |_, panel| panel.hear = None),
                Purpose::Receive(port) => end(port).into_iter().for_each(|end| end.stop(Flow::Receive)),
                Purpose::Transmit(port) => end(port).into_iter().for_each(|end| end.stop(Flow::Transmit)),
            },
            Effect::Reset => console.forget(owner),
            Effect::Failed(queue, fault) => {
                registers::report(peer, *console, queue.map_or("its driver", queue_name), fault);
            }
        }
    }
}

impl Emulated for Plug {
    fn read(&self, _: &dyn Owner, offset: u64, size: u8) -> u64 {
        self.0.registers.read(offset, size)
    }

    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.0.registers.notified(offset, size, value) {
            Some(number) => self.notified(owner, number),
            None => self.write_other(owner, offset, size, value),
        }
    }

    fn look(&self, _: &dyn Owner, core: usize) -> Option<u64> {
        self.0.ports.iter().filter_map(|outlet| outlet.end.look(core)).min()
    }

    fn reset(&self, owner: &dyn Owner) {
        self.0.forget(owner);
    }

    fn renew(&self) {
        self.0.ports.iter().for_each(|outlet| outlet.end.renew());
        self.0.registers.renew();
    }
}

impl Linked for Plug {
    fn work(&self, owner: &dyn Owner) {
        let Self(console) = self;
        if console.unheard.swap(false, Ordering::SeqCst) {
            console.hear(owner);
        }
        console.go_on(owner);
    }

    fn rest(&self) {
        self.0.ports.iter().for_each(|outlet| outlet.end.rest());
        self.0.registers.rest();
    }

    fn resume(&self) {
        self.0.resume();
        // What it was to be told meanwhile it is told with what it says.
        self.0.unheard.store(true, Ordering::SeqCst);
        self.0.ports.iter().for_each(|outlet| outlet.end.mark());
    }

    fn needs(&self) -> LinkNeeds {
        self.0.needs()
    }

    fn save(&self, body: &mut [u8]) -> Result<(), NotSaved> {
        self.0.save(body)
    }

    fn restore(&self, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        self.0.restore(memory, body)
    }

    fn port_name(&self, number: usize) -> Option<&str> {
        self.0.port_name(number)
    }

    fn save_port(&self, number: usize, body: &mut [u8]) -> Result<(), NotSaved> {
        self.0.save_port(number, body)
    }

    fn restore_port(&self, number: usize, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        self.0.restore_port(number, memory, body)
    }
}
