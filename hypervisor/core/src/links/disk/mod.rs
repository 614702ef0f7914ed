//! A disk of a VM (virtio-blk). Its bytes are EL2's, in the bundle or in RAM that was set aside; or another VM's
//! by NBD.

mod client;
mod own;
mod plug;
mod report;
mod saved;
mod served;
mod store;

use alloc::boxed::Box;

use portcullis_arch::timer;
use portcullis_board::Regions;
use portcullis_bundle::links as bundle;
use portcullis_links::disk::{Geometry, Served as Requests};
use portcullis_links::serial::Port;
use portcullis_virtio::Queue;

use self::client::Client;
use self::own::Own;
pub use self::plug::Plug;
use self::served::{Served, ServerPort};
use self::store::Scratch;
pub use self::store::{DiskError, Store};
use super::console::End;
use super::peer::Peer;
use crate::devices::owner::Owner;

/// A disk.
pub struct Disk {
    client: &'static Client,
    /// The number of the VM that has it.
    pub vm: usize,
    /// The slot of its transport.
    pub slot: usize,
    size: u64,
    bytes: Bytes,
}

/// Where its bytes are, and what is done with requests.
enum Bytes {
    Own(Box<Own>),
    Served(Box<Served>),
}

impl Disk {
    /// The disk that the bundle has; RAM comes out of what is `free`, on core `core`, on which this has to run. VMs are yet to be
    /// connected.
    ///
    /// # Errors
    ///
    /// [`DiskError`].
    pub fn of(disk: &bundle::Disk<'static>, free: &mut Regions, core: usize) -> Result<&'static Self, DiskError> {
        let bundle::Disk { name, vm, slot, block, source } = *disk;
        let no_disk = DiskError::Geometry(name);
        let geometry = |read_only| Geometry::new(name, disk.size(), block, read_only).ok_or(no_disk);
        let driven = |geometry| -> &'static Client { Box::leak(Box::new(Client::new(name, slot, geometry))) };
        let (client, bytes) = match source {
            bundle::Source::Image(bytes) => {
                let geometry = geometry(true)?;
                let client = driven(geometry);
                (client, Bytes::Own(Box::new(Own::new(client, geometry, Store::Image(bytes)))))
            }
            bundle::Source::Scratch(size) => {
                let geometry = geometry(false)?;
                let (client, scratch) = (driven(geometry), Scratch::take(name, size, free, core)?);
                (client, Bytes::Own(Box::new(Own::new(client, geometry, Store::Scratch(scratch)))))
            }
            bundle::Source::Served(export) => {
                let geometry = geometry(export.read_only)?;
                let timeout = u64::from(export.timeout).saturating_mul(timer::frequency()) / 1000;
                let requests = Requests::new(geometry, export.name, timeout).ok_or(no_disk)?;
                let client = driven(geometry);
                (client, Bytes::Served(Box::new(Served::new(client, export.server, requests))))
            }
        };
        Ok(Box::leak(Box::new(Self { client, vm, slot, size: disk.size(), bytes })))
    }

    /// The port by which VM `vm` serves it, if that does, with what is at the port's other side.
    pub(super) fn port(&'static self, vm: usize) -> Option<(Port, &'static dyn End)> {
        let Bytes::Served(served) = &self.bytes else { return None };
        let name = alloc::format!("{}{}", portcullis_abi::bundle::DISK_PORT, self.client.name);
        let port = (served.server == vm).then(|| Port::new(&name))??;
        Some((port, Box::leak(Box::new(ServerPort(served)))))
    }

    /// Keeps everybody from doing requests until the result is dropped.
    #[cfg(test)]
    pub(super) fn busy(&self) -> impl Sized + '_ {
        match &self.bytes {
            Bytes::Own(own) => (Some(own.busy()), None),
            Bytes::Served(served) => (None, Some(served.enter())),
        }
    }

    /// The number of the VM that serves it, if one does.
    fn server(&self) -> Option<usize> {
        match &self.bytes {
            Bytes::Own(_) => None,
            Bytes::Served(served) => Some(served.server),
        }
    }

    /// Says which VM has which number.
    pub(super) fn connect(&self, peer: impl Fn(usize) -> Option<&'static dyn Peer>) {
        self.client.connect(peer(self.vm));
    }

    /// Its driver has set up its queue, or does not use it any more: then it returns when nobody touches that.
    fn set_queue(&self, queue: Option<Queue>, owner: &dyn Owner) {
        match &self.bytes {
            Bytes::Own(own) => own.set_queue(queue),
            Bytes::Served(served) => served.set_queue(queue, owner),
        }
    }
}
