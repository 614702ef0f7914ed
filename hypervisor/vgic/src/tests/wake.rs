//! What wakes a vCPU that is suspended.

use super::core::Core;
use super::*;

/// Lowest priority mask: everything wakes that is not of the lowest priority.
const OPEN: u8 = 0xf8;

/// A vCPU's core, and whether something wakes it there.
fn wakes(gic: &Vgic, core: &mut Core, mask: u8) -> bool {
    let _ = gic.flush_and_see(0, core);
    gic.wakes(0, mask, 0, core)
}

#[test]
fn nothing_wakes_one_that_nothing_waits_for() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    assert!(!wakes(&gic, &mut core, OPEN));
    assert!(!gic.wakes(5, OPEN, u32::MAX, &core), "there is no such vCPU");
}

#[test]
fn an_interrupt_wakes_if_it_is_enabled_and_more_urgent_than_the_mask() {
    for intid in [3, 20, 33, 100] {
        let gic = enabled(1);
        let mut core = Core::new(4);
        set_priority(&gic, 0, intid, 0xa0);
        let _ = write_bit(&gic, 0, ISPENDR, intid);
        for (mask, expected) in [(0, false), (0xa0, false), (0xa8, true), (0xff, true)] {
            assert_eq!(wakes(&gic, &mut core, mask), expected, "{intid} {mask:#x}");
        }
        let _ = write_bit(&gic, 0, ICENABLER, intid);
        assert!(!wakes(&gic, &mut core, 0xff), "{intid}");
        let _ = write_bit(&gic, 0, ISENABLER, intid);
        assert!(wakes(&gic, &mut core, 0xff), "{intid}");
        // GICD_CTLR: neither group.
        let _ = gic.write_distributor(0, CTLR, 4, 0);
        assert!(!wakes(&gic, &mut core, 0xff), "{intid}");
    }
}

#[test]
fn a_redistributor_that_sleeps_wakes_it_too() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    // GICR_WAKER.ProcessorSleep.
    let _ = gic.write_redistributor(0, 0, 0x14, 4, 1 << 1);
    let _ = gic.set_spi_level(33, true);
    assert!(wakes(&gic, &mut core, OPEN));
    let _ = gic.set_spi_level(33, false);
    assert!(!wakes(&gic, &mut core, OPEN));
}

#[test]
fn what_has_no_list_register_counts() {
    let gic = enabled(1);
    let mut core = Core::new(1);
    set_priority(&gic, 0, 40, 0x80);
    set_priority(&gic, 0, 41, 0xa0);
    let _ = gic.set_spi_level(40, true);
    let _ = gic.flush_and_see(0, &mut core);
    // The guest is at the first one, which keeps its list register.
    assert_eq!(core.acknowledge(), Some(40));
    let _ = gic.set_spi_level(41, true);
    assert!(!wakes(&gic, &mut core, 0xa0));
    assert!(wakes(&gic, &mut core, 0xa8));
}

#[test]
fn the_line_of_a_timer_counts_before_its_interrupt_has_come() {
    const TIMER: u32 = 27;
    let gic = enabled(1);
    let mut core = Core::new(4);
    set_priority(&gic, 0, TIMER, 0xa0);
    let _ = gic.flush_and_see(0, &mut core);
    assert!(gic.wakes(0, 0xa8, 1 << TIMER, &core) && !gic.wakes(0, 0xa0, 1 << TIMER, &core));
    let _ = write_bit(&gic, 0, ICENABLER, TIMER);
    assert!(!gic.wakes(0, 0xff, 1 << TIMER, &core));
}

#[test]
fn another_vcpus_interrupts_do_not_wake_it() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    // GICD_IROUTER33: to vCPU 1.
    let _ = gic.write_distributor(0, IROUTER + 33 * 8, 8, 1);
    let _ = gic.set_spi_level(33, true);
    let _ = write_bit(&gic, 1, ISPENDR, 20);
    assert!(!wakes(&gic, &mut core, OPEN));
    let mut other = Core::new(4);
    let _ = gic.flush_and_see(1, &mut other);
    assert!(gic.wakes(1, OPEN, 0, &other));
}
