//! VMs that their guests suspend, here on cores of their own.

mod shared_core;

use portcullis_abi::function::{PSCI_CPU_ON, PSCI_SYSTEM_SUSPEND, SMC64};
use portcullis_abi::map::{self, RAM, TIMER_VIRTUAL_INTID};
use portcullis_abi::result::{PSCI_DENIED, PSCI_INVALID_ADDRESS};
use portcullis_arch::fake::{self, Frame, Outcome};
use portcullis_board::signal::{EL2_TIMER_INTID, KICK};
use portcullis_bundle::{Settings, VmConfig};
use portcullis_vgic::GicVersion;

use crate::machine::owner::Beside;
use crate::tests::board::Parts;
use crate::tests::guest::{hvc, wants};
use crate::tests::rig::{Rig, SETTINGS, vm, x};
use crate::vm::activity::Activity;
use crate::vm::power::PowerState;
use crate::vm::state::{Action, Phase};
use crate::vm::{Vcpu, Vm};

const BOTH: [GicVersion; 2] = [GicVersion::V3, GicVersion::V2];
const SUSPEND: u64 = (PSCI_SYSTEM_SUSPEND | SMC64) as u64;
/// Where the guest goes on.
const ENTRY: u64 = RAM + 0x2000;
const CONTEXT: u64 = 0x1234_5678_9abc;
const CALL: [u64; 4] = [SUSPEND, ENTRY, CONTEXT, 0];
/// Ticks of a slice that the manifest does not name: 5 ms.
const SLICE: u64 = 5_000;

