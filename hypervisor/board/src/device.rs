//! A device of the board, as a VM may drive it itself: its registers are mapped into the VM, and its interrupts reach it.

use alloc::vec::Vec;

use crate::Range;

/// Size of a page, which is what stage 2 maps.
pub const PAGE: u64 = 4096;

/// A device as the board's device tree describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its path in the board's tree.
    pub path: &'static str,
    /// Its node's name with unit address.
    pub name: &'static [u8],
    /// Its `compatible` strings, each with its end.
    pub compatible: &'static [u8],
    /// Its registers in physical addresses, where the guest finds them too.
    pub registers: Vec<Range>,
    /// Its interrupts.
    pub interrupts: Vec<Interrupt>,
    /// Frequency of its clock in Hz, if the tree tells.
    pub clock: Option<u32>,
    /// Its `clock-names` strings, each with its end.
    pub clock_names: &'static [u8],
    /// Further properties that mean the same to a guest: those that have no reference to another node.
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
}

/// The whole pages around a region; none if it is empty or ends beyond the address space.
pub fn pages(region: Range) -> Option<Range> {
    let end = region.end.checked_next_multiple_of(PAGE)?;
    let start = region.start & !(PAGE - 1);
    (region.size() != 0).then_some(Range { start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(address: u64, size: u64) -> Device {
        Device { registers: [Range::sized(address, size)].into(), ..Device::default() }
    }

    #[test]
    fn registers_become_whole_pages() {
        let page = |address, size| device(address, size).pages().next().map(|range| (range.start, range.end));
        assert_eq!(page(0xfe21_5040, 0x40), Some((0xfe21_5000, 0xfe21_6000)));
        assert_eq!(page(0x904_0000, 0x1000), Some((0x904_0000, 0x904_1000)));
        assert_eq!(page(0x904_0ff0, 0x20), Some((0x904_0000, 0x904_2000)));
        assert_eq!((page(0x1000, 0), page(u64::MAX - 4, 5)), (None, None));
    }
}
