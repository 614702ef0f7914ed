//! What QEMU's virt machine has and a VM does not use. It answers loads and stores as there, because what is built for virt
//! looks at it; the guest's device tree has no node of it.

use portcullis_abi::map;

use crate::Frame;

/// A range of virt's that a VM does not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    /// The 32 virtio transports, none of which has a device behind it.
    Transports,
    /// The two banks of flash, which hold nothing.
    Flash,
}

/// MagicValue of a transport, and what it holds (virtio 1.2, section 4.2.2): "virt".
const MAGIC: (u64, u32) = (0x000, 0x7472_6976);
/// Version: not the legacy interface.
const VERSION: (u64, u32) = (0x004, 2);
/// VendorID: "QEMU".
const VENDOR: (u64, u32) = (0x00c, 0x554d_4551);

impl Unused {
    /// Each with its addresses, as virt has them.
    pub const ALL: [(Self, Frame); 2] = [
        (Self::Flash, Frame { start: 0, size: 2 * (64 << 20) }),
        (Self::Transports, Frame { start: map::VIRTIO, size: map::VIRTIO_SIZE * map::VIRTIO_SLOTS as u64 }),
    ];

    /// What a load at `offset` into its addresses gives, of which the caller takes as many bytes as are loaded. Whatever has no
    /// device behind it reads as zero; DeviceID among it, which makes drivers pass by (virtio 1.2, section 4.2.2.2). Stores
    /// have no effect.
    pub const fn read(self, offset: u64) -> u64 {
        let value = match self {
            Self::Flash => 0,
            Self::Transports => match offset % map::VIRTIO_SIZE {
                register if register == MAGIC.0 => MAGIC.1,
                register if register == VERSION.0 => VERSION.1,
                register if register == VENDOR.0 => VENDOR.1,
                _ => 0,
            },
        };
        value as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: u64) -> Option<u64> {
        Unused::ALL.iter().find_map(|(unused, frame)| Some(unused.read(frame.offset(address)?)))
    }

    #[test]
    fn every_transport_says_that_it_has_no_device() {
        for transport in (0x0a00_0000..0x0a00_4000).step_by(0x200) {
            let registers = (0..0x200).step_by(4).map(|register| (register, at(transport + register).unwrap()));
            let told: Vec<_> = registers.filter(|(_, value)| *value != 0).collect();
            assert_eq!(told, [(0, 0x7472_6976), (4, 2), (0xc, 0x554d_4551)]);
        }
        assert_eq!((at(0x09ff_fffc), at(0x0a00_4000)), (None, None));
    }

    #[test]
    fn flash_holds_nothing_and_ends_where_the_gic_begins() {
        assert_eq!((at(0), at(0x0400_0004), at(0x07ff_ffff)), (Some(0), Some(0), Some(0)));
        assert_eq!(at(portcullis_abi::map::GICD), None);
    }
}