fn sleeper(name: &'static str, cores: &[u32]) -> VmConfig<'static> {
    VmConfig { settings: Settings { suspend: true, ..SETTINGS }, ..vm(name, cores) }
}

/// A machine whose VM "a" has the cores 1 and 2 to itself, and may suspend itself.
fn rig(gic: GicVersion) -> Rig {
    let rig = Rig::on(Parts::new(), gic, &[vm("ops", &[0]), sleeper("a", &[1, 2])]);
    rig.settle();
    rig
}

/// The same with a neighbour on its only core; "a" is in its guest.
fn shared(gic: GicVersion) -> Rig {
    let rig = Rig::on(Parts::new(), gic, &[vm("ops", &[0]), sleeper("a", &[1]), vm("b", &[1])]);
    rig.settle();
    until(&rig, |rig| rig.vcpu(2, 0).activity() != Activity::Off && its_turn(rig));
    rig
}

fn its_turn(rig: &Rig) -> bool {
    rig.loaded(1) == Some((1, 0)) && rig.is_in_guest(1)
}

/// Lets slices end until something is so.
fn until(rig: &Rig, so: impl Fn(&Rig) -> bool) {
    for _ in 0..40 {
        if so(rig) {
            return;
        }
        rig.advance(SLICE);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    panic!("it never came to that: {:?}", rig.loaded(1));
}

/// Has the guest's priority mask let everything through: ICC_PMR_EL1 and GICC_PMR of 0xf0. Its interface stays closed otherwise.
fn unmask(mask: u32) {
    fake::set("ich_vmcr_el2", u64::from(mask) << 24);
    if crate::cpu::gic::version() == GicVersion::V2 {
        fake::set_gicv2(Frame::Gich, 8, mask << 24);
    }
}

/// An interrupt of its UART comes, which its guest has enabled and sends to it.
fn uart(vm: &Vm, level: bool) {
    use crate::devices::owner::Owner;
    Beside::of(vm, None).set_level(map::UART_INTID, level);
}

/// Has the guest want its UART's interrupt, with this priority, as by the frames of its GIC.
fn wants_uart(vcpu: &Vcpu, priority: u64) {
    wants(vcpu, TIMER_VIRTUAL_INTID);
    let (vgic, intid) = (&vcpu.vm.vgic, u64::from(map::UART_INTID));
    let (bank, bit) = (intid / 32 * 4, 1 << (intid % 32));
    match crate::cpu::gic::version() {
        GicVersion::V3 => {
            let _ = vgic.write_distributor(vcpu.index, 0x400 + intid, 1, priority);
            let _ = vgic.write_distributor(vcpu.index, 0x100 + bank, 4, bit);
        }
        GicVersion::V2 => {
            let _ = vgic.write_gicv2_distributor(vcpu.index, 0x400 + intid, 1, priority);
            let _ = vgic.write_targets(0x800 + intid, 1, 1);
            let _ = vgic.write_gicv2_distributor(vcpu.index, 0x100 + bank, 4, bit);
        }
    }
}

fn suspends(rig: &Rig) -> Outcome {
    rig.guest(1, |context| hvc(context, CALL))
}

fn code(rig: &Rig, call: [u64; 4]) -> i64 {
    x(rig.guest(1, move |context| hvc(context, call)), 0).cast_signed()
}

/// It is in its guest where it wanted to go on, with nothing of its registers but the context.
fn is_awake(rig: &Rig, outcome: Outcome) {
    assert_eq!((rig.register(1, "elr_el2"), x(outcome, 0)), (ENTRY, CONTEXT));
    assert_eq!([1, 2, 18, 30].map(|register| x(outcome, register)), [0; 4]);
    assert_eq!(rig.register(1, "tpidr_el1"), 0, "as by CPU_ON");
    let a = rig.vcpu(1, 0);
    assert_eq!((a.power(), a.activity(), a.vm.phase_name()), (PowerState::On, Activity::Running, "running"));
}

#[test]
fn without_the_permission_there_is_no_such_function() {
    let rig = Rig::new(&[vm("ops", &[0]), vm("a", &[1])]);
    rig.settle();
    for width in [0, u64::from(SMC64)] {
        let call = [u64::from(PSCI_SYSTEM_SUSPEND) | width, ENTRY, CONTEXT, 0];
        assert_eq!(code(&rig, call), -1);
    }
    assert!(rig.is_in_guest(1));
}

#[test]
fn another_vcpu_and_a_bad_entry_keep_it_awake() {
    for gic in BOTH {
        let rig = rig(gic);
        for entry in [0, RAM - 4, ENTRY + 1, ENTRY + 2, RAM + (2 << 20), u64::MAX - 3] {
            assert_eq!(code(&rig, [SUSPEND, entry, 0, 0]), PSCI_INVALID_ADDRESS, "{entry:#x}");
        }
        let on = [u64::from(PSCI_CPU_ON | SMC64), 1, RAM, 0];
        assert_eq!(code(&rig, on), 0);
        assert_eq!(code(&rig, CALL), PSCI_DENIED, "it is on, though it has yet to begin");
        rig.settle();
        assert_eq!(code(&rig, CALL), PSCI_DENIED);
        assert_eq!(rig.vm(1).phase_name(), "running");
    }
}

/// A VM may go on in its own firmware, and have a vCPU begin there: in what its flash has code in, and aligned.
#[test]
fn its_own_flash_is_a_place_to_go_on() {
    let file: &'static [u8] = &[0x14; 0x1_0000];
    let with_flash = VmConfig { flash: Some([Some(file), None]), ..sleeper("a", &[1, 2]) };
    let rig = Rig::new(&[vm("ops", &[0]), with_flash]);
    rig.settle();
    let a = rig.vcpu(1, 0);
    let on = |entry: u64| code(&rig, [(PSCI_CPU_ON | SMC64).into(), 1, entry, 0]);
    for entry in [map::FLASH + 1, map::FLASH + 2, map::FLASH + map::FLASH_BANK, map::FLASH + 2 * map::FLASH_BANK - 4] {
        assert_eq!(code(&rig, [SUSPEND, entry, 0, 0]), PSCI_INVALID_ADDRESS, "{entry:#x}");
        assert_eq!(on(entry), PSCI_INVALID_ADDRESS, "{entry:#x}");
    }
    rig.at(1, || {
        unmask(0xf0);
        wants_uart(a, 0xa0);
        fake::on_wait(move || {
            assert_eq!(a.vm.phase_name(), "suspended");
            uart(a.vm, true);
            fake::pend(KICK);
        });
    });
    let entry = map::FLASH + 0x1000;
    let outcome = rig.guest(1, move |context| hvc(context, [SUSPEND, entry, CONTEXT, 0]));
    assert_eq!((rig.register(1, "elr_el2"), x(outcome, 0)), (entry, CONTEXT));
    assert_eq!(on(entry), 0);
    rig.settle();
    assert_eq!(rig.register(2, "elr_el2"), entry);
}

#[test]
fn an_interrupt_of_a_device_wakes_it_whatever_its_cpu_interface_says() {
    for gic in BOTH {
        let rig = rig(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            fake::set("tpidr_el1", 99);
            unmask(0xf0);
            wants_uart(a, 0xa0);
            fake::on_wait(move || {
                assert_eq!((a.vm.phase_name(), a.activity()), ("suspended", Activity::Waiting));
                fake::advance(1000);
                // Not its own, and a kick for nothing.
                fake::pend(KICK);
            });
            fake::on_wait(move || {
                assert_eq!(a.vm.phase_name(), "suspended");
                uart(a.vm, true);
                fake::pend(KICK);
            });
        });
        let before = a.times();
        let offset = a.vm.counter_offset();
        let outcome = suspends(&rig);
        is_awake(&rig, outcome);
        assert!(rig.at(1, || a.has_interrupt()), "{gic:?}: it is there still");
        assert_eq!(a.vm.counter_offset(), offset, "the counter ran on");
        let after = rig.at(1, || a.times());
        assert_eq!((after.stolen, after.ran), (before.stolen, before.ran), "{gic:?}: sleep is neither");
    }
}

#[test]
fn its_priority_mask_and_its_enables_count() {
    for gic in BOTH {
        let rig = rig(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xa0);
            // As urgent as the mask is not enough.
            wants_uart(a, 0xa0);
            uart(a.vm, true);
            fake::on_wait(move || {
                assert_eq!(a.vm.phase_name(), "suspended", "{gic:?}");
                wants_uart(a, 0x98);
                let _ = a.vm.vgic.attend(0);
                fake::pend(KICK);
            });
        });
        let outcome = suspends(&rig);
        is_awake(&rig, outcome);
        // With the distributor off nothing wakes it but a manager.
        rig.at(1, || {
            unmask(0xf0);
            let _ = match gic {
                GicVersion::V3 => a.vm.vgic.write_distributor(0, 0, 4, 0),
                GicVersion::V2 => a.vm.vgic.write_gicv2_distributor(0, 0, 4, 0).kick,
            };
            fake::on_wait(move || {
                assert_eq!(a.vm.phase_name(), "suspended", "{gic:?}");
                a.vm.manager_lock().unwrap().resume().unwrap();
                assert!(a.vm.manager_lock().unwrap().resume().is_err(), "it is awake, though not yet in its guest");
                fake::pend(KICK);
            });
        });
        let outcome = suspends(&rig);
        is_awake(&rig, outcome);
    }
}

