//! A GICv2 of a test's machine: what [`crate::gicv2`] uses, as this thread's core finds it.

use std::collections::BTreeMap;

use super::core::{Gicv2, Hardware, with};
use super::event::{Event, Frame};

/// GICC_IAR.
const IAR: usize = 0xc;
/// GICH_VTR.
const VTR: usize = 0x4;
/// GICH_ELRSR0.
const ELRSR0: usize = 0x30;
/// GICH_LR0.
const LR0: usize = 0x100;

/// Makes this thread's machine one with a GICv2 that EL2 has found, with so many list registers and five bits of
/// priority.
pub fn install(list_registers: usize) {
    let registers =
        BTreeMap::from([((Frame::Gich, VTR), 0x9000_0000 | (list_registers as u32).wrapping_sub(1) & 0x3f)]);
    with(|core| core.gicv2 = Some(Gicv2 { registers, lists: list_registers, ..Gicv2::default() }));
}

/// Whether there is one.
pub fn is_found() -> bool {
    lists() != 0
}

/// Notes how many list registers there are.
pub fn find(list_registers: usize) {
    with(|core| {
        if let Some(gic) = &mut core.gicv2 {
            gic.lists = list_registers;
        }
    });
}

/// How many list registers are known; 0 without a GICv2.
pub fn lists() -> usize {
    with(|core| core.gicv2.as_ref().map_or(0, |gic| gic.lists))
}

/// The bit in target lists that is known of a core; zero if none is.
pub fn target(core: usize) -> u8 {
    with(|here| here.gicv2.as_ref().and_then(|gic| gic.targets.get(&core)).copied().unwrap_or(0))
}

/// Notes the bit in target lists of a core.
pub fn set_target(core: usize, bit: u8) {
    with(|here| {
        if let Some(gic) = &mut here.gicv2 {
            gic.targets.insert(core, bit);
        }
    });
}

/// Reads a register; zero without a GICv2.
pub fn read(frame: Frame, offset: usize) -> u32 {
    with(|core| match (&core.gicv2, frame, offset) {
        (None, ..) => 0,
        (Some(_), Frame::Gicc, IAR) => core.acknowledge(),
        (Some(gic), Frame::Gich, ELRSR0) => empty_list_registers(gic),
        (Some(gic), ..) => held(gic, frame, offset),
    })
}

/// Writes a register; nothing without a GICv2.
pub fn write(frame: Frame, offset: usize, value: u32) {
    with(|core: &mut Hardware| {
        if let Some(gic) = &mut core.gicv2 {
            gic.registers.insert((frame, offset), value);
            core.note(Event::WriteGicv2(frame, offset, value));
        }
    });
}

/// What the register holds.
fn held(gic: &Gicv2, frame: Frame, offset: usize) -> u32 {
    gic.registers.get(&(frame, offset)).copied().unwrap_or(0)
}

/// GICH_ELRSR0: as ICH_ELRSR_EL2, with the bits where `GICH_LR<n>` has them (IHI 0048, 5.3.10).
fn empty_list_registers(gic: &Gicv2) -> u32 {
    let count = (held(gic, Frame::Gich, VTR) & 0x3f) as usize + 1;
    let is_empty = |value: u32| value >> 28 & 3 == 0 && (value >> 31 == 1 || value >> 19 & 1 == 0);
    let all = (0..count.min(32)).map(|n| held(gic, Frame::Gich, LR0 + n * 4));
    all.enumerate().fold(0, |set, (n, value)| set | u32::from(is_empty(value)) << n)
}
