//! A vCPU that has its core to itself.

use portcullis_abi::{map, state};
use portcullis_arch::account::Exit;
use portcullis_arch::fake::{self, Event, Outcome, Trap};
use portcullis_board::signal::{EL2_TIMER_INTID, HALT, KICK, WORK};
use portcullis_vgic::GicVersion;

use crate::cpu::physical_core::Core;
use crate::cpu::speculation::{AtChange, Protection};
use crate::run::assign::{NoSuchCore, assign};
use crate::run::worker::Worker;
use crate::tests::board::{Asked, MAINTENANCE, Parts};
use crate::tests::guest::{raise_sgi, wants};
use crate::tests::rig::{Rig, SECOND, SETTINGS, exits, vm};
use crate::vm::activity::Activity;
use crate::vm::failure::Reason;
use crate::vm::state::{Action, Phase};

/// Where a raw kernel lies in RAM.
const KERNEL: usize = 512 << 10;

/// A machine whose control VM runs on core 0, and a VM with the cores 1 and 2, all with cores of their own.
fn rig() -> Rig {
    let rig = Rig::new(&[vm("ops", &[0]), vm("a", &[1, 2])]);
    rig.settle();
    rig
}

#[test]
fn a_vm_is_loaded_and_entered_on_its_first_core() {
    let rig = rig();
    assert!(rig.is_in_guest(1));
    assert!(!rig.is_in_guest(2), "nobody has switched its second vCPU on");
    let vcpu = rig.vcpu(1, 0);
    assert_eq!((vcpu.activity(), rig.vm(1).phase()), (Activity::Running, Phase::Running));
    // A raw kernel 512 KiB above the bottom of RAM (docs/manifest.md), with the device tree's address in x0.
    assert_eq!(rig.register(1, "elr_el2"), map::RAM + KERNEL as u64);
    assert_eq!(&rig.ram(1)[KERNEL..KERNEL + 4], &[0x14; 4]);
    let Outcome::InGuest(context) = rig.run(1) else { panic!("it is in its guest") };
    // SAFETY: the guest stands still, and its context lives as long as the machine.
    let tree = unsafe { (*context).register(0) };
    let at = (tree - map::RAM) as usize;
    assert_eq!(&rig.ram(1)[at..at + 4], &0xd00d_feed_u32.to_be_bytes());
    // The core looks like the vCPU: its number, its memory, its counter.
    assert_eq!(rig.register(1, "vmpidr_el2") & 0xff, 0);
    assert_eq!(rig.register(1, "vttbr_el2"), rig.vm(1).vttbr());
    assert_eq!(rig.register(1, "cntvoff_el2"), rig.vm(1).counter_offset());
    assert_eq!(rig.register(1, "vttbr_el2") >> 48, 2, "its VMID is one more than its number");
}

#[test]
fn linked_interrupts_follow_the_enables_and_end_with_the_vcpu() {
    let rig = rig();
    rig.parts.controller.take();
    let vcpu = rig.vcpu(1, 0);
    rig.at(1, || vcpu.enable_linked(1 << map::TIMER_VIRTUAL_INTID | 1 << 5, true));
    let enabled = |enabled| Asked::Private { core: 1, intid: map::TIMER_VIRTUAL_INTID, enabled };
    assert_eq!(rig.parts.controller.take(), [enabled(true)], "only what is linked");
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.settle();
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    assert!(rig.parts.controller.take().contains(&enabled(false)));
    assert!(!rig.is_in_guest(1));
    assert_eq!(vcpu.activity(), Activity::Off);
}

#[test]
fn a_guests_timer_is_linked_and_its_core_keeps_it_active() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let rig = Rig::on(Parts::new(), gic, &[vm("ops", &[0]), vm("a", &[1])]);
        rig.settle();
        let vcpu = rig.vcpu(1, 0);
        vcpu.vm.vgic.reset();
        rig.at(1, || wants(vcpu, map::TIMER_VIRTUAL_INTID));
        let outcome = rig.interrupt(1, map::TIMER_VIRTUAL_INTID);
        assert!(matches!(outcome, Outcome::InGuest(_)), "{gic:?}");
        assert!(rig.at(1, || vcpu.has_interrupt()), "{gic:?}: it is in a list register");
        assert_eq!(exits(vcpu, Exit::Timer), 1);
    }
}

