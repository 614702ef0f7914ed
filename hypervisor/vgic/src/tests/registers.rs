//! The register frames as a guest reads them, and as a hostile one writes them.

use fastrand::Rng;

use super::*;

#[test]
fn distributor_identification() {
    let gic = Vgic::new(2);
    let core = Core::new(4);
    let read = |offset, size| gic.read_distributor(0, offset, size, &core);
    assert_eq!(read(CTLR, 4), 0x50);
    let _ = gic.write_distributor(0, CTLR, 4, 0x37);
    assert_eq!(read(CTLR, 4), 0x53);
    // 288 INTIDs, 10 bits of them, one Security state, no LPIs, no 1-of-N.
    assert_eq!(read(4, 4), 0x0348_0008);
    assert_eq!(read(0xffe8, 4) & 0xf0, 0x30);
    assert_eq!([0xfff0, 0xfff4, 0xfff8, 0xfffc].map(|offset| read(offset, 4)), [0x0d, 0xf0, 0x05, 0xb1]);
    assert_eq!([read(4, 1), read(4, 2), read(4, 8), read(5, 4), read(6, 4)], [0; 5]);
}

#[test]
fn redistributor_identification() {
    let gic = Vgic::new(3);
    let core = Core::new(4);
    for frame in 0..3u64 {
        let read = |offset, size| gic.read_redistributor(0, frame as usize, offset, size, &core);
        let last = if frame == 2 { 0x10 } else { 0 };
        assert_eq!(read(8, 8), frame << 32 | frame << 8 | last);
        assert_eq!([read(8, 4), read(0xc, 4)], [frame << 8 | last, frame]);
        assert_eq!(read(0xffe8, 4) & 0xf0, 0x30);
        assert_eq!(read(0x14, 4), 6);
        let _ = gic.write_redistributor(0, frame as usize, 0x14, 4, 0);
        assert_eq!(read(0x14, 4), 0);
        let _ = gic.write_redistributor(0, frame as usize, 0x14, 4, 0xffff_ffff);
        assert_eq!(read(0x14, 4), 6);
    }
    assert_eq!(gic.read_redistributor(0, 3, 8, 8, &core), 0);
    assert_eq!(gic.read_redistributor(0, 2, 0x2_0008, 8, &core), 0);
}

#[test]
fn banked_registers() {
    let gic = Vgic::new(2);
    let core = Core::new(4);
    // Private ones are in the redistributor only, each vCPU has its own.
    let _ = gic.write_distributor(0, ISENABLER, 4, !0);
    assert_eq!(gic.read_distributor(0, ISENABLER, 4, &core), 0);
    let _ = gic.write_redistributor(0, 1, SGI_BASE + ISENABLER, 4, 0xf0f);
    let _ = gic.write_redistributor(0, 1, SGI_BASE + ICENABLER, 4, 0x00f);
    let private = |frame, offset| gic.read_redistributor(0, frame, SGI_BASE + offset, 4, &core);
    assert_eq!([private(0, ISENABLER), private(1, ISENABLER), private(1, ICENABLER)], [0, 0xf00, 0xf00]);
    // SGIs are edge-triggered for ever; PPIs and SPIs are as they are set.
    let _ = gic.write_redistributor(0, 0, SGI_BASE + ICFGR, 4, 0);
    let _ = gic.write_redistributor(0, 0, SGI_BASE + ICFGR + 4, 4, 0x8000_000b);
    assert_eq!([private(0, ICFGR), private(0, ICFGR + 4)], [0xaaaa_aaaa, 0x8000_000a]);
    for (intid, byte) in [(32u32, 0xffu8), (33, 0x17), (34, 0x80), (35, 0x07), (287, 0xa8), (288, 0xa8)] {
        set_priority(&gic, 0, intid, byte);
    }
    let priority = |offset, size| gic.read_distributor(0, IPRIORITYR + offset, size, &core);
    assert_eq!(priority(32, 4), 0x0080_10f8);
    assert_eq!(
        [priority(33, 1), priority(287, 1), priority(288, 1), priority(32, 2), priority(33, 4)],
        [0x10, 0xa8, 0, 0, 0]
    );
    let _ = gic.write_distributor(0, IPRIORITYR + 40, 4, 0x2030_4050);
    assert_eq!([40, 41, 42, 43].map(|offset| priority(offset, 1)), [0x50, 0x40, 0x30, 0x20]);
    // There are 288 interrupts and no more.
    let _ = gic.write_distributor(0, ISENABLER + 32, 4, !0);
    let _ = gic.write_distributor(0, ISENABLER + 36, 4, !0);
    assert_eq!([32, 36].map(|n| gic.read_distributor(0, ISENABLER + n, 4, &core)), [0xffff_ffff, 0]);
}

