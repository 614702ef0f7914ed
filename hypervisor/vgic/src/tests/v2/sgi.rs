//! SGIs: targets, and pending by sender.

use super::*;
use crate::list_register::{EOI, State};

#[test]
fn three_ways_to_name_the_targets() {
    let gic = enabled(4);
    let mut cores: [Core; 4] = cores(&gic);
    let mut send = |value: u64, kicked: &[usize], received: &[usize]| {
        assert_eq!(write(&gic, 1, SGIR, value).collect::<Vec<_>>(), kicked, "{value:#x}");
        let sgi = value as u32 & 15;
        for (vcpu, core) in cores.iter_mut().enumerate() {
            let expected = if received.contains(&vcpu) { vec![(sgi, 1)] } else { vec![] };
            assert_eq!(drain(core, &gic, vcpu), expected, "{value:#x} vCPU {vcpu}");
        }
    };
    // A list; those that do not exist are left out.
    send(sgir(3, 0b0101), &[0, 2], &[0, 2]);
    send(sgir(15, 0b0010), &[], &[1]);
    send(sgir(0, 0xff), &[0, 2, 3], &[0, 1, 2, 3]);
    send(sgir(7, 0xf0), &[], &[]);
    // All others, and only itself, whatever the list says.
    send(1 << 24 | sgir(7, 0b10), &[0, 2, 3], &[0, 2, 3]);
    send(2 << 24 | sgir(8, 0xff), &[], &[1]);
    // Reserved.
    send(3 << 24 | sgir(8, 0xff), &[], &[]);
    // NSATT and the reserved bits have no meaning.
    send(1 << 15 | 0xfc00_7ff0 & !(3 << 24) | sgir(4, 1), &[0], &[0]);
}

#[test]
fn list_register_has_the_source() {
    let gic = enabled(4);
    let [mut core, ..]: [Core; 4] = cores(&gic);
    let _ = write(&gic, 0, 0x80, 1 << 5);
    let _ = write_byte(&gic, 0, IPRIORITYR + 5, 0xa0);
    let _ = write(&gic, 3, SGIR, sgir(5, 1));
    let _ = core.enter(&gic, 0);
    // Pending, group 1, priority 0xa0, sent by 3.
    assert_eq!(core.lrs, [0x50a0_0003_0000_0005, 0, 0, 0]);
}

#[test]
fn every_sender_s_comes() {
    let gic = enabled(8);
    let [mut core, ..]: [Core; 8] = cores(&gic);
    for sender in [6, 2, 0, 7] {
        let _ = write(&gic, sender, SGIR, sgir(9, 1));
    }
    assert_eq!([SPENDSGIR, CPENDSGIR].map(|offset| read_on(&gic, 0, offset + 8, &core)), [0b1100_0101 << 8; 2]);
    let _ = core.enter(&gic, 0);
    // One sits in a list register; it reports its end, for the next to come.
    assert_eq!(core.lrs.iter().filter(|&&lr| State::of(lr) == State::Pending && lr & EOI != 0).count(), 1);
    assert_eq!(read_on(&gic, 0, CPENDSGIR + 8, &core), 0b1100_0101 << 8);
    assert_eq!(read_on(&gic, 0, ISPENDR, &core), 1 << 9);
    assert_eq!(drain(&mut core, &gic, 0), [(9, 0), (9, 2), (9, 6), (9, 7)]);
    assert_eq!(read_on(&gic, 0, CPENDSGIR + 8, &core), 0);
}

#[test]
fn the_next_sender_s_comes_by_the_end_of_the_first() {
    let gic = enabled(2);
    let [mut core, _]: [Core; 2] = cores(&gic);
    let _ = write(&gic, 0, SGIR, sgir(1, 1));
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    // The guest takes and ends it without any other way into the hypervisor.
    assert_eq!(core.acknowledge_v2(), Some((1, 0)));
    core.end();
    assert!(core.maintenance());
    assert_eq!(drain(&mut core, &gic, 0), [(1, 1)]);
    // The second one is sent only while the first is handled.
    let _ = write(&gic, 0, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge_v2(), Some((1, 0)));
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(read_on(&gic, 0, CPENDSGIR, &core), 0b10 << 8);
    core.end();
    assert!(core.maintenance());
    assert_eq!(drain(&mut core, &gic, 0), [(1, 1)]);
}

