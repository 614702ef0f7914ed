//! The distributor's frame as a guest reads it, and as a hostile one writes it.

use fastrand::Rng;

use super::*;

#[test]
fn reset_values() {
    let gic = fresh(3);
    assert_eq!(read(&gic, 0, CTLR), 0);
    // 288 INTIDs, three CPU interfaces, no Security Extensions.
    assert_eq!(read(&gic, 0, 4), 2 << 5 | 8);
    assert_eq!(read(&gic, 0, 8) & 0xfff, 0x43b);
    for (offset, expected) in [
        // Group 0; SGIs enabled for ever; nothing pending or active.
        (0x80, 0),
        (0x84, 0),
        (ISENABLER, 0xffff),
        (ICENABLER, 0xffff),
        (ISENABLER + 4, 0),
        (ISPENDR, 0),
        (ISACTIVER, 0),
        (IPRIORITYR, 0),
        (IPRIORITYR + 32, 0),
        (ICFGR, 0xaaaa_aaaa),
        (ICFGR + 8, 0),
        (SGIR, 0),
        (SPENDSGIR, 0),
        (CPENDSGIR, 0),
        // No SPI goes anywhere.
        (ITARGETSR + 32, 0),
        // No security states.
        (0xe00, 0),
        // Revision 2 of the architecture.
        (0xfe8, 0x2b),
        (0xff0, 0x0d),
        (0xffc, 0xb1),
        // Beyond the frame.
        (0x1000, 0),
        (IROUTER + 32 * 8, 0),
        (0xffe8, 0),
    ] {
        assert_eq!(read(&gic, 1, offset), expected, "{offset:#x}");
    }
    assert_eq!(read(&fresh(1), 0, 4), 8);
    assert_eq!(read(&fresh(8), 0, 4), 7 << 5 | 8);
}

#[test]
fn control_has_two_enables() {
    let gic = fresh(1);
    let _ = write(&gic, 0, CTLR, 0xffff_ffff);
    assert_eq!(read(&gic, 0, CTLR), 3);
}

#[test]
fn registers_of_private_interrupts_are_banked() {
    let gic = fresh(2);
    let _ = write(&gic, 0, ISENABLER, 1 << 27);
    let _ = write(&gic, 1, 0x80, 1 << 29);
    let _ = write_byte(&gic, 1, IPRIORITYR + 27, 0xa7);
    let _ = write(&gic, 1, ICFGR + 4, 2 << 22);
    assert_eq!([0, 1].map(|vcpu| read(&gic, vcpu, ISENABLER)), [1 << 27 | 0xffff, 0xffff]);
    assert_eq!([0, 1].map(|vcpu| read(&gic, vcpu, 0x80)), [0, 1 << 29]);
    assert_eq!([0, 1].map(|vcpu| read(&gic, vcpu, IPRIORITYR + 24)), [0, 0xa000_0000]);
    assert_eq!([0, 1].map(|vcpu| read(&gic, vcpu, ICFGR + 4)), [0, 2 << 22]);
    // Those of SPIs are not.
    let _ = write(&gic, 0, ISENABLER + 4, 0x12);
    assert_eq!(read(&gic, 1, ISENABLER + 4), 0x12);
}

#[test]
fn sgis_are_enabled_edge_triggered_and_not_pended_by_the_common_registers() {
    let gic = fresh(1);
    let _ = write(&gic, 0, ICENABLER, 0xffff_ffff);
    let _ = write(&gic, 0, ICFGR, 0);
    let _ = write(&gic, 0, ISPENDR, 0xffff);
    assert_eq!([read(&gic, 0, ISENABLER), read(&gic, 0, ICFGR), read(&gic, 0, ISPENDR)], [0xffff, 0xaaaa_aaaa, 0]);
    let _ = write(&gic, 0, SPENDSGIR + 4, 1 << 8);
    let _ = write(&gic, 0, ICPENDR, 0xffff);
    assert_eq!([ISPENDR, ICPENDR].map(|offset| read(&gic, 0, offset)), [1 << 5; 2]);
}

