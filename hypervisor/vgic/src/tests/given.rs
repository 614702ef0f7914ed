//! What a guest is given is told once each time.

use super::*;

/// What vCPU 0 is given as it goes on, if its guest has `intids` raised meanwhile.
fn goes_on(gic: &Vgic, core: &mut Core) -> Vec<u32> {
    let left = gic.left(0, core);
    let _ = core.enter(gic, 0);
    let mut told = Vec::new();
    gic.given(0, &left, core, |intid| told.push(intid));
    told
}

#[test]
fn an_interrupt_is_told_when_it_is_given_and_not_again() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    assert_eq!(goes_on(&gic, &mut core), []);
    for intid in [33, 5, 27] {
        let _ = write_bit(&gic, 0, ISPENDR, intid);
        assert_eq!(goes_on(&gic, &mut core), [intid]);
        assert_eq!(goes_on(&gic, &mut core), [], "it is pending still");
        assert_eq!(core.acknowledge(), Some(intid));
        assert_eq!(goes_on(&gic, &mut core), [], "the guest has taken it");
        // Once more while it is active: it is given when the guest has ended it.
        let _ = write_bit(&gic, 0, ISPENDR, intid);
        assert_eq!(goes_on(&gic, &mut core), []);
        core.end();
        let _ = core.maintenance();
        let _ = gic.attend(0);
        assert_eq!(goes_on(&gic, &mut core), [intid]);
        assert_eq!(core.acknowledge(), Some(intid));
        core.end();
        assert_eq!(goes_on(&gic, &mut core), [], "an empty list register is none that was given");
    }
    let _ = write_bit(&gic, 0, ISPENDR, 40);
    let _ = write_bit(&gic, 0, ISPENDR, 3);
    let mut both = goes_on(&gic, &mut core);
    both.sort_unstable();
    assert_eq!(both, [3, 40]);
}

#[test]
fn what_a_vcpu_has_when_it_comes_back_is_told() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = write_bit(&gic, 0, ISPENDR, 33);
    let _ = write_bit(&gic, 0, ISPENDR, 34);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(33));
    gic.leave_core(0, &mut core);
    gic.enter_core(0, &mut core);
    let mut told = Vec::new();
    gic.presented(0, |intid| told.push(intid));
    assert_eq!(told, [34], "the other one is active");
    gic.presented(7, |_| panic!("there is no such vCPU"));
}