#[test]
fn a_kick_and_nothing_at_all_send_the_vcpu_back() {
    let rig = rig();
    for intid in [KICK, 1023, MAINTENANCE, EL2_TIMER_INTID] {
        assert!(matches!(rig.interrupt(1, intid), Outcome::InGuest(_)), "{intid}");
        assert_eq!(rig.at(1, fake::pending), 0);
    }
    // Nothing was acknowledged: the interrupt was gone.
    assert!(matches!(rig.guest(1, |_| Trap::Interrupt), Outcome::InGuest(_)));
}

#[test]
fn a_paused_vcpu_stands_on_its_core_until_the_vm_goes_on() {
    let rig = rig();
    let a = rig.vm(1);
    let before = a.counter_offset();
    rig.at(0, || a.manager_lock().unwrap().pause()).unwrap();
    // The kick is pending. In its handler the vCPU waits; meanwhile the control VM sees it paused, and lets it go on.
    rig.at(1, || {
        fake::on_wait(move || {
            assert_eq!(a.phase(), Phase::Paused);
            assert_eq!(a.vcpus()[0].activity(), Activity::Paused);
            fake::advance(500);
            a.manager_lock().unwrap().resume().unwrap();
            fake::pend(KICK);
        });
    });
    assert!(matches!(rig.run(1), Outcome::InGuest(_)));
    assert_eq!(a.phase(), Phase::Running);
    assert_eq!(a.vcpus()[0].activity(), Activity::Running);
    assert_eq!(a.counter_offset(), before + 500, "its counter stood still");
    assert_eq!(rig.register(1, "cntvoff_el2"), before + 500);
}

#[test]
fn a_vcpu_that_waits_is_woken_by_what_its_core_takes() {
    let rig = rig();
    let vcpu = rig.vcpu(1, 0);
    let woken = rig.at(1, || {
        fake::on_wait(|| fake::pend(KICK));
        fake::on_wait(move || {
            // Another core has raised something for it.
            raise_sgi(vcpu, 3);
        });
        vcpu.wait()
    });
    assert_eq!(woken, None, "it goes on at once");
    // An end of its VM wakes it too, for good.
    let ended = rig.at(1, || {
        vcpu.vm.vgic.reset();
        crate::with_interface!(G => {
            use crate::cpu::gic::VirtualControl;
            G::reset_virtual_interface();
        });
        fake::on_wait(move || {
            vcpu.vm.stop(Action::Off);
            fake::pend(KICK);
        });
        vcpu.wait()
    });
    assert_eq!(ended, Some(portcullis_arch::vectors::Next::Leave));
    assert_eq!(vcpu.activity(), Activity::Off);
}

#[test]
fn a_core_with_nothing_to_do_takes_its_interrupts() {
    let rig = rig();
    assert_eq!(rig.run(2), Outcome::Waits);
    assert_eq!(rig.interrupt(2, KICK), Outcome::Waits);
    rig.at(2, || fake::on_wait(|| fake::pend(EL2_TIMER_INTID)));
    assert_eq!(rig.run(2), Outcome::Waits);
    assert_eq!(rig.at(2, fake::pending), 0);
}

#[test]
fn an_interrupt_of_nobody_s_is_disabled_and_named_once() {
    nobody_s(GicVersion::V3);
}

#[test]
fn on_a_gicv2_an_interrupt_of_nobody_s_is_disabled_and_named_once() {
    nobody_s(GicVersion::V2);
}