#[test]
fn linked_interrupts_are_reported() {
    let gic = fresh(2);
    let write = gic.write_gicv2_distributor(1, ISENABLER, 4, 1 << 27 | 1 << 26);
    assert_eq!((write.enabled, write.disabled), (1 << 27, 0));
    assert_eq!((gic.enabled_private(0), gic.enabled_private(1)), (0xffff, 1 << 27 | 1 << 26 | 0xffff));
    let write = gic.write_gicv2_distributor(1, ICENABLER, 4, 0xffff_ffff);
    assert_eq!((write.enabled, write.disabled), (0, 1 << 27));
}

#[test]
fn sizes_and_alignment() {
    let gic = enabled(2);
    let core = Core::v2(4);
    let sized = |offset, size| gic.read_gicv2_distributor(0, offset, size, &core);
    let _ = write_byte(&gic, 0, IPRIORITYR + 33, 0xff);
    assert_eq!([sized(IPRIORITYR + 33, 1), sized(IPRIORITYR + 32, 4), sized(IPRIORITYR + 33, 4)], [0xf8, 0xf800, 0]);
    assert_eq!(
        [sized(ITARGETSR, 1), sized(ITARGETSR, 4), sized(ITARGETSR, 2), sized(ITARGETSR + 1, 4)],
        [1, 0x0101_0101, 0, 0]
    );
    for (offset, size) in [(CTLR, 1), (CTLR, 2), (CTLR, 8), (4, 1), (ISENABLER, 1), (ISENABLER + 2, 4), (0xfe8, 1)] {
        assert_eq!(sized(offset, size), 0, "{offset:#x} {size}");
    }
    for (offset, size) in [(SGIR, 1), (SGIR, 8), (SPENDSGIR, 2), (SPENDSGIR + 1, 4), (SPENDSGIR, 8)] {
        let _ = gic.write_gicv2_distributor(0, offset, size, 0x0101_0101);
    }
    assert_eq!(read(&gic, 0, ISPENDR) & 0xffff, 0);
}

/// Every offset with every size, and beyond the frame: no panic, and nothing that the model cannot live with.
/// Under Miri every so many-th offset is accessed.
const STEP: usize = if cfg!(miri) { 1_021 } else { 1 };

#[test]
fn hostile_accesses() {
    let mut random = Rng::with_seed(11);
    let gic = fresh(3);
    let mut cores: [Core; 3] = cores(&gic);
    for offset in (0..0x1_0010u64).step_by(STEP).chain([u64::MAX, u64::MAX - 7, 1 << 32, 1 << 63]) {
        for size in [0, 1, 2, 4, 8, 3, 16, 255] {
            let vcpu = random.usize(..3);
            let core = &mut cores[vcpu];
            gic.read_gicv2_distributor(vcpu, offset, size, core);
            let _ = gic.write_gicv2_distributor(vcpu, offset, size, random.u64(..));
            let _ = gic.write_sgir(vcpu, random.u64(..) as u32);
            if random.usize(..64) == 0 {
                let _ = core.enter(&gic, vcpu);
                core.acknowledge();
            }
            if random.usize(..128) == 0 {
                core.end();
            }
        }
    }
    for vcpu in [99, usize::MAX] {
        let core = &mut Core::v2(4);
        let _ = gic.write_gicv2_distributor(vcpu, ISENABLER, 4, 1);
        let _ = gic.write_gicv2_distributor(vcpu, SPENDSGIR, 4, u64::MAX);
        let _ = gic.write_gicv2_distributor(vcpu, SGIR, 4, 0x0200_0001);
        gic.read_gicv2_distributor(vcpu, ISPENDR, 4, core);
        gic.read_gicv2_distributor(vcpu, CPENDSGIR, 4, core);
        assert!(!gic.needs_flush(vcpu) && core.reset(&gic, vcpu).is_empty());
    }
}
