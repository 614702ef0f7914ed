//! The interrupt controller, from its node (`interrupt-controller/arm,gic.yaml`, `arm,gic-v3.yaml`).

use portcullis_board::Range;

use super::Gic;
use super::error::FactsError;
use super::interrupt::{Decoder, Interrupts};
use super::list::List;

/// Bytes of a frame of a GICv3's redistributor, and of the two that each has at least (IHI 0069, section 12.10).
pub const REDISTRIBUTOR_FRAME: u64 = 0x1_0000;
/// See [`REDISTRIBUTOR_FRAME`].
pub const REDISTRIBUTOR_SIZE: u64 = 2 * REDISTRIBUTOR_FRAME;

/// Whether an interrupt controller that is `compatible` is a GICv3 or later, else a GICv2; none if it is no GIC that is known.
pub fn is_v3(compatible: &[u8]) -> Option<bool> {
    match compatible {
        b"arm,gic-v3" => Some(true),
        b"arm,gic-400" | b"arm,cortex-a15-gic" | b"arm,cortex-a7-gic" => Some(false),
        _ => None,
    }
}

/// What its node says.
#[derive(Clone, Copy)]
pub struct GicNode<'a> {
    /// GICv3 or later, else GICv2.
    pub is_v3: bool,
    pub regions: List<Range, 8>,
    pub redistributor_regions: usize,
    pub stride: Option<u64>,
    pub decoder: Decoder,
    pub interrupts: Interrupts<'a>,
}

impl GicNode<'_> {
    /// Sorts the regions by what they are.
    pub fn finish(&self) -> Result<Gic, FactsError> {
        let wrong = |property, expected| FactsError::Property { node: "interrupt controller", property, expected };
        // A GICv2 without virtualization extensions has no maintenance interrupt either; its registers say more.
        if !self.is_v3 && self.regions.len() < 4 {
            return Err(wrong("reg", "GICD, GICC, GICH and GICV: a GICv2 with virtualization extensions"));
        }
        let maintenance = self.decoder.intid(self.interrupts, 0);
        let maintenance = maintenance.ok_or(wrong("interrupts", "the maintenance interrupt, in 3 cells or more"))?;
        if self.is_v3 {
            let expected = "distributor and redistributors, #redistributor-regions of them and 4 at most";
            let (distributor, rest) = self.regions.split_first().ok_or(wrong("reg", expected))?;
            let regions = rest.get(..self.redistributor_regions).ok_or(wrong("reg", expected))?;
            let mut redistributors = List::default();
            if regions.is_empty() || !regions.iter().all(|region| redistributors.push(*region)) {
                return Err(wrong("reg", expected));
            }
            let fits = |stride: &u64| *stride >= REDISTRIBUTOR_SIZE && stride.is_multiple_of(REDISTRIBUTOR_FRAME);
            if self.stride.is_some_and(|stride| !fits(&stride)) {
                return Err(wrong("redistributor-stride", "a multiple of 64 KiB, and 128 KiB at least"));
            }
            return Ok(Gic::V3 { distributor: *distributor, redistributors, stride: self.stride, maintenance });
        }
        match *self.regions {
            [distributor, cpu_interface, hypervisor_interface, virtual_interface, ..] => {
                Ok(Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_interface, maintenance })
            }
            _ => Err(wrong("reg", "GICD, GICC, GICH and GICV: a GICv2 with virtualization extensions")),
        }
    }
}