/// What a boot loader has left and what nobody of this machine has asked for: it comes once, and its neighbours stay as they are.
fn nobody_s(gic: GicVersion) {
    let rig = Rig::on(Parts::new(), gic, &[vm("ops", &[0]), vm("a", &[1, 2])]);
    rig.settle();
    _ = log::set_logger(&crate::logger::Logger);
    log::set_max_level(log::LevelFilter::Info);
    rig.parts.controller.take();
    rig.parts.line.take_shown();
    // An SPI while a guest runs, the same on a core without one, a PPI.
    for (core, intid, asked) in [
        (1, 57, Asked::Shared { intid: 57, enabled: false }),
        (2, 58, Asked::Shared { intid: 58, enabled: false }),
        (2, 20, Asked::Private { core: 2, intid: 20, enabled: false }),
    ] {
        rig.interrupt(core, intid);
        assert_eq!((rig.at(core, fake::pending), rig.parts.controller.take()), (0, vec![asked]), "{gic:?} {intid}");
    }
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains("core 1 got interrupt 57, which is nobody's: it is disabled"), "{lines}");
    assert!(!lines.contains("58") && !lines.contains("20,"), "one line a second: {lines}");
    rig.advance(SECOND);
    rig.interrupt(2, 7);
    let lines = rig.parts.line.take_shown().replace("\r\nportcullis> ", "");
    assert!(lines.contains("interrupt 7, which is nobody's: it is passed over; and 2 more since"), "{lines}");
    assert_eq!(rig.parts.controller.take(), []);
    // A guest's own, the virtual interface's and those of cores have their places.
    for intid in [map::TIMER_VIRTUAL_INTID, map::TIMER_PHYSICAL_INTID, MAINTENANCE, KICK, WORK, EL2_TIMER_INTID] {
        rig.interrupt(2, intid);
    }
    assert_eq!(rig.parts.line.take_shown(), "");
    assert!(rig.parts.controller.take().iter().all(|asked| !matches!(asked, Asked::Shared { .. })), "{gic:?}");
}

/// An SGI is a bit that others can set, too: whoever stops a core says so in memory.
#[test]
fn a_core_is_stopped_by_who_says_so_in_memory_alone() {
    let rig = rig();
    rig.interrupt(1, HALT);
    assert!(rig.is_in_guest(1), "nobody has said so");
    assert_eq!(rig.interrupt(2, HALT), Outcome::Waits);
    assert!(!rig.machine.is_halting());
    // What is pending when it waits for the third time: the first wait is for the SGI, in the second one something else comes.
    let left = |rig: &Rig| {
        rig.at(2, || {
            fake::on_wait(|| fake::pend(HALT));
            fake::on_wait(|| fake::pend(KICK));
            fake::on_wait(|| std::panic::panic_any(fake::pending()));
        });
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.run(2)));
        end.unwrap_err().downcast_ref::<usize>().copied()
    };
    assert_eq!(left(&rig), Some(0), "it goes on to take what comes");
    let rig = self::rig();
    rig.at(0, || rig.machine.halt_others());
    assert!(rig.machine.is_halting());
    rig.at(2, || {
        while fake::pending() != 0 {
            portcullis_arch::gicv3::acknowledge();
        }
    });
    assert_eq!(left(&rig), Some(1), "it takes nothing any more");
}

#[test]
fn a_vm_that_restarts_too_often_waits_for_its_core() {
    let rig = Rig::new(&[
        vm("ops", &[0]),
        portcullis_bundle::VmConfig {
            settings: portcullis_bundle::Settings { restart_limit: 8, ..SETTINGS },
            ..vm("a", &[1])
        },
    ]);
    rig.settle();
    for failures in 0..4 {
        assert!(rig.is_in_guest(1), "{failures}");
        let a = rig.vm(1);
        rig.at(1, || {
            a.fail(crate::vm::failure::Failure {
                reason: crate::vm::failure::Reason::SError,
                vcpu: 0,
                syndrome: 0,
                pc: 0,
                address: 0,
            });
        });
        rig.settle();
        // The next start is put off by its restart policy: the core sets its timer.
        for _ in 0..20 {
            if rig.is_in_guest(1) {
                break;
            }
            rig.advance(SECOND);
            rig.interrupt(1, EL2_TIMER_INTID);
        }
    }
    assert_eq!(rig.vm(1).life.restart_policy().total(), 4);
}

