//! Which VM an interrupt belongs to.

use alloc::boxed::Box;
use alloc::vec;

use portcullis_board::device::Device;
use portcullis_vgic::INTIDS;

/// Per INTID the VM whose device it is; empty where no VM has a device.
#[derive(Debug, Default)]
pub struct InterruptOwners(Box<[Option<u8>]>);

impl InterruptOwners {
    /// The owners of the interrupts of devices, given VM by VM. None has an INTID of [`INTIDS`] or more.
    pub fn of<'a>(vms: impl Iterator<Item = &'a [Device]> + Clone) -> Self {
        if vms.clone().all(<[Device]>::is_empty) {
            return Self::default();
        }
        let mut owners = vec![None; INTIDS].into_boxed_slice();
        for (vm, devices) in (0..).zip(vms) {
            for interrupt in devices.iter().flat_map(|device| &device.interrupts) {
                if let Some(owner) = owners.get_mut(interrupt.physical as usize) {
                    *owner = Some(vm);
                }
            }
        }
        Self(owners)
    }

    /// Number of the VM whose device has this interrupt.
    #[inline]
    pub fn of_interrupt(&self, intid: u32) -> Option<usize> {
        self.0.get(intid as usize).copied().flatten().map(usize::from)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_board::device::Interrupt;

    use super::*;

    #[test]
    fn interrupts_lead_to_their_vm() {
        let with = |intids: &[u32]| Device {
            interrupts: intids.iter().map(|&physical| Interrupt { physical, edge: false }).collect(),
            ..Device::default()
        };
        let vms = [vec![], vec![with(&[40, 41]), with(&[41])], vec![with(&[287])]];
        let owners = InterruptOwners::of(vms.iter().map(|devices| &**devices));
        let of = |intid| owners.of_interrupt(intid);
        assert_eq!((of(40), of(41), of(287)), (Some(1), Some(1), Some(2)));
        assert_eq!((of(0), of(39), of(1020), of(u32::MAX)), (None, None, None, None));
    }

    #[test]
    fn without_devices_there_is_no_table() {
        let owners = InterruptOwners::of([&[][..], &[]].into_iter());
        assert!(owners.0.is_empty() && owners.of_interrupt(40).is_none());
    }
}
