//! A disk in a transport of its VM.

use portcullis_virtio::Fault;
use portcullis_virtio::mmio::Effect;

use super::{CLIENT, Disk, QUEUE};
use crate::devices::emulated::Emulated;
use crate::devices::owner::Owner;
use crate::links::backplane::Linked;
use crate::links::peer::Peer;
use crate::links::registers;

/// A disk, as the VM's bus has it.
pub struct Plug(pub &'static Disk);

impl Plug {
    /// Does what is left to do because of an access.
    #[inline(never)]
    fn act(&self, owner: &dyn Owner, effect: Effect) {
        let Self(disk) = self;
        let Some(peer) = disk.peer() else { return };
        match effect {
            Effect::None | Effect::Raise => {}
            Effect::Notify(_) => disk.serve(owner),
            Effect::DriverOk => {
                if let Err(fault) = self.begin_driver(peer) {
                    disk.registers.fail(peer, owner, disk, QUEUE, fault);
                }
            }
            Effect::Stop(_) => self.stop(),
            Effect::Reset => self.forget(owner),
            Effect::Failed(queue, fault) => {
                registers::report(peer, disk, queue.map_or("its driver", |_| QUEUE), fault);
            }
        }
    }

    /// Takes over the queue that its driver has set up.
    fn begin_driver(&self, peer: &dyn Peer) -> Result<(), Fault> {
        let queue = self.0.registers.queue(peer, 0)?;
        self.0.desk.enter().queue = queue;
        Ok(())
    }

    /// Does not touch the queue any more.
    fn stop(&self) {
        let mut desk = self.0.desk.enter();
        desk.queue = None;
        desk.local.reset();
    }

    /// Touches nothing of its driver's any more, which begins anew.
    fn forget(&self, owner: &dyn Owner) {
        self.stop();
        self.0.registers.with(owner, |transport, _| transport.finish_reset());
    }
}

impl Emulated for Plug {
    fn read(&self, _: &dyn Owner, offset: u64, size: u8) -> u64 {
        self.0.registers.read(offset, size)
    }

    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64) {
        match self.0.registers.write(owner, offset, size, value) {
            Effect::None => {}
            effect => self.act(owner, effect),
        }
    }

    fn reset(&self, owner: &dyn Owner) {
        self.forget(owner);
    }

    fn renew(&self) {
        self.0.desk.enter().cleared = 0;
        self.0.registers.renew();
    }
}

impl Linked for Plug {
    fn work(&self, owner: &dyn Owner) {
        if self.0.desk.is_marked(CLIENT) {
            self.0.serve(owner);
        }
    }

    fn rest(&self) {
        drop(self.0.desk.enter());
    }

    fn resume(&self) {
        self.0.desk.mark(CLIENT);
    }

    fn scrub(&self, most: u64) -> bool {
        let desk = &mut *self.0.desk.enter();
        let done = desk.store.clear(desk.cleared, most);
        desk.cleared = desk.cleared.saturating_add(done);
        done != 0
    }
}
