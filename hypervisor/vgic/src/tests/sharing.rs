//! SPIs between vCPUs.

use super::*;

#[test]
fn a_retargeted_one_moves() {
    let gic = enabled(2);
    let (mut first, mut second) = (Core::new(4), Core::new(4));
    let _ = first.enter(&gic, 0);
    let _ = second.enter(&gic, 1);
    let _ = write_bit(&gic, 0, ISPENDR, 40);
    let _ = first.enter(&gic, 0);
    assert_eq!(first.pending(), [(0, 40)]);
    // The new target gets nothing before the old one has given it up.
    assert_eq!(gic.write_distributor(1, IROUTER + 40 * 8, 8, 1).collect::<Vec<_>>(), [0]);
    let _ = second.enter(&gic, 1);
    assert!(second.valid().is_empty());
    assert_eq!(first.enter(&gic, 0).collect::<Vec<_>>(), [1]);
    assert!(first.valid().is_empty());
    assert_eq!(second.drain(&gic, 1), [40]);
}

#[test]
fn an_active_one_ends_where_it_began() {
    let gic = enabled(2);
    let (mut first, mut second) = (Core::new(4), Core::new(4));
    let _ = second.enter(&gic, 1);
    let _ = gic.write_distributor(0, ICFGR + 8, 4, !0);
    let _ = write_bit(&gic, 0, ISPENDR, 40);
    let _ = first.enter(&gic, 0);
    assert_eq!(first.acknowledge(), Some(40));
    let _ = gic.write_distributor(0, IROUTER + 40 * 8, 8, 1);
    let _ = first.enter(&gic, 0);
    let _ = write_bit(&gic, 0, ISPENDR, 40);
    let _ = first.enter(&gic, 0);
    let _ = second.enter(&gic, 1);
    assert!(second.valid().is_empty());
    first.end();
    assert!(first.maintenance());
    assert_eq!(first.enter(&gic, 0).collect::<Vec<_>>(), [1]);
    assert_eq!(second.drain(&gic, 1), [40]);
    assert!(first.drain(&gic, 0).is_empty());
}

#[test]
fn routed_nowhere_it_waits() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    let _ = gic.write_distributor(0, IROUTER + 40 * 8, 8, 0x1_0000_0000);
    let _ = write_bit(&gic, 0, ISPENDR, 40);
    assert!(core.drain(&gic, 0).is_empty() && Core::new(4).drain(&gic, 1).is_empty());
    assert!(read_bit(&gic, 0, ISPENDR, 40, &core));
    let _ = gic.write_distributor(0, IROUTER + 40 * 8, 8, 0);
    assert_eq!(core.drain(&gic, 0), [40]);
}
