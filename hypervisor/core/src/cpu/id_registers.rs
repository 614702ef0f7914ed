//! What a guest sees of the CPU's features: the ID registers of group 3 (HCR_EL2.TID3), with everything taken out that
//! a guest cannot use, because it is trapped, not saved, or behind the door.

use portcullis_arch::id;
use portcullis_vgic::GicVersion;

use super::gic;

/// A nibble of an ID register, by the position of its lowest bit.
const fn field(shift: u32) -> u64 {
    0xf << shift
}

/// The fields of a register that a guest may see. Those left out read as zero: not implemented.
const fn visible(crm: u64, op2: u64) -> u64 {
    match (crm, op2) {
        // AArch32: a guest runs it at EL0 only.
        (1, 0) => !(field(20) | field(28)), // ID_PFR0_EL1: no AMU, RAS
        (1, 2) => !(field(16) | field(20) | field(24) | field(28)), // ID_DFR0_EL1: no trace, PMU
        (1..=3, _) => u64::MAX,
        // ID_AA64PFR0_EL1: EL0, EL1, FP, AdvSIMD, GIC, DIT, CSV2, CSV3. No EL2 and EL3 for the guest to use, no RAS, SVE,
        // MPAM, AMU.
        (4, 0) => field(0) | field(4) | field(16) | field(20) | field(24) | field(48) | field(56) | field(60),
        // ID_AA64PFR1_EL1: BTI, SSBS. No MTE, SME, random number trap, NMI.
        (4, 1) => field(0) | field(4),
        // ID_AA64DFR0_EL1: the debug architecture. No PMU, SPE, trace, BRBE.
        (5, 0) => field(0) | field(12) | field(20) | field(28) | field(36),
        // ID_AA64ISAR0_EL1: no TME, and no RNDR: random numbers come through the door.
        (6, 0) => !(field(0) | field(24) | field(60)),
        // ID_AA64ISAR1_EL1: no XS and LS64, which HCRX_EL2 traps.
        (6, 1) => !(field(56) | field(60)),
        // ID_AA64ISAR2_EL1: no MOPS, 128-bit registers and instructions, ATS1A.
        (6, 2) => !(field(16) | field(32) | field(36) | field(60)),
        // ID_AA64MMFR0_EL1: no fine-grained traps, enhanced counter, stage 2 granules.
        (7, 0) => field(0) | field(4) | field(8) | field(16) | field(20) | field(24) | field(28),
        // ID_AA64MMFR1_EL1: HAFDBS, HPDS, PAN, ETS, AFP.
        (7, 1) => field(0) | field(12) | field(20) | field(36) | field(44),
        // ID_AA64MMFR2_EL1: CnP, UAO, LSM, VARange, CCIDX, ST, AT, TTL, BBM, E0PD.
        (7, 2) => {
            field(0)
                | field(4)
                | field(8)
                | field(16)
                | field(20)
                | field(28)
                | field(32)
                | field(48)
                | field(52)
                | field(60)
        }
        // Everything newer is trapped by HCRX_EL2 or not saved.
        _ => 0,
    }
}

/// ID_AA64PFR0_EL1: fields whose value is capped, with the largest value shown: EL1 is AArch64 only; GIC system registers
/// of version 3; no SCXTNUM (CSV2 of 2).
const PFR0_CAPS: [(u32, u64); 3] = [(4, 1), (24, 1), (56, 1)];
/// ID_AA64MMFR0_EL1.PARange: 36 bits, enough for any guest's RAM and within any board's.
const MMFR0_CAPS: [(u32, u64); 1] = [(0, 1)];

/// ID_AA64PFR0_EL1.GIC: the CPU interface is system registers.
const PFR0_GIC: u64 = field(24);

/// What the guest, with an interrupt controller of this kind, reads when the hardware's register holds `raw`.
fn shown(gic: GicVersion, crm: u64, op2: u64, raw: u64) -> u64 {
    let value = raw & visible(crm, op2);
    match (crm, op2) {
        (4, 0) if gic == GicVersion::V2 => cap(value & !PFR0_GIC, &PFR0_CAPS),
        (4, 0) => cap(value, &PFR0_CAPS),
        (7, 0) => cap(value, &MMFR0_CAPS),
        _ => value,
    }
}

fn cap(value: u64, caps: &[(u32, u64)]) -> u64 {
    caps.iter().fold(value, |value, &(shift, most)| value & !field(shift) | (value >> shift & 0xf).min(most) << shift)
}

/// Registers of the group: S3_0_C0_C1_0 to S3_0_C0_C7_7.
pub const COUNT: usize = 7 * 8;

/// The number of S3_0_C0_C`crm`_`op2` in the group, from 0; [`COUNT`] or more if it is not in it.
#[inline]
pub const fn number(crm: u64, op2: u64) -> usize {
    (crm.wrapping_sub(1) as usize).saturating_mul(8).saturating_add(op2 as usize)
}

/// What register `number` of the group shows to guests on the core on which this runs.
pub fn shown_here(number: usize) -> u64 {
    let (crm, op2) = (number as u64 / 8 + 1, number as u64 % 8);
    shown(gic::version(), crm, op2, id::read(crm, op2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(crm: u64, op2: u64, raw: u64) -> u64 {
        super::shown(GicVersion::V3, crm, op2, raw)
    }

    #[test]
    fn a_guest_with_a_gicv2_has_no_gic_registers() {
        assert_eq!(super::shown(GicVersion::V2, 4, 0, 0x0300_0022), 0x12);
    }

    #[test]
    fn random_numbers_come_through_the_door_only() {
        assert_eq!(shown(6, 0, u64::MAX) >> 60, 0);
    }

    #[test]
    fn nothing_trapped_is_shown() {
        let shown_field = |crm, op2, shift: u32| shown(crm, op2, u64::MAX) >> shift & 0xf;
        for (crm, op2, shift) in [(4, 0, 32), (4, 0, 28), (4, 1, 8), (4, 1, 24), (5, 0, 8), (6, 1, 60), (6, 2, 16)] {
            assert_eq!(shown_field(crm, op2, shift), 0, "S3_0_C0_C{crm}_{op2} bits from {shift}");
        }
        assert_eq!(shown(4, 4, u64::MAX), 0);
        assert_eq!(shown(7, 3, u64::MAX), 0);
    }

    #[test]
    fn numbers_are_those_of_the_group() {
        assert_eq!((number(1, 0), number(7, 7)), (0, COUNT - 1));
        assert!(number(0, 0) >= COUNT && number(8, 0) >= COUNT);
    }

    #[test]
    fn capped_fields_never_grow() {
        assert_eq!(shown(7, 0, 0x0), 0);
        assert_eq!(shown(7, 0, 0x6) & 0xf, 1);
        assert_eq!(shown(4, 0, 0x0300_0022), 0x0100_0012);
        assert_eq!(shown(4, 0, 0), 0);
    }

    #[test]
    fn floating_point_absent_stays_absent() {
        let absent = field(16) | field(20);
        assert_eq!(shown(4, 0, absent) & absent, absent);
    }
}
