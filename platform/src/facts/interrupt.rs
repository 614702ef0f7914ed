//! Interrupts: from the specifiers of the GIC's bindings (`interrupt-controller/arm,gic.yaml`, `arm,gic-v3.yaml`) to
//! INTIDs (GIC architecture, Arm IHI 0069, section 2.2).

use super::properties::cell;

/// The `interrupts` of a node, before it is known which controller they belong to.
#[derive(Clone, Copy, Default)]
pub struct Interrupts<'a> {
    /// The property's value.
    pub value: &'a [u8],
    /// Phandle of the controller.
    pub parent: Option<u32>,
}

/// What it takes to read interrupt specifiers of the GIC.
#[derive(Clone, Copy, Default)]
pub struct Decoder {
    /// The GIC's `#interrupt-cells`.
    pub cells: u32,
    /// The GIC's phandle.
    pub phandle: Option<u32>,
    /// That of a controller before it, if there is one, which has its interrupts by the same numbers.
    pub before: Option<u32>,
}

/// Whether a controller that is `compatible` stands before the GIC and only decides what wakes the system: whatever is wired to it is
/// wired to the GIC by the same number (i.MX 8M Dual/8M QuadLite/8M Quad Applications Processors Reference Manual, "GPC").
pub fn is_before_gic(compatible: &[u8]) -> bool {
    compatible == b"fsl,imx8mq-gpc"
}

impl Decoder {
    /// The INTID of a node's interrupt number `index`; none if it has fewer, or if they go to another controller.
    pub fn intid(&self, interrupts: Interrupts<'_>, index: usize) -> Option<u32> {
        let specifier = self.specifier(interrupts, index)?;
        intid(cell(specifier.get(..4)?)?, cell(specifier.get(4..8)?)?)
    }

    /// Whether a node's interrupt number `index` is a rising edge; else it follows its line.
    pub fn is_edge(&self, interrupts: Interrupts<'_>, index: usize) -> bool {
        const EDGE_RISING: u32 = 1;
        let flags = self.specifier(interrupts, index).and_then(|specifier| cell(specifier.get(8..12)?));
        flags.is_some_and(|flags| flags & 0xf == EDGE_RISING)
    }

    /// Kind, number and trigger of an interrupt, in a cell each.
    fn specifier<'a>(&self, interrupts: Interrupts<'a>, index: usize) -> Option<&'a [u8]> {
        if interrupts.parent.is_some() && ![self.phandle, self.before].contains(&interrupts.parent) {
            return None;
        }
        let size = (self.cells as usize).checked_mul(4).filter(|size| *size >= 12)?;
        interrupts.value.get(size.checked_mul(index)?..)?.get(..size)
    }
}

/// The INTID for the first two cells of a specifier: kind and number.
fn intid(kind: u32, number: u32) -> Option<u32> {
    let (first, count) = match kind {
        0 => (32, 988),    // SPI
        1 => (16, 16),     // PPI
        2 => (4096, 1024), // extended SPI
        3 => (1056, 64),   // extended PPI
        _ => return None,
    };
    (number < count).then(|| number.wrapping_add(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_their_limits() {
        assert_eq!((intid(0, 0), intid(0, 987), intid(0, 988)), (Some(32), Some(1019), None));
        assert_eq!((intid(1, 0), intid(1, 15), intid(1, 16)), (Some(16), Some(31), None));
        assert_eq!((intid(2, 1023), intid(2, 1024)), (Some(5119), None));
        assert_eq!((intid(3, 63), intid(3, 64)), (Some(1119), None));
        assert_eq!(intid(4, 0), None);
    }

    #[test]
    fn specifiers_of_three_and_four_cells() {
        let value: Vec<u8> = [0u32, 1, 4, 1, 11, 8, 0, 2].iter().flat_map(|cell| cell.to_be_bytes()).collect();
        let interrupts = Interrupts { value: &value, parent: Some(7) };
        let three = Decoder { cells: 3, phandle: Some(7), before: None };
        let before = Decoder { phandle: Some(1), before: Some(7), ..three };
        assert_eq!(before.intid(interrupts, 1), Some(27));
        assert_eq!([0, 1, 2].map(|index| three.intid(interrupts, index)), [Some(33), Some(27), None]);
        assert_eq!([0, 1, 2].map(|index| three.is_edge(interrupts, index)), [false; 3]);
        let edge: Vec<u8> = [0u32, 1, 1].iter().flat_map(|cell| cell.to_be_bytes()).collect();
        assert!(three.is_edge(Interrupts { value: &edge, parent: Some(7) }, 0));
        let four = Decoder { cells: 4, ..three };
        assert_eq!([0, 1, 2].map(|index| four.intid(interrupts, index)), [Some(33), None, None]);
        assert_eq!(Decoder { phandle: Some(8), ..three }.intid(interrupts, 0), None);
        assert_eq!(Decoder { cells: 2, ..three }.intid(interrupts, 0), None);
        assert_eq!(Decoder { cells: u32::MAX, ..three }.intid(interrupts, usize::MAX), None);
    }
}
