//! The virtio transports of a VM.

use portcullis_abi::map;
use portcullis_board::Range;
use portcullis_board::device::Device;

/// Whether a device of the board's that a VM is `given` is where its virtio transport `slot` would be, or has that one's
/// interrupt. It takes the place of what would be emulated there.
pub fn is_replaced(slot: usize, given: &[Device]) -> bool {
    let start = map::VIRTIO.saturating_add(map::VIRTIO_SIZE.saturating_mul(slot as u64));
    let intid = map::VIRTIO_INTID.saturating_add(slot as u32);
    given.iter().any(|given| {
        given.pages().any(|page| page.overlaps(&Range::sized(start, map::VIRTIO_SIZE)))
            || given.interrupts.iter().any(|interrupt| interrupt.physical == intid)
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use portcullis_board::device::Interrupt;

    use super::*;

    #[test]
    fn a_device_replaces_the_transports_of_its_page_and_of_its_interrupts() {
        let replaced = |start: u64, intid: u32| -> Vec<usize> {
            let interrupts = [Interrupt { physical: intid, edge: false }].into();
            let given = [Device { registers: [Range::sized(start, 0x200)].into(), interrupts, ..Device::default() }];
            (0..map::VIRTIO_SLOTS).filter(|slot| is_replaced(*slot, &given)).collect()
        };
        assert_eq!(replaced(0x0a00_0000, 40), (0..8).collect::<Vec<_>>());
        assert_eq!(replaced(0x0a00_3e00, 79), (24..32).collect::<Vec<_>>());
        assert_eq!(replaced(0x0b00_0000, 56), [8]);
        assert_eq!(replaced(0x0b00_0000, 80), [0; 0]);
    }
}