#[test]
fn a_core_that_the_board_lacks_is_named() {
    let rig = rig();
    let workers: &'static [Worker] =
        Vec::leak(vec![Worker::new(Core::new(0, 0, 0, 0)), Worker::new(Core::new(1, 1, 0, 0))]);
    let refused = rig.at(0, || assign(rig.machine.vms, workers, &[])).unwrap_err();
    assert_eq!(refused, NoSuchCore { vm: "a", core: 2, cores: 2 });
    assert_eq!(refused.to_string(), "a wants core 2; this board has cores 0 to 1");
}

#[test]
fn an_error_of_a_vcpu_that_stands_still_tells_where_its_guest_is() {
    let rig = rig();
    rig.at(1, || {
        fake::set("elr_el2", 0x4123_4560);
        // DISR_EL1: deferred, recoverable (AET 0b011), asynchronous.
        fake::set("s3_0_c12_c1_1", 1 << 31 | 0b011 << 10 | 0x11);
        // The kick with which its VM's end comes.
        fake::on_wait(|| fake::pend(KICK));
    });
    rig.at(0, || rig.vm(1).manager_lock().unwrap().pause().unwrap());
    rig.settle();
    let failure = rig.vm(1).failure().unwrap();
    assert_eq!((failure.reason, failure.vcpu, failure.pc), (Reason::SError, 0, 0x4123_4560));
}

#[test]
fn stolen_time_that_was_restored_never_goes_back() {
    let rig = rig();
    let (vcpu, pv_time) = (rig.vcpu(1, 1), &rig.vm(1).pv_time);
    assert_eq!(vcpu.save_stolen(SECOND).wanted, 0);
    // Elsewhere the counter had another frequency.
    let saved = state::StolenTime { version: 1, wanted: 1, nanoseconds: 123_456_789 };
    assert_eq!(vcpu.restore_stolen(&saved, SECOND), Ok(()));
    let read = pv_time.published(1);
    assert!((123_456_789..123_457_789).contains(&read), "{read}");
    let again = vcpu.save_stolen(SECOND);
    assert!(again.wanted == 1 && again.nanoseconds >= read);
    let wrong = [
        state::StolenTime { version: 2, ..saved },
        state::StolenTime { wanted: 2, ..saved },
        state::StolenTime { wanted: 256, ..saved },
        state::StolenTime { nanoseconds: u64::MAX, ..saved },
    ];
    for wrong in wrong {
        assert!(vcpu.restore_stolen(&wrong, 1 << 40).is_err(), "{wrong:?}");
        assert_eq!((vcpu.save_stolen(SECOND), pv_time.published(1)), (again, read));
    }
    let unwanted = state::StolenTime { wanted: 0, nanoseconds: 5_000_000_000, ..saved };
    assert_eq!(vcpu.restore_stolen(&unwanted, SECOND), Ok(()));
    assert_eq!(pv_time.published(1), read, "nobody asked for it");
}

#[test]
fn predictions_are_restricted_where_the_policy_says_so_and_nowhere_else() {
    // Both can, and do not say that they keep contexts apart: of the second one it is known.
    let prepare = |core: usize| {
        // ID_AA64ISAR1_EL1.SPECRES, by both of its names.
        ["id_aa64isar1_el1", "s3_0_c0_c6_1"].iter().for_each(|name| fake::set(name, 1 << 40));
        fake::set("midr_el1", [0x410f_0000, crate::tests::rig::MIDR[0]][core]);
    };
    let mut parts = Parts::new();
    parts.board.firmware = None;
    let vms = [vm("a", &[0]), vm("b", &[1])];
    let rig = Rig::prepared(parts, GicVersion::V3, &vms, Default::default(), prepare);
    rig.keep_events();
    rig.settle();
    let expected = [AtChange::Restrict, AtChange::Nothing];
    let decided = [0, 1].map(|core: usize| rig.machine.cores[core].protection().map(Protection::at_change));
    assert_eq!(decided, expected.map(Some));
    let events = rig.events();
    let restricted = |core| {
        events.iter().filter(|(at, event)| *at == core && matches!(event, Event::Maintain("cfp rctx", ..))).count()
    };
    assert_eq!([0, 1].map(restricted), [2, 0]);
}
