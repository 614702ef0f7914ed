//! A disk's state, when its VM is saved and restored.

use portcullis_abi::name::padded;
use portcullis_abi::state::{self, LinkNeeds, Unfit, VirtioSetup, Virtqueue};

use super::{Bytes, Disk};
use crate::links::backplane::{NotSaved, Ready, of, put};
use crate::memory::guest::GuestMemory;

impl Disk {
    /// What a VM that has it needs. The checksum of an image was worked out before.
    pub(super) fn needs(&self) -> LinkNeeds {
        let geometry = self.client.registers.look(|shown| *shown.geometry());
        let (kind, sum) = match &self.bytes {
            Bytes::Own(own) => match own.image_sum() {
                Some(sum) => (LinkNeeds::IMAGE, sum),
                None => (LinkNeeds::SCRATCH, 0),
            },
            Bytes::Served(_) => (LinkNeeds::SERVED, 0),
        };
        LinkNeeds {
            device: LinkNeeds::DISK,
            kind,
            sum,
            size: self.size,
            block: geometry.block(),
            read_only: geometry.is_read_only().into(),
            name: padded(self.client.name),
            ..LinkNeeds::NONE
        }
    }

    /// Works out the checksum of an image, `most` bytes at the most, or has the requests come to their end that a server has.
    pub(super) fn prepare(&self, saves: bool, most: usize) -> Ready {
        match &self.bytes {
            Bytes::Own(own) => own.sum_up(most),
            Bytes::Served(served) if saves => served.drain(),
            Bytes::Served(_) => Ready::Yes,
        }
    }

    /// Writes its state.
    pub(super) fn save(&self, body: &mut [u8]) -> Result<(), NotSaved> {
        let queue = match &self.bytes {
            Bytes::Own(own) => own.save(),
            Bytes::Served(served) => served.save(),
        };
        let queue = self.client.registers.save_queue(0, queue);
        let (transport, setups) = self.client.registers.save().ok_or(NotSaved::Moves)?;
        let [setup] = setups;
        put(&state::Disk { version: state::Disk::VERSION, reserved: 0, transport, setup, queue }, body)
    }

    /// Takes on its state.
    pub(super) fn restore(&self, memory: &GuestMemory, body: &[u8]) -> Result<(), Unfit> {
        let saved: state::Disk = of(body)?;
        Unfit::check_version(saved.version, state::Disk::VERSION)?;
        Unfit::check_reserved(saved.reserved)?;
        let registers = &self.client.registers;
        let setups: [VirtioSetup; 1] = [saved.setup];
        registers.restore(&saved.transport, &setups, |_| Ok(()))?;
        let queue: &Virtqueue = &saved.queue;
        let queue = registers.restore_queue(0, queue, memory)?;
        match &self.bytes {
            Bytes::Own(own) => own.restore(queue),
            Bytes::Served(served) => served.restore(queue),
        }
        Ok(())
    }
}
