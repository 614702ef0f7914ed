//! SGIs and the timers' PPIs.

use super::*;
use crate::VcpuSet;
use crate::list_register::{HW, ListRegisters, State};

fn targets(set: VcpuSet) -> Vec<usize> {
    set.collect()
}

#[test]
fn list_register_of_an_sgi() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 1);
    set_priority(&gic, 1, 5, 0xa7);
    assert_eq!(targets(gic.write_sgi1r(0, sgi1r(5, 0b10))), [1]);
    assert!(gic.needs_flush(1) && gic.flush(1, &mut core).is_empty() && !gic.needs_flush(1));
    // Pending, group 1, priority 0xa0 (five bits), no link, no maintenance.
    assert_eq!(core.lrs, [0x50a0_0000_0000_0005, 0, 0, 0]);
}

#[test]
fn sgi_targets() {
    let gic = enabled(4);
    let mut cores: Vec<_> = (0..4).map(|_| Core::new(4)).collect();
    let mut quiet =
        |gic: &Vgic| -> Vec<usize> { (0..4).filter(|&vcpu| !cores[vcpu].drain(gic, vcpu).is_empty()).collect() };
    assert!(quiet(&gic).is_empty());
    let mut send = |value: u64, kicked: &[usize], received: &[usize]| {
        assert_eq!(targets(gic.write_sgi1r(1, value)), kicked, "{value:#x}");
        assert_eq!(quiet(&gic), received, "{value:#x}");
    };
    send(sgi1r(3, 0b0101), &[0, 2], &[0, 2]);
    send(sgi1r(15, 0b0010), &[], &[1]);
    send(sgi1r(0, 0xffff), &[0, 2, 3], &[0, 1, 2, 3]);
    send(sgi1r(7, 0) | 1 << 40, &[0, 2, 3], &[0, 2, 3]);
    send(sgi1r(7, 0xfff0), &[], &[]);
    for other in [1 << 16, 1 << 32, 1 << 48, 1 << 44] {
        send(sgi1r(3, 0xf) | other, &[], &[]);
    }
}

#[test]
fn one_kick_is_enough() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 1);
    assert_eq!(targets(gic.write_sgi1r(0, sgi1r(1, 2))), [1]);
    assert!(gic.write_sgi1r(0, sgi1r(2, 2)).is_empty());
    assert_eq!(core.drain(&gic, 1), [1, 2]);
    assert_eq!(targets(gic.write_sgi1r(0, sgi1r(2, 2))), [1]);
}

/// Its core may be another VM's meanwhile.
#[test]
fn who_takes_back_what_it_sent_cannot_kick_again() {
    let gic = enabled(2);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 1);
    assert_eq!(targets(gic.write_sgi1r(0, sgi1r(1, 2))), [1]);
    for _ in 0..3 {
        assert!(gic.write_redistributor(0, 1, SGI_BASE + ICPENDR, 4, 0xffff).kick.is_empty());
        assert!(gic.write_sgi1r(0, sgi1r(1, 2)).is_empty());
        assert!(!gic.attend(1));
    }
    let _ = gic.write_redistributor(0, 1, SGI_BASE + ICPENDR, 4, 0xffff);
    // Nothing is left of it, but that the vCPU has looked.
    assert!(core.drain(&gic, 1).is_empty());
    assert!(gic.attend(1));
    assert!(core.drain(&gic, 1).is_empty());
    assert_eq!(targets(gic.write_sgi1r(0, sgi1r(1, 2))), [1]);
}

#[test]
fn an_sgi_sent_twice_while_active_comes_once_more() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(1));
    for _ in 0..2 {
        let _ = gic.write_sgi1r(0, sgi1r(1, 1));
        let _ = core.enter(&gic, 0);
    }
    assert_eq!(core.lr_of(1).map(State::of), Some(State::Active));
    assert!(read_bit(&gic, 0, ISPENDR, 1, &core));
    core.end();
    assert!(core.maintenance());
    assert_eq!(core.drain(&gic, 0), [1]);
}