#[test]
fn what_is_pending_already_does_not_let_it_sleep() {
    for gic in BOTH {
        let rig = rig(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants_uart(a, 0xa0);
            uart(a.vm, true);
        });
        let outcome = suspends(&rig);
        is_awake(&rig, outcome);
        let rig = shared(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants_uart(a, 0xa0);
            uart(a.vm, true);
            // It is in a list register, and nobody tells of it any more.
            a.flush_interrupts();
        });
        suspends(&rig);
        until(&rig, its_turn);
        let outcome = rig.run(1);
        is_awake(&rig, outcome);
    }
}

#[test]
fn its_timer_wakes_it_and_is_off_then() {
    for gic in BOTH {
        let rig = rig(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants(a, TIMER_VIRTUAL_INTID);
            fake::set("cntv_cval_el0", 500);
            fake::set("cntv_ctl_el0", 1);
            fake::on_wait(move || {
                assert_eq!(a.vm.phase_name(), "suspended");
                fake::advance(10_000);
                fake::pend(TIMER_VIRTUAL_INTID);
            });
        });
        let outcome = suspends(&rig);
        is_awake(&rig, outcome);
        assert_eq!(rig.register(1, "cntv_ctl_el0") & 1, 0);
        assert!(!rig.at(1, || a.has_interrupt()), "{gic:?}: its line is low with the timer off");
    }
}

#[test]
fn managers_pause_stop_and_restart_one_that_sleeps() {
    for gic in BOTH {
        let rig = rig(gic);
        let a = rig.vcpu(1, 0);
        rig.at(1, || {
            unmask(0xf0);
            wants_uart(a, 0xa0);
            fake::on_wait(move || {
                a.vm.manager_lock().unwrap().pause().unwrap();
                fake::pend(KICK);
            });
            fake::on_wait(move || {
                assert_eq!((a.vm.phase(), a.activity()), (Phase::Paused, Activity::Paused));
                uart(a.vm, true);
                fake::pend(KICK);
            });
            fake::on_wait(move || {
                assert_eq!(a.vm.phase_name(), "paused", "nothing wakes one that is paused");
                uart(a.vm, false);
                a.vm.manager_lock().unwrap().resume().unwrap();
                fake::pend(KICK);
            });
            fake::on_wait(move || {
                assert_eq!((a.vm.phase_name(), a.activity()), ("suspended", Activity::Waiting));
                a.vm.manager_lock().unwrap().restart().unwrap();
                fake::pend(KICK);
            });
        });
        suspends(&rig);
        rig.settle();
        assert!(rig.is_in_guest(1));
        assert_ne!(rig.register(1, "elr_el2"), ENTRY, "it began anew");
        rig.at(1, || {
            fake::on_wait(move || {
                a.vm.manager_lock().unwrap().stop().unwrap();
                fake::pend(KICK);
            });
        });
        suspends(&rig);
        rig.settle();
        assert_eq!((a.vm.phase(), a.power(), rig.is_in_guest(1)), (Phase::Stopped, PowerState::Off, false));
    }
}

#[test]
fn an_end_between_waking_and_going_on_counts() {
    let rig = rig(GicVersion::V3);
    let a = rig.vcpu(1, 0);
    rig.at(1, || {
        fake::on_wait(move || {
            assert!(a.wake(0));
            // What another core does before this one has seen that.
            a.vm.stop(Action::Off);
            fake::pend(KICK);
        });
    });
    suspends(&rig);
    rig.settle();
    assert_eq!((a.vm.phase(), a.power(), rig.is_in_guest(1)), (Phase::Stopped, PowerState::Off, false));
}
