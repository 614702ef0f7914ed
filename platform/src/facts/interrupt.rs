//! Interrupts: from the specifiers of the GIC's bindings (`interrupt-controller/arm,gic.yaml`, `arm,gic-v3.yaml`) to
//! INTIDs (GIC architecture, Arm IHI 0069, section 2.2).

use portcullis_board::Range;

use super::list::List;
use super::properties::cell;
use crate::driver::Inverter;

/// Triggers in a specifier's third cell.
const EDGE_RISING: u32 = 1;
const EDGE_FALLING: u32 = 2;
const LEVEL_LOW: u32 = 8;
/// The first SPI, and how many there are.
const FIRST_SPI: u32 = 32;
const SPIS: u32 = 988;

/// The `interrupts` of a node, before it is known which controller they belong to.
#[derive(Clone, Copy, Default)]
pub struct Interrupts<'a> {
    /// The property's value.
    pub value: &'a [u8],
    /// Phandle of the controller.
    pub parent: Option<u32>,
    /// The value is that of `interrupts-extended`, in which each interrupt is behind its controller's phandle.
    pub extended: bool,
}

/// What it takes to read interrupt specifiers of the GIC.
#[derive(Clone, Copy, Default)]
pub struct Decoder {
    /// The GIC's `#interrupt-cells`.
    pub cells: u32,
    /// The GIC's phandle.
    pub phandle: Option<u32>,
    /// A controller before it, if there is one.
    pub before: Option<Before>,
}

/// A controller that stands before the GIC: whatever is wired to it is wired to the GIC by the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its phandle.
    pub phandle: Option<u32>,
    /// Its `#interrupt-cells`.
    pub cells: u32,
    /// Registers in which each SPI has a bit that turns it round, the first SPI's in bit 0 of the first one; empty if it has none.
    pub inverts: List<Range, 4>,
}

impl Before {
    /// Where SPI `number` is turned round, or not.
    fn inverter(&self, number: u32, invert: bool) -> Option<Inverter> {
        let mut offset = u64::from(number / 32).checked_mul(4)?;
        for range in self.inverts.iter() {
            if offset < range.size() {
                return Some(Inverter { register: range.start.checked_add(offset)?, bit: number % 32, invert });
            }
            offset = offset.checked_sub(range.size())?;
        }
        None
    }
}

/// Whether a controller that is `compatible` stands before the GIC, and then whether it turns interrupts round. One only
/// decides what wakes the system (i.MX 8M Dual/8M QuadLite/8M Quad Applications Processors Reference Manual, "GPC"); MediaTek's
/// makes high and rising what the GIC would not take (Linux, `interrupt-controller/mediatek,mt6577-sysirq.yaml`).
pub fn is_before_gic(compatible: &[u8]) -> Option<bool> {
    match compatible {
        b"fsl,imx8mq-gpc" => Some(false),
        b"mediatek,mt6577-sysirq" => Some(true),
        _ => None,
    }
}

impl Decoder {
    /// The INTID of a node's interrupt number `index`; none if it has fewer, or if they go to another controller.
    pub fn intid(&self, interrupts: Interrupts<'_>, index: usize) -> Option<u32> {
        intid_of(self.specifier(interrupts, index)?)
    }

    /// Whether a node's interrupt number `index` comes to the GIC as a rising edge; else it follows its line.
    pub fn is_edge(&self, interrupts: Interrupts<'_>, index: usize) -> bool {
        let inverted = || self.inverter(interrupts, index).is_some_and(|inverter| inverter.invert);
        match self.specifier(interrupts, index).and_then(flags_of) {
            Some(EDGE_RISING) => true,
            Some(EDGE_FALLING) => inverted(),
            _ => false,
        }
    }

    /// What turns a node's interrupt number `index` round on its way to the GIC, if anything does.
    pub fn inverter(&self, interrupts: Interrupts<'_>, index: usize) -> Option<Inverter> {
        let before = self.before.as_ref()?;
        let (parent, specifier) = self.entry(interrupts, index)?;
        let number = intid_of(specifier)?.checked_sub(FIRST_SPI).filter(|number| *number < SPIS)?;
        let low = matches!(flags_of(specifier)?, EDGE_FALLING | LEVEL_LOW);
        if parent.is_some() && parent == before.phandle { before.inverter(number, low) } else { None }
    }

    /// Kind, number and trigger of an interrupt, in a cell each.
    fn specifier<'a>(&self, interrupts: Interrupts<'a>, index: usize) -> Option<&'a [u8]> {
        Some(self.entry(interrupts, index)?.1)
    }

    /// The phandle of an interrupt's controller, if the tree tells, and its specifier. How long one of another controller would
    /// be is not known here, so none behind it is found either.
    fn entry<'a>(&self, interrupts: Interrupts<'a>, index: usize) -> Option<(Option<u32>, &'a [u8])> {
        let mut rest = interrupts.value;
        if !interrupts.extended {
            let size = self.size_of(interrupts.parent)?;
            let specifier = rest.get(size.checked_mul(index)?..)?.get(..size)?;
            return Some((interrupts.parent, specifier));
        }
        let mut next = || {
            let parent = Some(take_cell(&mut rest)?);
            let (specifier, others) = rest.split_at_checked(self.size_of(parent)?)?;
            rest = others;
            Some((parent, specifier))
        };
        for _ in 0..index {
            next()?;
        }
        next()
    }

    /// Bytes of a specifier of this controller, if it is the GIC or what stands before it. Without any word of one it is the GIC.
    fn size_of(&self, parent: Option<u32>) -> Option<usize> {
        let cells = match &self.before {
            _ if parent.is_none() || parent == self.phandle => self.cells,
            Some(before) if before.phandle == parent => before.cells,
            _ => return None,
        };
        (cells as usize).checked_mul(4).filter(|size| *size >= 12)
    }
}