#[test]
fn disabling_takes_a_pending_one_out_and_keeps_it() {
    for intid in [3, 27, 40] {
        let gic = enabled(1);
        let mut core = Core::new(4);
        let _ = core.enter(&gic, 0);
        let _ = write_bit(&gic, 0, ISPENDR, intid);
        let _ = core.enter(&gic, 0);
        assert!(core.lr_of(intid).is_some());
        let _ = write_bit(&gic, 0, ICENABLER, intid);
        let _ = core.enter(&gic, 0);
        assert!(core.valid().is_empty());
        assert!(read_bit(&gic, 0, ISPENDR, intid, &core));
        let _ = write_bit(&gic, 0, ISENABLER, intid);
        assert_eq!(core.drain(&gic, 0), [intid]);
        assert!(!read_bit(&gic, 0, ISPENDR, intid, &core));
    }
}

#[test]
fn clearing_withdraws() {
    for intid in [3, 29, 40] {
        let gic = enabled(1);
        let mut core = Core::new(4);
        for entered in [false, true] {
            let _ = write_bit(&gic, 0, ISPENDR, intid);
            if entered {
                let _ = core.enter(&gic, 0);
                assert!(core.lr_of(intid).is_some());
            }
            assert!(read_bit(&gic, 0, ICPENDR, intid, &core));
            let _ = write_bit(&gic, 0, ICPENDR, intid);
            assert!(core.drain(&gic, 0).is_empty());
            assert!(!read_bit(&gic, 0, ISPENDR, intid, &core));
        }
    }
    let gic = enabled(1);
    let _ = gic.write_sgi1r(0, sgi1r(9, 1));
    let _ = write_bit(&gic, 0, ICPENDR, 9);
    assert!(Core::new(4).drain(&gic, 0).is_empty());
}

#[test]
fn timer_is_linked() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    gic.raise_hardware(0, 27);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.lr_of(27), Some(0x7000_001b_0000_001b));
    assert_eq!(core.acknowledge(), Some(27));
    assert!(read_bit(&gic, 0, ISACTIVER, 27, &core) && core.deactivated.is_empty());
    core.end();
    assert_eq!(core.deactivated, [27]);
    assert!(!read_bit(&gic, 0, ISACTIVER, 27, &core));
    assert!(gic.flush_hardware(0, 27, &mut core).is_empty() && !gic.needs_flush(0));
    assert_eq!(core.drain(&gic, 0), [27]);
    assert_eq!(core.deactivated, [27, 27]);
    // Numbers that are no PPI are not raised.
    for intid in [0, 15, 32, 64, u32::MAX] {
        gic.raise_hardware(0, intid);
        let _ = gic.flush_hardware(0, intid, &mut core);
        assert!(core.valid().is_empty() && !gic.needs_flush(0));
    }
    // Without a physical one behind it, a PPI that software sets has no link.
    let _ = write_bit(&gic, 0, ISPENDR, 27);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.lr_of(27).map(|lr| lr & HW), Some(0));
    // Then the physical one comes: it is linked as long as that is possible, and else follows.
    gic.raise_hardware(0, 27);
    assert_eq!(core.drain(&gic, 0), [27]);
    assert_eq!(core.deactivated, [27, 27, 27]);
    let _ = write_bit(&gic, 0, ISPENDR, 27);
    let _ = core.enter(&gic, 0);
    core.acknowledge();
    gic.raise_hardware(0, 27);
    let _ = core.enter(&gic, 0);
    core.end();
    assert_eq!(core.deactivated.len(), 3);
    assert_eq!(core.drain(&gic, 0), [27]);
    assert_eq!(core.deactivated.len(), 4);
}

#[test]
fn a_disabled_timer_waits() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let write = gic.write_redistributor(0, 0, SGI_BASE + ICENABLER, 4, 0xffff_ffff);
    assert_eq!((write.enabled, write.disabled), (0, 1 << 27 | 1 << 30));
    gic.raise_hardware(0, 27);
    let _ = core.enter(&gic, 0);
    assert!(core.valid().is_empty());
    // Its line is high, so it cannot be cleared.
    let _ = write_bit(&gic, 0, ICPENDR, 27);
    assert!(read_bit(&gic, 0, ISPENDR, 27, &core));
    let write = gic.write_redistributor(0, 0, SGI_BASE + ISENABLER, 4, 1 << 27 | 1 << 26);
    assert_eq!((write.enabled, write.disabled), (1 << 27, 0));
    assert_eq!(core.drain(&gic, 0), [27]);
    assert_eq!(core.deactivated, [27]);
}

