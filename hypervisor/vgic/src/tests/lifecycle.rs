//! Reset of a vCPU and of the VM.

use super::*;

/// Something in every place where an interrupt can be.
fn busy(gic: &Vgic, core: &mut Core) {
    let _ = core.enter(gic, 0);
    for (intid, priority) in [(27, 0x40), (1, 0x80), (40, 0x80), (2, 0xa0), (41, 0xb0), (30, 0xc0)] {
        set_priority(gic, 0, intid, priority);
    }
    gic.raise_hardware(0, 27);
    let _ = core.enter(gic, 0);
    assert_eq!(core.acknowledge(), Some(27));
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    let _ = write_bit(gic, 0, ISPENDR, 40);
    let _ = write_bit(gic, 0, ISPENDR, 41);
    let _ = gic.write_sgi1r(0, sgi1r(2, 1));
    gic.raise_hardware(0, 30);
    let _ = core.enter(gic, 0);
    assert_eq!(core.valid().len(), 4);
    let _ = gic.write_sgi1r(0, sgi1r(3, 1));
}

#[test]
fn a_vcpu_that_goes_off_leaves_nothing_private() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    busy(&gic, &mut core);
    let _ = gic.reset_vcpu(0, &mut core);
    core.running.clear();
    assert_eq!(core.lrs, [0; 4]);
    core.deactivated.sort();
    assert_eq!(core.deactivated, [27, 30]);
    // What was shared is still there, and can go to another vCPU.
    let _ = gic.write_distributor(1, IROUTER + 41 * 8, 8, 1);
    assert_eq!(core.drain(&gic, 0), [40]);
    assert_eq!(Core::new(4).drain(&gic, 1), [41]);
    // Its configuration is as it was.
    let _ = gic.write_sgi1r(0, sgi1r(3, 1));
    assert_eq!(core.drain(&gic, 0), [3]);
}

#[test]
fn a_reset_leaves_nothing() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    busy(&gic, &mut core);
    let _ = gic.set_spi_level(33, true);
    gic.reset();
    assert!(gic.needs_flush(0) && gic.needs_flush(1));
    core.running.clear();
    let _ = core.enter(&gic, 0);
    assert_eq!(core.lrs, [0; 4]);
    core.deactivated.sort();
    assert_eq!(core.deactivated, [27, 30]);
    let fresh = Vgic::new(2);
    let other = Core::new(4);
    for offset in (0..0x2_0000).step_by(if cfg!(miri) { 4 * 101 } else { 4 }) {
        let expected = fresh.read_redistributor(1, 0, offset, 4, &other);
        assert_eq!(gic.read_redistributor(1, 0, offset, 4, &core), expected, "{offset:#x}");
        // The line of a device is not the GIC's to change.
        let line = if offset == ISPENDR + 4 || offset == ICPENDR + 4 { 2 } else { 0 };
        let expected = fresh.read_distributor(1, offset, 4, &other) | line;
        assert_eq!(gic.read_distributor(1, offset, 4, &core), expected, "{offset:#x}");
    }
    let _ = gic.write_distributor(0, CTLR, 4, 3);
    for bank in 0..9 {
        let _ = gic.write_distributor(0, ISENABLER + bank * 4, 4, !0);
    }
    let _ = gic.write_redistributor(0, 0, SGI_BASE + ISENABLER, 4, !0);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.pending(), [(0, 33)]);
}

#[test]
fn waiting_in_the_hypervisor() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    assert!(!gic.has_pending(0, &core));
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    assert!(gic.has_pending(0, &core));
    let _ = gic.flush_and_see(0, &mut core);
    assert!(gic.has_pending(0, &core));
    core.acknowledge();
    assert!(!gic.has_pending(0, &core));
}
