//! Addresses: from the `reg` of a node through the `ranges` of its parents to physical ones (Devicetree Specification,
//! sections 2.3.6 and 2.3.8).

use portcullis_board::Range;

use super::list::List;
use super::properties::{Properties, take};

/// Deepest node whose children can be devices of the board. What lies deeper is part of a device.
pub const DEPTH_MAX: usize = 6;

/// What the children of a node have to know of it.
#[derive(Clone, Copy, Default)]
struct Bus<'a> {
    ranges: Option<&'a [u8]>,
    address_cells: u32,
    size_cells: u32,
    interrupt_parent: Option<u32>,
}

/// The buses from the root down to the parent of the node at hand.
#[derive(Default)]
pub struct Buses<'a>(List<Bus<'a>, DEPTH_MAX>);

impl<'a> Buses<'a> {
    /// Goes down into a node; false if that is too deep.
    pub fn enter(&mut self, node: &Properties<'a>) -> bool {
        self.0.push(Bus {
            ranges: node.ranges,
            address_cells: node.address_cells.unwrap_or(2),
            size_cells: node.size_cells.unwrap_or(1),
            interrupt_parent: node.interrupt_parent.or(self.interrupt_parent()),
        })
    }

    /// Goes back up.
    pub fn leave(&mut self) {
        self.0.pop();
    }

    /// Phandle of the interrupt controller that the children's interrupts belong to.
    pub fn interrupt_parent(&self) -> Option<u32> {
        self.0.last()?.interrupt_parent
    }

    /// The physical regions in a child's `reg`. It ends early at the first one that has no physical address.
    pub fn regions(&self, reg: Option<&'a [u8]>) -> impl Iterator<Item = Range> {
        let mut rest = reg.unwrap_or_default();
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let region = self.take_region(&mut rest)?;
            self.translate(region)
        })
    }

    /// True if a child's `reg` exists and consists of whole regions with addresses that exist.
    pub fn is_whole(&self, reg: Option<&'a [u8]>) -> bool {
        let regions = self.regions(reg).count();
        let cells = self.0.last().map_or(0, |bus| (bus.address_cells as usize).saturating_add(bus.size_cells as usize));
        reg.is_some_and(|reg| regions.checked_mul(cells).and_then(|cells| cells.checked_mul(4)) == Some(reg.len()))
    }

    /// Takes address and size off the front of a child's `reg`, untranslated.
    pub fn take_region(&self, reg: &mut &[u8]) -> Option<Range> {
        let bus = self.0.last().filter(|bus| bus.address_cells != 0)?;
        Range::checked(take(reg, bus.address_cells)?, take(reg, bus.size_cells)?)
    }

    /// The first number in a child's `reg`, untranslated: for children that are numbered rather than mapped.
    pub fn number(&self, reg: Option<&[u8]>) -> Option<u64> {
        Some(self.take_region(&mut reg?)?.start)
    }

    /// Translates a region of the last bus's address space to the root's.
    fn translate(&self, mut region: Range) -> Option<Range> {
        for (bus, parent) in self.0.iter().skip(1).zip(self.0.iter()).rev() {
            region = bus.step_up(parent, region)?;
        }
        Some(region)
    }
}

impl Bus<'_> {
    /// One step up. An empty `ranges` is the identity, none at all means that the children are not mapped.
    fn step_up(&self, parent: &Self, region: Range) -> Option<Range> {
        let mut rest = self.ranges?;
        if rest.is_empty() {
            return Some(region);
        }
        if self.address_cells == 0 {
            return None;
        }
        while !rest.is_empty() {
            let child = take(&mut rest, self.address_cells)?;
            let address = take(&mut rest, parent.address_cells)?;
            let size = take(&mut rest, self.size_cells)?;
            let offset = region.start.wrapping_sub(child);
            if region.start >= child && offset <= size && region.size() <= size.saturating_sub(offset) {
                return Range::checked(address.checked_add(offset)?, region.size());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(cells: &[u32]) -> Vec<u8> {
        cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
    }

    /// Buses with these counts of cells, and these ranges; the first is the root.
    fn buses<'a>(list: &[(u32, u32, Option<&'a [u8]>)]) -> Buses<'a> {
        let mut buses = Buses::default();
        for &(address, size, ranges) in list {
            let bus =
                Properties { address_cells: Some(address), size_cells: Some(size), ranges, ..Properties::default() };
            assert!(buses.enter(&bus));
        }
        buses
    }

    #[test]
    fn the_raspberry_pi_soc_bus() {
        let ranges = cells(&[0x7e00_0000, 0, 0xfe00_0000, 0x180_0000, 0x4000_0000, 0, 0xff80_0000, 0x80_0000]);
        let soc = buses(&[(2, 1, None), (1, 1, Some(&ranges))]);
        let reg = cells(&[0x7e20_1000, 0x200, 0x4004_1000, 0x1000]);
        let regions: Vec<Range> = soc.regions(Some(&reg)).collect();
        let expected = [(0xfe20_1000, 0x200), (0xff84_1000, 0x1000)].map(|(address, size)| Range::sized(address, size));
        assert_eq!(regions, expected);
        let beyond = cells(&[0x7f7f_ff00, 0x200]);
        assert_eq!(soc.regions(Some(&beyond)).count(), 0);
        assert!(soc.is_whole(Some(&reg)) && !soc.is_whole(Some(&beyond)) && !soc.is_whole(Some(&reg[..12])));
    }

    #[test]
    fn buses_within_buses() {
        let (outer, inner) = (cells(&[0x100, 0, 0x1000, 0x100]), cells(&[0x10, 0x120, 0x20]));
        let same: &[u8] = &[];
        let mut buses = buses(&[(2, 1, None), (1, 1, Some(&outer)), (1, 1, Some(&inner)), (1, 1, Some(same))]);
        let reg = cells(&[0x14, 4]);
        assert_eq!(buses.regions(Some(&reg)).next(), Some(Range::sized(0x1024, 4)));
        buses.leave();
        let unmapped = Properties { address_cells: Some(1), ..Properties::default() };
        assert!(buses.enter(&unmapped));
        assert_eq!((buses.regions(Some(&reg)).next(), buses.number(Some(&reg))), (None, Some(0x14)));
        assert!(buses.enter(&unmapped) && buses.enter(&unmapped) && !buses.enter(&unmapped));
    }

    #[test]
    fn interrupt_parents_are_inherited() {
        let mut buses = Buses::default();
        assert_eq!(buses.interrupt_parent(), None);
        buses.enter(&Properties { interrupt_parent: Some(3), ..Properties::default() });
        buses.enter(&Properties::default());
        assert_eq!(buses.interrupt_parent(), Some(3));
    }

    #[test]
    fn odd_cell_counts_end() {
        let zeros: &[u8] = &[0; 64];
        for list in [[(0, 0, None), (0, 0, Some(zeros))], [(0, 0, None), (3, u32::MAX, Some(zeros))]] {
            let buses = buses(&list);
            assert_eq!(buses.regions(Some(zeros)).count(), 0);
            assert_eq!(buses.number(Some(zeros)), None);
            assert_eq!(buses.translate(Range::sized(5, 1)), None);
        }
        assert_eq!(Buses::default().regions(Some(zeros)).count(), 0);
    }
}
