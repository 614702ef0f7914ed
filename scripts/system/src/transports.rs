//! Which virtio transport each device of a VM is in: its console in the first, then its ports of networks, then its disks. Where a
//! device of the board's is in the place of a transport, nothing else is.

use portcullis_abi::map::VIRTIO_SLOTS;
use portcullis_bundle::links::transport::is_replaced;

use super::board::Board;
use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;

/// The transports of all VMs that have no device yet.
#[derive(Debug)]
pub struct Transports(Vec<Vm>);

/// Those of one VM.
#[derive(Debug)]
struct Vm {
    /// For messages.
    title: String,
    /// Slots that are left, the next one first.
    left: std::vec::IntoIter<usize>,
    /// How many it had at first.
    count: usize,
}

impl Transports {
    /// The transports of `vms`, without devices, on `board`.
    pub fn of(vms: &[Draft], board: &Board) -> Self {
        let transports = vms.iter().map(|vm| {
            let is_its = |path: &&str| vm.devices.iter().any(|device| device.get_ref() == path);
            let given: Vec<_> = board.devices.iter().filter(|device| is_its(&device.path)).cloned().collect();
            let left: Vec<usize> = (0..VIRTIO_SLOTS).filter(|slot| !is_replaced(*slot, &given)).collect();
            Vm { title: vm.title(), count: left.len(), left: left.into_iter() }
        });
        Self(transports.collect())
    }

    /// The next slot of VM `vm`, for a device that is asked for at `span`; none, which is reported, if it has none left. `without`
    /// says how it would have one device less.
    pub fn take(&mut self, vm: usize, span: &Span, without: &str, diagnostics: &mut Diagnostics<'_>) -> Option<usize> {
        let vm = self.0.get_mut(vm)?;
        let slot = vm.left.next();
        if slot.is_none() {
            let Vm { title, count, .. } = vm;
            let message = match *count {
                VIRTIO_SLOTS => format!("{title} has more than {VIRTIO_SLOTS} virtio devices"),
                count => format!(
                    "{title} has more than {count} virtio devices, and what it has in `devices` is in the place of {} others",
                    VIRTIO_SLOTS - count
                ),
            };
            diagnostics.error(span.clone(), message, without);
        }
        slot
    }
}
