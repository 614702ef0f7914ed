//! Devices of the board that a VM drives itself: their registers are mapped into it, and their interrupts reach it.

mod delivery;
mod given;
mod node;
mod owners;

use alloc::vec::Vec;

use portcullis_abi::map;

pub use self::delivery::{Delivery, Distributor};
pub use self::given::{Given, Refusal};
pub use self::node::{KEPT, NODE_ROOM};
pub use self::owners::Owners;

use crate::image::Region;
use crate::memory::regions::Range;

/// Size of a page, which is what stage 2 maps.
pub const PAGE: u64 = 4096;

/// A device as the board's device tree describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its path in the board's tree.
    pub path: &'static str,
    /// Its node's name with unit address.
    pub name: &'static [u8],
    /// Its `compatible` strings, each with its end.
    pub compatible: &'static [u8],
    /// Its registers in physical addresses, where the guest finds them too.
    pub registers: Vec<Region>,
    /// Its interrupts.
    pub interrupts: Vec<Interrupt>,
    /// Frequency of its clock in Hz, if the tree tells.
    pub clock: Option<u32>,
    /// Its `clock-names` strings, each with its end.
    pub clock_names: &'static [u8],
    /// Further properties that mean the same to a guest: those of [`KEPT`].
    pub kept: Vec<(&'static str, &'static [u8])>,
    /// It can read and write memory by itself, or is not known to be unable to.
    pub masters: bool,
}

/// A shared interrupt of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// INTID on the board.
    pub physical: u32,
    /// It is edge-triggered.
    pub edge: bool,
}

impl Device {
    /// The pages that its registers lie in.
    pub fn pages(&self) -> impl Iterator<Item = Range> {
        self.registers.iter().filter_map(|region| pages(*region))
    }

    /// The part of the guest's own address space that its registers would cover, if they do; `ram` is the guest's RAM in its
    /// own addresses.
    pub fn collides(&self, ram: Range) -> Option<Range> {
        let taken = [
            Range::sized(map::GICD, map::GICD_SIZE),
            Range::sized(map::GICC, map::GICC_SIZE),
            Range::sized(map::GICR, map::GICR_STRIDE * map::MAX_VCPUS as u64),
            Range::sized(map::UART, PAGE),
            Range::sized(map::PV_TIME, PAGE),
            ram,
        ];
        taken.into_iter().find(|taken| self.pages().any(|page| page.overlaps(taken)))
    }
}

/// The whole pages around a region; none if it is empty or ends beyond the address space.
pub fn pages(region: Region) -> Option<Range> {
    let end = region.address.checked_add(region.size)?.checked_next_multiple_of(PAGE)?;
    let start = region.address & !(PAGE - 1);
    (region.size != 0).then_some(Range { start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device with nothing but registers.
    pub fn device(address: u64, size: u64) -> Device {
        Device {
            path: "/d@0",
            name: b"d@0",
            compatible: b"d\0",
            registers: [Region { address, size }].into(),
            interrupts: Vec::new(),
            clock: None,
            clock_names: b"",
            kept: Vec::new(),
            masters: false,
        }
    }

    #[test]
    fn registers_become_whole_pages() {
        let page = |address, size| device(address, size).pages().next().map(|range| (range.start, range.end));
        assert_eq!(page(0xfe21_5040, 0x40), Some((0xfe21_5000, 0xfe21_6000)));
        assert_eq!(page(0x904_0000, 0x1000), Some((0x904_0000, 0x904_1000)));
        assert_eq!(page(0x904_0ff0, 0x20), Some((0x904_0000, 0x904_2000)));
        assert_eq!((page(0x1000, 0), page(u64::MAX - 4, 5)), (None, None));
    }

    #[test]
    fn what_the_guest_has_already_is_not_covered() {
        let ram = Range::sized(map::RAM, 256 << 20);
        let collides = |address| device(address, 0x200).collides(ram).map(|range| range.start);
        assert_eq!(collides(0x904_0000), None);
        assert_eq!(collides(map::UART + 0xe00), Some(map::UART));
        assert_eq!(collides(map::GICD + 0x100), Some(map::GICD));
        assert_eq!(collides(map::RAM + (256 << 20) - 0x200), Some(map::RAM));
        assert_eq!(collides(map::RAM + (256 << 20)), None);
    }
}
