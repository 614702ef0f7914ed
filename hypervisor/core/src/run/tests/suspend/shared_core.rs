//! VMs that sleep on a core which they share.

use super::*;

#[test]
fn the_neighbour_runs_until_something_wakes_it() {
    for gic in BOTH {
        let rig = shared(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants_uart(a, 0xa0);
        });
        suspends(&rig);
        assert_eq!((rig.loaded(1), a.vm.phase_name()), (Some((2, 0)), "suspended"));
        let stolen = a.times().stolen;
        for _ in 0..4 {
            rig.advance(SLICE);
            rig.interrupt(1, EL2_TIMER_INTID);
            assert_eq!(rig.loaded(1), Some((2, 0)), "{gic:?}");
        }
        assert_eq!(rig.at(1, || a.times()).stolen, stolen, "{gic:?}: sleep is not stolen");
        // Something that does not wake it makes its core look, and no more.
        rig.at(0, || {
            let _ = a.vm.vgic.attend(0);
            rig.machine.kick(1);
        });
        until(&rig, |rig| rig.loaded(1) == Some((2, 0)) && rig.is_in_guest(1));
        assert_eq!(a.vm.phase_name(), "suspended");
        assert_eq!(rig.at(1, || a.times()).stolen, stolen, "{gic:?}: nor is that");
        rig.at(0, || uart(a.vm, true));
        until(&rig, its_turn);
        let outcome = rig.run(1);
        is_awake(&rig, outcome);
        assert!(rig.at(1, || a.has_interrupt()));
        // Both go on as before.
        until(&rig, |rig| rig.loaded(1) == Some((2, 0)));
        until(&rig, its_turn);
    }
}

#[test]
fn its_timer_and_a_manager_wake_it() {
    for gic in BOTH {
        let rig = shared(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants(a, TIMER_VIRTUAL_INTID);
            a.enable_linked(1 << TIMER_VIRTUAL_INTID, true);
            let at = portcullis_arch::timer::count() - a.vm.counter_offset() + 20_000;
            fake::set("cntv_cval_el0", at);
            fake::set("cntv_ctl_el0", 1);
        });
        suspends(&rig);
        assert_eq!(rig.loaded(1), Some((2, 0)));
        rig.advance(20_001);
        // The core has its timer when it looks, whose line tells: nobody waits for the interrupt to come.
        rig.interrupt(1, EL2_TIMER_INTID);
        until(&rig, its_turn);
        assert_eq!((rig.register(1, "elr_el2"), rig.register(1, "cntv_ctl_el0") & 1), (ENTRY, 0), "{gic:?}");
        suspends(&rig);
        rig.at(0, || a.vm.manager_lock().unwrap().resume()).unwrap();
        until(&rig, its_turn);
        assert_eq!(a.vm.phase_name(), "running");
    }
}

#[test]
fn managers_pause_and_stop_it() {
    for gic in BOTH {
        let rig = shared(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants_uart(a, 0xa0);
        });
        suspends(&rig);
        rig.at(0, || a.vm.manager_lock().unwrap().pause()).unwrap();
        rig.interrupt(1, KICK);
        assert_eq!((a.vm.phase(), a.activity()), (Phase::Paused, Activity::Paused));
        rig.at(0, || uart(a.vm, true));
        rig.settle();
        assert_eq!(a.vm.phase_name(), "paused");
        rig.at(0, || {
            uart(a.vm, false);
            a.vm.manager_lock().unwrap().resume()
        })
        .unwrap();
        rig.interrupt(1, KICK);
        assert_eq!((a.vm.phase_name(), a.activity()), ("suspended", Activity::Waiting), "{gic:?}");
        rig.at(0, || a.vm.manager_lock().unwrap().stop()).unwrap();
        rig.interrupt(1, KICK);
        assert_eq!((a.vm.phase(), a.power()), (Phase::Stopped, PowerState::Off), "{gic:?}");
        until(&rig, |rig| rig.loaded(1) == Some((2, 0)) && rig.is_in_guest(1));
    }
}