#[test]
fn routes() {
    let gic = Vgic::new(2);
    let core = Core::new(4);
    let read = |intid: u64, part, size| gic.read_distributor(0, IROUTER + intid * 8 + part, size, &core);
    let _ = gic.write_distributor(0, IROUTER + 32 * 8, 8, u64::MAX);
    assert_eq!([read(32, 0, 8), read(32, 0, 4), read(32, 4, 4)], [0xff_00ff_ffff, 0x00ff_ffff, 0xff]);
    let _ = gic.write_distributor(0, IROUTER + 287 * 8, 4, 1);
    let _ = gic.write_distributor(0, IROUTER + 287 * 8 + 4, 4, 2);
    assert_eq!(read(287, 0, 8), 0x2_0000_0001);
    let _ = gic.write_distributor(0, IROUTER + 288 * 8, 8, 1);
    let _ = gic.write_distributor(0, IROUTER + 31 * 8, 8, 1);
    assert_eq!([read(288, 0, 8), read(31, 0, 8), read(287, 4, 8), read(287, 2, 4), read(287, 0, 1)], [0; 5]);
}

/// Every offset with every size, and beyond the frames: no panic, and nothing that the model cannot live with.
/// Under Miri every so many-th offset is accessed.
const STEP: usize = if cfg!(miri) { 1_021 } else { 1 };

#[test]
fn hostile_accesses() {
    let mut random = Rng::with_seed(7);
    let gic = Vgic::new(3);
    let mut cores: Vec<_> = (0..3).map(|_| Core::new(4)).collect();
    let offsets = (0..0x2_0010u64).step_by(STEP).chain([u64::MAX, u64::MAX - 7, 1 << 32, 1 << 63]);
    for offset in offsets {
        for size in [0, 1, 2, 4, 8, 3, 16, 255] {
            let (vcpu, frame) = (random.usize(..3), random.usize(..4));
            let value = random.u64(..);
            let core = &mut cores[vcpu];
            gic.read_distributor(vcpu, offset, size, core);
            gic.read_redistributor(vcpu, frame, offset, size, core);
            let _ = gic.write_distributor(vcpu, offset, size, value);
            let _ = gic.write_redistributor(vcpu, frame, offset, size, value);
            let _ = gic.write_sgi1r(vcpu, random.u64(..));
            if random.usize(..64) == 0 {
                let _ = core.enter(&gic, vcpu);
                core.acknowledge();
            }
            if random.usize(..128) == 0 {
                core.end();
            }
        }
    }
    for (vcpu, frame, core) in [(99, 99, &mut Core::new(4)), (usize::MAX, usize::MAX, &mut Core::new(4))] {
        let _ = gic.write_redistributor(vcpu, frame, SGI_BASE + ISENABLER, 4, 1);
        let _ = gic.write_distributor(vcpu, ISENABLER + 4, 4, 1);
        gic.read_distributor(vcpu, ISPENDR + 4, 4, core);
        gic.raise_hardware(vcpu, 27);
        gic.attend(vcpu);
        assert!(!gic.needs_flush(vcpu) && !gic.has_pending(vcpu, core));
        assert!(gic.flush(vcpu, core).is_empty() && gic.reset_vcpu(vcpu, core).is_empty());
    }
}
