//! A disk in a transport of its VM.

use portcullis_abi::state::{LinkNeeds, Unfit};
use portcullis_virtio::mmio::Effect;

use super::client::{Client, QUEUE};
use super::{Bytes, Disk};
use crate::devices::emulated::Emulated;
use crate::devices::owner::Owner;
use crate::links::backplane::{Linked, NotSaved, Ready};
use crate::links::registers;
use crate::memory::guest::GuestMemory;

/// A disk, as the VM's bus has it.
pub struct Plug {
    disk: &'static Disk,
    /// Its driver: what is told by most accesses is looked for here.
    client: &'static Client,
}

impl Plug {
    /// `disk`, as its VM's bus has it.
    pub fn new(disk: &'static Disk) -> Self {
        Self { disk, client: disk.client }
    }

    /// Does requests of its driver, whose VM `owner` is: a piece of that.
    fn serve(&self, owner: &dyn Owner) {
        match &self.disk.bytes {
            Bytes::Own(own) => own.serve(self.client, owner),
            Bytes::Served(served) => served.serve_client(owner),
        }
    }

    /// Does what is left to do because of an access.
    #[inline(never)]
    fn act(&self, owner: &dyn Owner, effect: Effect) {
        let Self { disk, client } = self;
        let Some(peer) = client.peer() else { return };
        match effect {
            Effect::None | Effect::Raise => {}
            Effect::Notify(_) => self.serve(owner),
            Effect::DriverOk => match client.registers.queue(peer, 0) {
                Ok(queue) => disk.set_queue(queue, owner),
                Err(fault) => client.fail(owner, fault),
            },
            Effect::Stop(_) => disk.set_queue(None, owner),
            Effect::Reset => self.forget(owner),
            Effect::Failed(queue, fault) => {
                registers::report(peer, *client, queue.map_or("its driver", |_| QUEUE), fault);
            }
        }
    }

    /// Does what an access that notifies no queue does.
    #[inline(never)]
    fn write_other(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.client.registers.write(owner, offset, size, value) {
            Effect::None => {}
            effect => self.act(owner, effect),
        }
    }

    /// Touches nothing of its driver's any more, which begins anew.
    fn forget(&self, owner: &dyn Owner) {
        self.disk.set_queue(None, owner);
        self.client.registers.with(owner, |transport, _| transport.finish_reset());
    }
}

impl Emulated for Plug {
    fn read(&self, _: &dyn Owner, offset: u64, size: u8) -> u64 {
        self.client.registers.read(offset, size)
    }

    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.client.registers.notified(offset, size, value) {
            Some(_) => self.serve(owner),
            None => self.write_other(owner, offset, size, value),
        }
    }

    fn look(&self, _: &dyn Owner, core: usize) -> Option<u64> {
        match &self.disk.bytes {
            Bytes::Own(_) => None,
            Bytes::Served(served) => served.look(core),
        }
    }

    fn reset(&self, owner: &dyn Owner) {
        self.forget(owner);
    }

    fn renew(&self) {
        if let Bytes::Own(own) = &self.disk.bytes {
            own.renew();
        }
        self.client.registers.renew();
    }
}

impl Linked for Plug {
    fn work(&self, owner: &dyn Owner) {
        let is_marked = match &self.disk.bytes {
            Bytes::Own(own) => own.is_marked(),
            Bytes::Served(served) => served.is_marked(),
        };
        if is_marked {
            self.serve(owner);
        }
    }

    fn rest(&self) {
        match &self.disk.bytes {
            Bytes::Own(own) => own.rest(),
            Bytes::Served(served) => served.rest(),
        }
    }

    fn resume(&self) {
        match &self.disk.bytes {
            Bytes::Own(own) => {
                own.set_stale(false);
                own.mark();
            }
            Bytes::Served(served) => served.resume(),
        }
    }

    fn scrub(&self, most: u64) -> bool {
        match &self.disk.bytes {
            Bytes::Own(own) => own.scrub(most),
            Bytes::Served(_) => false,
        }
    }

    fn needs(&self) -> LinkNeeds {
        self.disk.needs()
    }

    fn prepare(&self, saves: bool, most: usize) -> Ready {
        self.disk.prepare(saves, most)
    }

    fn save(&self, body: &mut [u8]) -> Result<(), NotSaved> {
        self.disk.save(body)
    }

    fn restore(&self, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        if let Bytes::Own(own) = &self.disk.bytes {
            own.set_stale(true);
        }
        self.disk.restore(memory, body)
    }

    fn contents(&self) -> Option<(GuestMemory, u64)> {
        match &self.disk.bytes {
            Bytes::Own(own) => own.contents(),
            Bytes::Served(_) => None,
        }
    }

    fn load(&self, most: u64) -> bool {
        match &self.disk.bytes {
            Bytes::Own(own) => own.load(most),
            Bytes::Served(_) => false,
        }
    }
}
