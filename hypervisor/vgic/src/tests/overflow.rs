//! More interrupts than list registers.

use super::*;

#[test]
fn the_most_urgent_come_first() {
    for lrs in [1, 2, 4, 16].into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
        let gic = enabled(1);
        let mut core = Core::new(lrs);
        let mut expected = Vec::new();
        for intid in (0..16).chain(32..64) {
            let priority = (intid as u8).wrapping_mul(0x48) & 0x78;
            set_priority(&gic, 0, intid, priority);
            let _ = write_bit(&gic, 0, ISPENDR, intid);
            expected.push((priority, intid));
        }
        expected.sort();
        let expected: Vec<_> = expected.into_iter().map(|(_, intid)| intid).collect();
        assert_eq!(core.drain(&gic, 0), expected, "{lrs} list registers");
        assert!(!core.no_pending_maintenance);
    }
}

#[test]
fn a_more_urgent_one_takes_the_place_of_the_least() {
    let gic = enabled(1);
    let mut core = Core::new(2);
    for (intid, priority) in [(1, 0x80), (40, 0xa0), (2, 0x40), (41, 0x80)] {
        set_priority(&gic, 0, intid, priority);
    }
    for (intid, held) in [(1, vec![1]), (40, vec![1, 40]), (2, vec![1, 2]), (41, vec![1, 2])] {
        let _ = write_bit(&gic, 0, ISPENDR, intid);
        let _ = core.enter(&gic, 0);
        let mut valid = core.valid();
        valid.sort();
        assert_eq!(valid, held);
    }
    assert!(core.no_pending_maintenance);
    // A change of priority while it waits, and of one that is in a list register.
    set_priority(&gic, 0, 40, 0);
    set_priority(&gic, 0, 1, 0xf8);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.pending(), [(0, 40), (0x40, 2)]);
    assert_eq!(core.drain(&gic, 0), [40, 2, 41, 1]);
}

#[test]
fn an_active_timer_in_the_only_list_register() {
    let gic = enabled(1);
    let mut core = Core::new(1);
    set_priority(&gic, 0, 27, 0x80);
    gic.raise_hardware(0, 27);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(27));
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.valid(), [27]);
    core.end();
    // The link had to give way to a report of the end; the physical interrupt is deactivated all the same, once.
    assert!(core.deactivated.is_empty() && core.maintenance());
    assert_eq!(core.drain(&gic, 0), [1]);
    assert_eq!(core.deactivated, [27]);
    gic.raise_hardware(0, 27);
    assert_eq!(core.drain(&gic, 0), [27]);
    assert_eq!(core.deactivated, [27, 27]);
}