/// Takes a cell off the front of a value.
fn take_cell(value: &mut &[u8]) -> Option<u32> {
    let (front, rest) = value.split_first_chunk()?;
    *value = rest;
    Some(u32::from_be_bytes(*front))
}

/// The INTID of a specifier.
fn intid_of(specifier: &[u8]) -> Option<u32> {
    intid(cell(specifier.get(..4)?)?, cell(specifier.get(4..8)?)?)
}

/// The trigger in a specifier.
fn flags_of(specifier: &[u8]) -> Option<u32> {
    Some(cell(specifier.get(8..12)?)? & 0xf)
}

/// The INTID for the first two cells of a specifier: kind and number.
fn intid(kind: u32, number: u32) -> Option<u32> {
    let (first, count) = match kind {
        0 => (FIRST_SPI, SPIS),
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
        let interrupts = Interrupts { value: &value, parent: Some(7), extended: false };
        let three = Decoder { cells: 3, phandle: Some(7), before: None };
        let before = Before { phandle: Some(7), cells: 3, inverts: List::default() };
        let before = Decoder { phandle: Some(1), before: Some(before), ..three };
        assert_eq!(before.intid(interrupts, 1), Some(27));
        assert_eq!([0, 1, 2].map(|index| three.intid(interrupts, index)), [Some(33), Some(27), None]);
        assert_eq!([0, 1, 2].map(|index| three.is_edge(interrupts, index)), [false; 3]);
        let edge: Vec<u8> = [0u32, 1, 1].iter().flat_map(|cell| cell.to_be_bytes()).collect();
        assert!(three.is_edge(Interrupts { value: &edge, parent: Some(7), extended: false }, 0));
        let four = Decoder { cells: 4, ..three };
        assert_eq!([0, 1, 2].map(|index| four.intid(interrupts, index)), [Some(33), None, None]);
        assert_eq!(Decoder { phandle: Some(8), ..three }.intid(interrupts, 0), None);
        assert_eq!(Decoder { cells: 2, ..three }.intid(interrupts, 0), None);
        assert_eq!(Decoder { cells: u32::MAX, ..three }.intid(interrupts, usize::MAX), None);
    }

    fn value(cells: &[u32]) -> Vec<u8> {
        cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
    }

    #[test]
    fn interrupts_with_their_controllers() {
        let gic = Decoder { cells: 3, phandle: Some(7), before: None };
        let of = |value| Interrupts { value, parent: Some(9), extended: true };
        let timer = value(&[7, 1, 13, 8, 7, 1, 14, 8, 7, 1, 11, 8]);
        assert_eq!(
            [0, 1, 2, 3].map(|index| gic.intid(of(&timer), index)),
            [Some(29), Some(30), Some(27), None],
            "whatever the interrupt parent is"
        );
        // Behind another controller's, whose length is not known, nothing is found.
        let mixed = value(&[7, 0, 4, 4, 8, 1, 2, 3, 7, 0, 5, 4]);
        assert_eq!([0, 1, 2].map(|index| gic.intid(of(&mixed), index)), [Some(36), None, None]);
        assert_eq!(gic.intid(of(&timer[..16]), 0), Some(29));
        assert_eq!(gic.intid(of(&timer[..14]), 0), None, "cut short");
    }

    #[test]
    fn what_turns_an_interrupt_round() {
        let mut inverts = List::default();
        assert!(
            [(0x1020_0a80, 0x8), (0x1020_0c80, 0x20)].iter().all(|(at, size)| inverts.push(Range::sized(*at, *size)))
        );
        let before = Some(Before { phandle: Some(7), cells: 3, inverts });
        // A specifier of the GIC's own is longer than one of what is before it, as on MediaTek's MT8183.
        let decoder = Decoder { cells: 4, phandle: Some(1), before };
        fn of(value: &[u8], parent: u32) -> Interrupts<'_> {
            Interrupts { value, parent: Some(parent), extended: false }
        }
        let inverter = |number, flags, parent| decoder.inverter(of(&value(&[0, number, flags, 0]), parent), 0);
        let at = |register, bit, invert| Some(Inverter { register, bit, invert });
        assert_eq!(inverter(33, 8, 7), at(0x1020_0a84, 1, true), "low");
        assert_eq!(inverter(33, 4, 7), at(0x1020_0a84, 1, false), "high is what the GIC takes");
        assert_eq!(inverter(91, 2, 7), at(0x1020_0c80, 27, true), "in the second range, falling");
        assert_eq!((inverter(91, 8, 1), inverter(32 * 10, 8, 7)), (None, None), "the GIC's own; beyond the registers");
        let falling = value(&[0, 91, 2, 0]);
        assert_eq!([7, 1].map(|parent| decoder.is_edge(of(&falling, parent), 0)), [true, false]);
        assert_eq!(decoder.intid(of(&falling, 7), 0), Some(123), "by the same number");
        let two = value(&[0, 91, 2, 0, 92, 8]);
        assert_eq!([7, 1].map(|parent| decoder.intid(of(&two, parent), 1)), [Some(124), None]);
    }
}