#[test]
fn sent_twice_by_one_it_comes_once() {
    let gic = enabled(2);
    let [mut core, _]: [Core; 2] = cores(&gic);
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    assert_eq!(drain(&mut core, &gic, 0), [(1, 1)]);
    // While it is active, once more.
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge_v2(), Some((1, 1)));
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = write(&gic, 1, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    core.end();
    assert_eq!(drain(&mut core, &gic, 0), [(1, 1)]);
}

#[test]
fn pending_state_is_set_and_cleared_by_sender() {
    for entered in [false, true] {
        let gic = enabled(4);
        let [mut core, ..]: [Core; 4] = cores(&gic);
        // Those that do not exist are left out.
        let _ = write(&gic, 0, SPENDSGIR, 0xff00_0000 | 0b0110 << 8);
        if entered {
            let _ = core.enter(&gic, 0);
        }
        assert_eq!(read_on(&gic, 0, SPENDSGIR, &core), 0x0f00_0600);
        // Another vCPU's are its own.
        assert_eq!(read(&gic, 1, SPENDSGIR), 0);
        let _ = write(&gic, 1, CPENDSGIR, 0xffff_ffff);
        let _ = write_byte(&gic, 0, CPENDSGIR + 1, 0b0010);
        let _ = write_byte(&gic, 0, CPENDSGIR + 3, 0b1011);
        let _ = core.enter(&gic, 0);
        assert_eq!(read_on(&gic, 0, SPENDSGIR, &core), 0x0400_0400);
        assert_eq!(drain(&mut core, &gic, 0), [(1, 2), (3, 2)]);
        let _ = write(&gic, 0, SPENDSGIR + 12, 1);
        let _ = write(&gic, 0, CPENDSGIR + 12, 1);
        assert_eq!(drain(&mut core, &gic, 0), []);
    }
}

#[test]
fn the_only_one_is_taken_back() {
    let gic = enabled(2);
    let [mut core, _]: [Core; 2] = cores(&gic);
    let _ = write(&gic, 1, SGIR, sgir(2, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.valid(), [2]);
    let _ = write_byte(&gic, 0, CPENDSGIR + 2, 0b10);
    let _ = core.enter(&gic, 0);
    assert!(core.valid().is_empty());
    assert_eq!(read_on(&gic, 0, ISPENDR, &core), 0);
}

#[test]
fn one_that_gives_way_keeps_its_sender() {
    let gic = enabled(3);
    let mut core = Core::v2(1);
    let _ = core.enter(&gic, 0);
    for (sgi, priority) in [(1, 0x80), (2, 0x40)] {
        let _ = write_byte(&gic, 0, IPRIORITYR + sgi, priority);
    }
    let _ = write(&gic, 2, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.valid(), [1]);
    let _ = write(&gic, 1, SGIR, sgir(2, 1));
    let _ = core.enter(&gic, 0);
    assert_eq!(core.valid(), [2]);
    assert_eq!(read_on(&gic, 0, SPENDSGIR, &core), 0b100 << 8 | 0b10 << 16);
    assert_eq!(drain(&mut core, &gic, 0), [(2, 1), (1, 2)]);
    // The group's enable takes it out of the list register as well.
    let _ = write(&gic, 2, SGIR, sgir(1, 1));
    let _ = core.enter(&gic, 0);
    let _ = write(&gic, 0, CTLR, 2);
    let _ = core.enter(&gic, 0);
    assert!(core.valid().is_empty());
    assert_eq!(read_on(&gic, 0, SPENDSGIR, &core), 0b100 << 8);
    let _ = write(&gic, 0, CTLR, 1);
    assert_eq!(drain(&mut core, &gic, 0), [(1, 2)]);
}

#[test]
fn nothing_stays_of_a_vcpu_that_goes_off_or_of_a_vm_that_starts_again() {
    for whole in [false, true] {
        let gic = enabled(2);
        let [mut core, _]: [Core; 2] = cores(&gic);
        for sender in [0, 1] {
            let _ = write(&gic, sender, SGIR, sgir(3, 1));
        }
        let _ = core.enter(&gic, 0);
        let _ = write(&gic, 1, SGIR, sgir(4, 1));
        if whole {
            gic.reset();
            let _ = write(&gic, 0, CTLR, 3);
            assert_eq!(read(&gic, 0, ISENABLER), 0xffff);
            assert_eq!(read(&gic, 0, ITARGETSR + 40), 0);
        } else {
            let _ = core.reset(&gic, 0);
        }
        assert_eq!(drain(&mut core, &gic, 0), []);
        assert_eq!([SPENDSGIR, SPENDSGIR + 4].map(|offset| read_on(&gic, 0, offset, &core)), [0, 0]);
    }
}
