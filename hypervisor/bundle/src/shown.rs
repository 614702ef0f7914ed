//! What a guest sees of the CPU's features: the ID registers of group 3 (HCR_EL2.TID3), with everything taken out that
//! a guest cannot use, because it is trapped, not saved, or behind the door.

use portcullis_abi::id_register::place;
use portcullis_vgic::GicVersion;

/// The largest value shown of each field of an ID register, the field of bits 3:0 first. 0 hides it: it reads "not
/// implemented". A value that Arm adds later promises what nobody here has looked at, so none goes through unseen.
type Limits = [u8; 16];

/// A signed field (Arm ARM, D24.1.3): 0b1111 is "not implemented", and stays so; any other value is at most 1.
const SIGNED: u8 = 0x1f;
/// A field in which lower values are more, and 0b1111 is none: ID_AA64MMFR0_EL1.TGran4 and TGran64.
const GRANULE: u8 = 0x2f;
/// Any value: what is shown is no feature but a description, or is for AArch32 at EL0 to read.
const ANY: u8 = 0xf;

/// Nothing of the register.
const HIDDEN: Limits = [0; 16];

/// The largest values that a guest may see in S3_0_C0_C`crm`_`op2`.
const fn limits(crm: u64, op2: u64) -> Limits {
    // Fields from bits 3:0 up to bits 63:60.
    match (crm, op2) {
        // AArch32: a guest runs it at EL0 only.
        // ID_PFR0_EL1: no AMU, RAS.
        (1, 0) => [1, 3, 2, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_PFR1_EL1: of EL1 of AArch32, which there is none of; GIC: system registers of version 3.
        (1, 1) => [ANY, ANY, ANY, ANY, ANY, ANY, ANY, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_DFR0_EL1: no trace, PMU; Armv8.8 debug at the most.
        (1, 2) => [10, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_AFR0_EL1: implementation defined.
        (1, 3) => HIDDEN,
        // ID_MMFR0_EL1 to ID_MMFR3_EL1: how AArch32's memory is described.
        (1, 4..=7) => [ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_ISAR0_EL1 to ID_ISAR5_EL1, ID_ISAR6_EL1: instructions of EL0, none of which traps.
        (2, 0..=5 | 7) => [ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_MMFR4_EL1.
        (2, 6) => [ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, 0, 0, 0, 0, 0, 0, 0, 0],
        // MVFR0_EL1 to MVFR2_EL1, ID_PFR2_EL1 (CSV3, SSBS; no RAS fault handling), ID_DFR1_EL1 (none), ID_MMFR5_EL1.
        (3, 0..=2) => [ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, 0, 0, 0, 0, 0, 0, 0, 0],
        (3, 4) => [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        (3, 6) => [3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_AA64PFR0_EL1: EL0, EL1 (AArch64 only), FP and AdvSIMD (FEAT_FP16), GIC (system registers of version 3), DIT, CSV2
        // (no SCXTNUM), CSV3. No EL2 and EL3 for the guest to use, no RAS, SVE, MPAM, AMU.
        (4, 0) => [2, 1, 0, 0, SIGNED, SIGNED, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1],
        // ID_AA64PFR1_EL1: BTI, SSBS. No MTE, SME, random number trap, NMI.
        (4, 1) => [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_AA64DFR0_EL1: the debug architecture (Armv8.8: from Armv8.9 on MDSELR_EL1 is part of it, which traps), breakpoints,
        // watchpoints, context comparisons; double lock. No PMU, SPE, trace, BRBE.
        (5, 0) => [10, 0, 0, ANY, 0, ANY, 0, ANY, 0, SIGNED, 0, 0, 0, 0, 0, 0],
        // ID_AA64ISAR0_EL1: no TME, and no RNDR: random numbers come through the door.
        (6, 0) => [0, 2, 1, 2, 1, 2, 0, 1, 1, 1, 1, 1, 1, 2, 2, 0],
        // ID_AA64ISAR1_EL1: no XS and LS64, which HCRX_EL2 traps.
        (6, 1) => [2, 5, 5, 1, 1, 3, 1, 1, 1, 1, 1, 2, 1, 1, 0, 0],
        // ID_AA64ISAR2_EL1: no WFxT, because WFIT traps on a core that vCPUs share, and ends at once. No MOPS, 128-bit registers
        // and instructions, ATS1A.
        (6, 2) => [0, 1, 1, 5, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0],
        // ID_AA64MMFR0_EL1: PARange of 36 bits, enough for any guest's RAM and within any board's, unless a device of its is beyond
        // that (`FeatureSet::with_40_bits` in `hypervisor/core`); ASIDBits, BigEnd, SNSMem,
        // BigEndEL0, granules (no LPA2, whose addresses are beyond PARange). No stage 2 granules, fine-grained traps, enhanced
        // counter.
        (7, 0) => [1, 2, 1, 1, 1, 1, GRANULE, GRANULE, 0, 0, 0, 0, 0, 0, 0, 0],
        // ID_AA64MMFR1_EL1: HAFDBS (no HAFT: it is in TCR2_EL1), HPDS, PAN, ETS, AFP, ECBHB.
        (7, 1) => [2, 0, 0, 2, 0, 3, 0, 0, 0, 3, 0, 1, 0, 0, 0, 1],
        // ID_AA64MMFR2_EL1: CnP, UAO, LSM, VARange (52 bits at the most), CCIDX, ST, AT, TTL, BBM, E0PD.
        (7, 2) => [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 2, 0, 1],
        // Everything newer is trapped by HCRX_EL2 or not saved.
        _ => HIDDEN,
    }
}

/// What a guest reads of a field whose hardware has `value`, and whose largest one shown is `most`.
fn cut(value: u64, most: u8) -> u64 {
    match most {
        SIGNED if value == 0xf => 0xf,
        SIGNED => value.min(1),
        // 0 is there without LPA2, 1 with it, and 0b1111 is absent.
        GRANULE if value == 0xf => 0xf,
        GRANULE => 0,
        most => value.min(u64::from(most)),
    }
}

/// Position of ID_AA64PFR0_EL1.GIC: the CPU interface is system registers.
const PFR0_GIC: usize = 6;

/// Returns what a guest with an interrupt controller of this kind reads of ID register `number` when a core's holds `raw`.
pub fn shown_of(gic: GicVersion, number: usize, raw: u64) -> u64 {
    let (crm, op2) = place(number);
    shown(gic, crm, op2, raw)
}

/// The same of S3_0_C0_C`crm`_`op2`.
fn shown(gic: GicVersion, crm: u64, op2: u64, raw: u64) -> u64 {
    // No limit makes something out of nothing, and most registers of the group are zero: each core goes through all of them.
    if raw == 0 {
        return 0;
    }
    let mut limits = limits(crm, op2);
    if let ((4, 0), GicVersion::V2, Some(field)) = ((crm, op2), gic, limits.get_mut(PFR0_GIC)) {
        *field = 0;
    }
    // Nor of a field that is zero.
    let fields = (0u32..).step_by(4).zip(limits).take_while(|(shift, _)| raw >> shift != 0);
    fields.fold(0, |shown, (shift, most)| shown | cut(raw >> shift & 0xf, most) << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(crm: u64, op2: u64, raw: u64) -> u64 {
        super::shown(GicVersion::V3, crm, op2, raw)
    }

    #[test]
    fn no_limit_makes_something_out_of_nothing() {
        assert!((0..=u8::MAX).all(|most| cut(0, most) == 0));
        assert!((1..8).all(|crm| (0..8).all(|op2| shown(crm, op2, 0) == 0)));
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
    fn what_is_said_to_be_hidden_is() {
        let fields: &[(u64, u64, &[u32])] = &[
            (1, 0, &[20, 28]),                                   // AMU, RAS
            (1, 2, &[8, 12, 16, 20, 24, 28]),                    // trace, PMU
            (4, 0, &[8, 12, 28, 32, 36, 40, 44, 52]),            // EL2, EL3, RAS, SVE, SEL2, MPAM, AMU, RME
            (4, 1, &[8, 12, 16, 20, 24, 28, 32, 36, 40, 44]),    // MTE, SME, random number trap, NMI, GCS
            (5, 0, &[4, 8, 16, 24, 32, 40, 44, 48, 52, 56, 60]), // trace, PMU, SPE, BRBE
            (6, 0, &[24, 60]),                                   // TME, RNDR
            (6, 1, &[56, 60]),                                   // XS, LS64
            (6, 2, &[0, 16, 32, 36, 60]),                        // WFxT, MOPS, 128 bits, ATS1A
            (7, 0, &[32, 36, 40, 44, 48, 52, 56, 60]),           // stage 2 granules, ExS, FGT, ECV
            (7, 1, &[4, 8, 16, 24, 28, 32, 40, 48, 52, 56]),     // VMIDBits, VH, LO, XNX, TWED, HCX
            (7, 2, &[12, 24, 36, 40, 44, 56]),                   // IESB, NV, IDS, FWB, EVT
        ];
        for &(crm, op2, shifts) in fields {
            for value in 1..=0xf {
                for &shift in shifts {
                    assert_eq!(shown(crm, op2, value << shift), 0, "S3_0_C0_C{crm}_{op2}, {value:#x} at {shift}");
                }
            }
        }
        for (crm, op2) in [(1, 3), (3, 5), (4, 2), (4, 4), (4, 5), (5, 1), (5, 4), (6, 3), (7, 3), (7, 4)] {
            assert_eq!(shown(crm, op2, u64::MAX), 0, "S3_0_C0_C{crm}_{op2}");
        }
    }

    /// Whatever Arm gives a meaning later, a guest sees no more than the table says.
    #[test]
    fn no_field_is_above_its_limit() {
        for crm in 1..8 {
            for op2 in 0..8 {
                for (field, most) in limits(crm, op2).into_iter().enumerate() {
                    for value in 0..=0xf {
                        let got = shown(crm, op2, value << (field * 4)) >> (field * 4);
                        let fits = match most {
                            SIGNED => got <= 1 || (got, value) == (0xf, 0xf),
                            GRANULE => got == 0 || (got, value) == (0xf, 0xf),
                            most => got <= u64::from(most),
                        };
                        assert!(fits && got <= value, "S3_0_C0_C{crm}_{op2} field {field}: {value:#x} gives {got:#x}");
                    }
                }
            }
        }
    }

    #[test]
    fn versions_with_registers_that_trap_are_cut() {
        assert_eq!(shown(5, 0, 0xb) & 0xf, 0xa, "Armv8.9 debug has MDSELR_EL1");
        assert_eq!(shown(7, 1, 3) & 0xf, 2, "HAFT is in TCR2_EL1");
        assert_eq!(shown(7, 0, 0x1020_0000), 0x0010_0000, "LPA2 beside 36 bits of address");
        assert_eq!(shown(6, 2, 2) & 0xf, 0, "WFxT");
    }

    /// A Cortex-A72's registers, as QEMU has them: what it has besides is what no guest uses.
    #[test]
    fn an_older_core_is_shown_as_it_is() {
        for (crm, op2, raw, expected) in [
            (4, 0, 0x0000_0222, 0x0012),
            (5, 0, 0x1030_5106, 0x1030_5006),
            (6, 0, 0x0001_1120, 0x0001_1120),
            (7, 0, 0x0000_1124, 0x0000_1121),
            (1, 0, 0x0000_0131, 0x0000_0131),
            (3, 0, 0x1011_0222, 0x1011_0222),
        ] {
            assert_eq!(shown(crm, op2, raw), expected, "S3_0_C0_C{crm}_{op2}");
        }
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
        let absent = 0xff << 16;
        assert_eq!(shown(4, 0, absent) & absent, absent);
    }
}