#[test]
fn a_timer_that_was_turned_off_meanwhile_is_not_delivered() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    // It fires, is presented and not taken; then the guest turns it off and disables its interrupt.
    let _ = gic.flush_hardware(0, 27, &mut core);
    assert!(core.lr_of(27).is_some());
    core.low = 1 << 27;
    let _ = gic.write_redistributor(0, 0, SGI_BASE + ICENABLER, 4, 1 << 27);
    let _ = core.enter(&gic, 0);
    let _ = gic.write_redistributor(0, 0, SGI_BASE + ISENABLER, 4, 1 << 27);
    assert!(core.drain(&gic, 0).is_empty());
    assert_eq!(core.deactivated, [27]);
    // It can fire again.
    core.low = 0;
    let _ = gic.flush_hardware(0, 27, &mut core);
    assert_eq!(core.drain(&gic, 0), [27]);
}

#[test]
fn deactivation_by_register() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    gic.raise_hardware(0, 27);
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    set_priority(&gic, 0, 27, 0x80);
    set_priority(&gic, 0, 1, 0x40);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(1));
    core.running.clear();
    assert_eq!(core.acknowledge(), Some(27));
    for intid in [1, 27] {
        let _ = write_bit(&gic, 0, ICACTIVER, intid);
        assert!(!read_bit(&gic, 0, ISACTIVER, intid, &core));
    }
    let _ = core.enter(&gic, 0);
    assert!(core.valid().is_empty());
    assert_eq!(core.deactivated, [27]);
    // Made active by register, an interrupt is not presented.
    let _ = write_bit(&gic, 0, ISACTIVER, 1);
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    let _ = core.enter(&gic, 0);
    assert!(core.valid().is_empty() && read_bit(&gic, 0, ISACTIVER, 1, &core));
    let _ = write_bit(&gic, 0, ICACTIVER, 1);
    core.running.clear();
    assert_eq!(core.drain(&gic, 0), [1]);
}

#[test]
fn groups() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = gic.write_redistributor(0, 0, SGI_BASE + 0x80, 4, 0xffff_fffe);
    let _ = gic.write_distributor(0, CTLR, 4, 2);
    let _ = gic.write_sgi1r(0, sgi1r(0, 1));
    let _ = gic.write_sgi1r(0, sgi1r(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.valid(), [1]);
    let _ = gic.write_distributor(0, CTLR, 4, 1);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.valid(), [0]);
    assert_eq!(core.lr_of(0).map(|lr| lr >> 60 & 1), Some(0));
    let _ = gic.write_distributor(0, CTLR, 4, 3);
    assert_eq!(core.drain(&gic, 0), [0, 1]);
}

/// ICH_ELRSR_EL2 does not see what was written since the last context synchronization: nothing may rely on it.
#[test]
fn what_was_just_written_counts() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.reset(&gic, 0);
    let _ = core.enter(&gic, 0);
    core.synchronize();
    // A timer, and before the guest goes on somebody sends an SGI. PSCI CPU_SUSPEND would look in between.
    assert!(gic.flush_hardware(0, 27, &mut core).is_empty());
    assert_eq!(core.empty(), 0b1111, "the register does not see it yet");
    let _ = gic.write_sgi1r(0, sgi1r(3, 1));
    assert!(gic.needs_flush(0) && gic.flush_again(0, &mut core).is_empty());
    let mut pending: Vec<_> = core.pending().into_iter().map(|(_, intid)| intid).collect();
    pending.sort_unstable();
    assert_eq!(pending, [3, 27], "{core:x?}");
}

/// The same for a vCPU that waits in the hypervisor: what came in must end its wait.
#[test]
fn a_wait_sees_what_was_just_written() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.reset(&gic, 0);
    let _ = core.enter(&gic, 0);
    core.synchronize();
    let _ = gic.write_sgi1r(0, sgi1r(3, 1));
    assert!(gic.needs_flush(0) && gic.flush_and_see(0, &mut core).is_empty());
    assert!(gic.has_pending(0, &core));
}
