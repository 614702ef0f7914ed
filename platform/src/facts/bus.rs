//! Addresses: from the `reg` of a node through the `ranges` of its parents to physical ones (Devicetree Specification,
//! sections 2.3.6 and 2.3.8).

use portcullis_core::image::Region;

use super::properties::{Properties, take};

/// What the children of a node have to know of it.
#[derive(Clone, Copy)]
pub struct Bus<'p, 'a> {
    parent: Option<&'p Bus<'p, 'a>>,
    ranges: Option<&'a [u8]>,
    /// Cells of an address in a child's `reg`.
    pub address_cells: u32,
    /// Cells of a size in a child's `reg`.
    pub size_cells: u32,
    /// Phandle of the interrupt controller that the children's interrupts belong to.
    pub interrupt_parent: Option<u32>,
    /// Steps from the root.
    pub depth: usize,
}

impl<'p, 'a> Bus<'p, 'a> {
    /// The bus that a node is for its children; the root has no parent.
    pub fn new(parent: Option<&'p Bus<'p, 'a>>, node: &Properties<'a>) -> Self {
        Self {
            parent,
            ranges: node.ranges,
            address_cells: node.address_cells.unwrap_or(2),
            size_cells: node.size_cells.unwrap_or(1),
            interrupt_parent: node.interrupt_parent.or(parent.and_then(|parent| parent.interrupt_parent)),
            depth: parent.map_or(0, |parent| parent.depth.saturating_add(1)),
        }
    }

    /// The physical regions in a child's `reg`. It ends early at the first one that has no physical address.
    pub fn regions(&self, reg: Option<&'a [u8]>) -> impl Iterator<Item = Region> {
        let mut rest = reg.unwrap_or_default();
        core::iter::from_fn(move || {
            if rest.is_empty() || self.address_cells == 0 {
                return None;
            }
            let region =
                Region { address: take(&mut rest, self.address_cells)?, size: take(&mut rest, self.size_cells)? };
            self.translate(region)
        })
    }

    /// True if a child's `reg` exists and consists of whole regions with addresses that exist.
    pub fn is_whole(&self, reg: Option<&'a [u8]>) -> bool {
        let cells = (self.address_cells as usize).saturating_add(self.size_cells as usize);
        let regions = self.regions(reg).count();
        reg.is_some_and(|reg| regions.checked_mul(cells).and_then(|cells| cells.checked_mul(4)) == Some(reg.len()))
    }

    /// The first number in a child's `reg`, untranslated: for children that are numbered rather than mapped.
    pub fn number(&self, reg: Option<&[u8]>) -> Option<u64> {
        let mut rest = reg?;
        if self.address_cells == 0 { None } else { take(&mut rest, self.address_cells) }
    }

    /// Translates a region of this bus's address space to the root's.
    fn translate(&self, mut region: Region) -> Option<Region> {
        let mut bus = self;
        while let Some(parent) = bus.parent {
            region = bus.step_up(parent, region)?;
            bus = parent;
        }
        region.end().map(|_| region)
    }

    /// One step up. An empty `ranges` is the identity, none at all means that the children are not mapped.
    fn step_up(&self, parent: &Self, region: Region) -> Option<Region> {
        let mut rest = self.ranges?;
        if rest.is_empty() {
            return Some(region);
        }
        while !rest.is_empty() {
            let child = take(&mut rest, self.address_cells)?;
            let address = take(&mut rest, parent.address_cells)?;
            let size = take(&mut rest, self.size_cells)?;
            let offset = region.address.wrapping_sub(child);
            if region.address >= child && offset <= size && region.size <= size.saturating_sub(offset) {
                return Some(Region { address: address.checked_add(offset)?, size: region.size });
            }
            if (self.address_cells, self.size_cells, parent.address_cells) == (0, 0, 0) {
                return None;
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

    fn properties<'a>(address: u32, size: u32, ranges: Option<&'a [u8]>) -> Properties<'a> {
        Properties { address_cells: Some(address), size_cells: Some(size), ranges, ..Properties::default() }
    }

    #[test]
    fn the_raspberry_pi_soc_bus() {
        let ranges = cells(&[0x7e00_0000, 0, 0xfe00_0000, 0x180_0000, 0x4000_0000, 0, 0xff80_0000, 0x80_0000]);
        let root = Bus::new(None, &properties(2, 1, None));
        let soc = Bus::new(Some(&root), &properties(1, 1, Some(&ranges)));
        let reg = cells(&[0x7e20_1000, 0x200, 0x4004_1000, 0x1000]);
        let regions: Vec<Region> = soc.regions(Some(&reg)).collect();
        let expected = [(0xfe20_1000, 0x200), (0xff84_1000, 0x1000)].map(|(address, size)| Region { address, size });
        assert_eq!(regions, expected);
        let beyond = cells(&[0x7f7f_ff00, 0x200]);
        assert_eq!(soc.regions(Some(&beyond)).count(), 0);
    }

    #[test]
    fn buses_within_buses() {
        let outer = cells(&[0x100, 0, 0x1000, 0x100]);
        let inner = cells(&[0x10, 0x120, 0x20]);
        let root = Bus::new(None, &properties(2, 1, None));
        let outer = Bus::new(Some(&root), &properties(1, 1, Some(&outer)));
        let inner = Bus::new(Some(&outer), &properties(1, 1, Some(&inner)));
        let same = Bus::new(Some(&inner), &properties(1, 1, Some(&[])));
        let unmapped = Bus::new(Some(&inner), &properties(1, 1, None));
        let reg = cells(&[0x14, 4]);
        assert_eq!(same.regions(Some(&reg)).next(), Some(Region { address: 0x1024, size: 4 }));
        assert_eq!(unmapped.regions(Some(&reg)).next(), None);
        assert_eq!(unmapped.number(Some(&reg)), Some(0x14));
    }

    #[test]
    fn odd_cell_counts_end() {
        let root = Bus::new(None, &properties(0, 0, None));
        assert_eq!(root.regions(Some(&[0; 8])).count(), 0);
        let none = Bus::new(Some(&root), &properties(0, 0, Some(&[0; 8])));
        assert_eq!(none.translate(Region { address: 5, size: 1 }), None);
        let wide = Bus::new(Some(&root), &properties(3, u32::MAX, Some(&[0; 64])));
        assert_eq!(wide.regions(Some(&[0; 64])).count(), 0);
    }
}
