//! Level-triggered and edge-triggered SPIs.

use super::*;
use crate::list_register::{EOI, State};

const INTID: u32 = 33;

fn entered() -> (Vgic, Core) {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    (gic, core)
}

#[test]
fn a_high_line_comes_again() {
    let (gic, mut core) = entered();
    assert_eq!(gic.set_spi_level(INTID, true).collect::<Vec<_>>(), [0]);
    for _ in 0..3 {
        let _ = core.enter(&gic, 0);
        assert_eq!(core.lr_of(INTID).map(|lr| lr & EOI), Some(EOI));
        assert_eq!(core.acknowledge(), Some(INTID));
        let _ = core.enter(&gic, 0);
        assert_eq!(core.lr_of(INTID).map(State::of), Some(State::Active));
        core.end();
        assert!(core.maintenance());
    }
    let _ = core.enter(&gic, 0);
    core.acknowledge();
    let _ = gic.set_spi_level(INTID, false);
    core.end();
    assert!(core.drain(&gic, 0).is_empty());
    assert!(!read_bit(&gic, 0, ISPENDR, INTID, &core));
}

#[test]
fn a_dropped_line_is_withdrawn() {
    let (gic, mut core) = entered();
    let _ = gic.set_spi_level(INTID, true);
    let _ = core.enter(&gic, 0);
    assert!(core.lr_of(INTID).is_some());
    assert!(!gic.set_spi_level(INTID, false).is_empty());
    let _ = core.enter(&gic, 0);
    assert!(core.valid().is_empty());
    // Dropped and raised while the guest handles it: comes again after the end.
    let _ = gic.set_spi_level(INTID, true);
    let _ = core.enter(&gic, 0);
    core.acknowledge();
    let _ = gic.set_spi_level(INTID, false);
    let _ = core.enter(&gic, 0);
    assert!(gic.set_spi_level(INTID, true).is_empty(), "the end is reported anyway");
    let _ = core.enter(&gic, 0);
    core.end();
    let _ = core.enter(&gic, 0);
    assert_eq!(core.pending(), [(0, INTID)]);
}

#[test]
fn what_software_set_stays_when_the_line_drops() {
    let (gic, mut core) = entered();
    let _ = gic.set_spi_level(INTID, true);
    let _ = write_bit(&gic, 0, ISPENDR, INTID);
    let _ = core.enter(&gic, 0);
    let _ = gic.set_spi_level(INTID, false);
    assert_eq!(core.drain(&gic, 0), [INTID]);
}

#[test]
fn clearing_does_not_lower_a_line() {
    let (gic, mut core) = entered();
    let _ = gic.set_spi_level(INTID, true);
    let _ = core.enter(&gic, 0);
    let _ = write_bit(&gic, 0, ICPENDR, INTID);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(INTID));
}

#[test]
fn an_edge_comes_once() {
    let (gic, mut core) = entered();
    let _ = gic.write_distributor(0, ICFGR + 8, 4, 0b1000);
    assert_eq!(gic.read_distributor(0, ICFGR + 8, 4, &core), 0b1000);
    let _ = gic.set_spi_level(INTID, true);
    assert!(gic.set_spi_level(INTID, true).is_empty());
    assert_eq!(core.drain(&gic, 0), [INTID]);
    let _ = gic.set_spi_level(INTID, false);
    assert!(core.drain(&gic, 0).is_empty());
    // An edge that nobody has looked at survives the end of the line's pulse.
    let _ = gic.set_spi_level(INTID, true);
    let _ = gic.set_spi_level(INTID, false);
    let _ = core.enter(&gic, 0);
    core.acknowledge();
    let _ = gic.set_spi_level(INTID, true);
    let _ = core.enter(&gic, 0);
    core.end();
    assert_eq!(core.drain(&gic, 0), [INTID]);
}

#[test]
fn what_was_to_be_deactivated_and_has_ended_comes_again_as_new() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    let _ = gic.write_distributor(0, ICFGR + 8, 4, 0b1000);
    let edge = || [true, false].map(|level| gic.set_spi_level(INTID, level)).iter().all(|kick| kick.is_empty());
    assert!(!edge());
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(INTID));
    // Another vCPU deactivates it, and its own one ends it before it looks.
    let _ = write_bit(&gic, 1, ICACTIVER, INTID);
    core.end();
    let _ = edge();
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(INTID));
    let _ = edge();
    let _ = core.enter(&gic, 0);
    assert_eq!(core.lr_of(INTID).map(State::of), Some(State::Active), "nobody has deactivated this one");
}

#[test]
fn numbers_that_are_no_spi() {
    let gic = enabled(1);
    for intid in [0, 31, 288, 1020, u32::MAX] {
        assert!(gic.set_spi_level(intid, true).is_empty());
    }
}
