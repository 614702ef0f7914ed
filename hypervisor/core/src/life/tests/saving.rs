//! A VM that is saved and restored on a machine of the test, by the calls of the control VM.

use portcullis_abi::manage::*;
use portcullis_abi::map::{RAM, RTC_INTID, TIMER_PHYSICAL_INTID, TIMER_VIRTUAL_INTID};
use portcullis_arch::fake::{self, Trap};
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_vgic::GicVersion;

use super::mover::*;
use crate::tests::board::Parts;
use crate::tests::guest::{hvc, system_register, wants};
use crate::tests::rig::{Rig, results, vm, x};
use crate::vm::power::PowerState;
use crate::vm::state::{Action, Phase};

pub(super) const BOTH: [GicVersion; 2] = [GicVersion::V3, GicVersion::V2];

/// A machine with a control VM and a movable one, which is in its guest.
pub(super) fn rig(gic: GicVersion) -> Rig {
    let rig = Rig::on(Parts::new(), gic, &[vm("ops", &[0]), movable("a", &[1]), vm("b", &[2])]);
    rig.settle();
    runs(&rig);
    rig
}

/// Has the guest hold something in every kind of register, wait for its timer and have written to its memory.
fn settle_in(rig: &Rig) {
    let a = rig.vcpu(1, 0);
    rig.at(1, || {
        wants(a, TIMER_VIRTUAL_INTID);
        for (register, value) in [("tpidr_el0", 77), ("ttbr0_el1", 0x4020_0000), ("sp_el0", 0x4100_0000)] {
            fake::set(register, value);
        }
        let due = portcullis_arch::timer::count() - a.vm.counter_offset() + 50_000;
        fake::set("cntv_cval_el0", due);
        fake::set("cntv_ctl_el0", 1);
        fake::set("elr_el2", RAM + 0x1234);
    });
    rig.guest(1, |context| {
        context.set_register(20, 0x2020);
        hvc(context, [0x8400_0000, 0, 0, 0])
    });
    let range = a.vm.memory;
    // SAFETY: it is the VM's RAM, whose core does nothing now.
    unsafe { core::ptr::write_bytes((range.start + 0x18_0000) as *mut u8, 0x5a, 5000) };
}

#[test]
fn a_vm_goes_on_where_it_was_saved() {
    for gic in BOTH {
        let rig = rig(gic);
        settle_in(&rig);
        assert_eq!(code(&rig, 0x8400_ff00), u64::MAX, "what was refused is remembered, with its time");
        let a = rig.vcpu(1, 0);
        pause(&rig);
        rig.advance(7_000);
        let stream = save(&rig, LENGTH);
        rig.advance(7_000);
        assert_eq!(rig.vm(1).phase(), Phase::Paused, "saving changes nothing");
        assert_eq!(save(&rig, 4097), stream, "it is the same whatever the buffer");
        let ram = rig.ram(1).to_vec();
        recreate(&rig);
        assert!(rig.ram(1).iter().all(|byte| *byte == 0));
        rig.advance(1_000_000);
        assert_eq!(restore(&rig, &stream, 1000), 0);
        assert_eq!((rig.vm(1).phase(), a.power()), (Phase::Paused, PowerState::On));
        assert!(rig.ram(1) == ram, "its memory is as it was");
        assert!(rig.vm(1).row.profile().is_frozen());
        rig.advance(7_000);
        assert_eq!(save(&rig, LENGTH), stream, "what is saved then is what was restored");
        let generation = a.vm.generation.as_ref().unwrap();
        let (identifier, told) = generation.shown();
        let (before, stood) = (a.vm.life.counter().save(1).value, rig.at(1, portcullis_arch::timer::count));
        ok(&rig, RESUME, [A, 0, 0]);
        runs(&rig);
        assert_eq!(
            rig.at(1, portcullis_arch::timer::count) - a.vm.counter_offset(),
            before,
            "{stood}: no time has passed"
        );
        assert_eq!(
            ["tpidr_el0", "ttbr0_el1", "sp_el0"].map(|name| rig.register(1, name)),
            [77, 0x4020_0000, 0x4100_0000]
        );
        assert_eq!((rig.register(1, "elr_el2"), a.context.register(20)), (RAM + 0x1234, 0x2020));
        assert_eq!(rig.register(1, "cntv_ctl_el0") & 1, 1, "its timer is on again");
        assert_eq!(rig.register(1, "vttbr_el2"), rig.vm(1).vttbr());
        assert_eq!(code(&rig, 0x8400_0000), 0x1_0003, "and its calls are answered");
        let (renewed, now) = generation.shown();
        assert_ne!(renewed, identifier, "it is another generation");
        assert_eq!((now[2], now[4]), (told[2] + 1, told[4] + 1), "a jump, and a restore");
        pause(&rig);
        ok(&rig, RESUME, [A, 0, 0]);
        assert_eq!(generation.shown(), (renewed, now), "which a pause is not");
    }
}

/// What a call of the VM's returns.
fn code(rig: &Rig, function: u64) -> u64 {
    results(rig.guest(1, move |context| hvc(context, [function, 0, 0, 0])))[0]
}

#[test]
fn a_core_forgets_what_it_remembers_of_a_former_life() {
    let rig = rig(GicVersion::V3);
    pause(&rig);
    let stream = save(&rig, LENGTH);
    recreate(&rig);
    assert_eq!(restore(&rig, &stream, LENGTH), 0);
    rig.keep_events();
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
    let forgets = fake::Event::Instruction("tlbi vmalls12e1");
    assert!(rig.events().iter().any(|(core, event)| *core == 1 && *event == forgets));
}

/// What asks for maintenance while nothing is pending would do so for ever on a core that nobody has.
#[test]
fn a_core_whose_vcpu_stands_still_has_no_virtual_interface() {
    let rig = rig(GicVersion::V3);
    let is_on = || rig.register(1, "ich_hcr_el2") & 1 != 0;
    assert!(is_on(), "while the guest is there");
    pause(&rig);
    assert!(!is_on());
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
    assert!(is_on());
}

#[test]
fn a_damaged_stream_leaves_a_vm_that_can_be_started() {
    let rig = rig(GicVersion::V3);
    settle_in(&rig);
    pause(&rig);
    let stream = save(&rig, LENGTH);
    recreate(&rig);
    let registers = rig.vm(1).row.profile();
    for at in (0..stream.len()).step_by(997).chain([stream.len() - 30]) {
        let mut bad = stream.clone();
        bad[at] ^= 0x10;
        assert_eq!(restore(&rig, &bad, LENGTH), UNFIT, "byte {at}");
        assert_eq!((rig.vm(1).state().phase, rig.vm(1).state().action), (Phase::Created, Action::None), "byte {at}");
        assert_eq!((rig.vm(1).row.profile(), rig.vm(1).live()), (registers, 0), "byte {at}");
    }
    // One that is cut, and given up.
    ok(&rig, RESTORE, [A, 0, 0]);
    // SAFETY: as above.
    unsafe { core::ptr::copy(stream.as_ptr(), buffer(&rig), LENGTH) };
    ok(&rig, TRANSFER, [BUFFER, LENGTH as u64, 0]);
    ok(&rig, TRANSFER_END, [0; 3]);
    assert_eq!(rig.vm(1).state().action, Action::None);
    // Nothing of it is found by who starts.
    ok(&rig, START, [A, 0, 0]);
    runs(&rig);
    let kernel = rig.ram(1).iter().filter(|byte| **byte == 0x5a).count();
    assert!(kernel < 5000, "what was restored is gone");
    assert_eq!(rig.register(1, "tpidr_el0"), 0);
}

#[test]
fn only_what_may_be_saved_is() {
    let rig = rig(GicVersion::V3);
    assert_eq!(status(&rig, TRANSFER, [BUFFER, 4096, 0]), BAD_STATE, "nothing was begun");
    assert_eq!(status(&rig, SAVE, [A, 0, 0]), BAD_STATE, "it runs");
    assert_eq!(status(&rig, RESTORE, [A, 0, 0]), BAD_STATE);
    for vm in [0, 2] {
        assert_eq!(status(&rig, SAVE, [vm, 0, 0]), NOT_PERMITTED);
        assert_eq!(status(&rig, RESTORE, [vm, 0, 0]), NOT_PERMITTED);
    }
    assert_eq!(status(&rig, SAVE, [9, 0, 0]), UNKNOWN_VM);
    pause(&rig);
    ok(&rig, SAVE, [A, 0, 0]);
    assert_eq!(status(&rig, SAVE, [A, 0, 0]), BUSY);
    for request in [RESUME, STOP, RESTART, RESTORE] {
        assert_eq!(status(&rig, request, [A, 0, 0]), BUSY, "{request:#x}");
    }
    let end = RAM + rig.vm(0).memory.size();
    for (address, length) in [(0, 64), (BUFFER, 0), (BUFFER, LENGTH as u64 + 1), (end - 8, 16), (u64::MAX, 4), (end, 1)]
    {
        assert_eq!(status(&rig, TRANSFER, [address, length, 0]), BAD_ARGUMENT, "{address:#x} {length}");
    }
    assert!(rig.vm(1).state().action == Action::Save, "nothing of that ends it");
    ok(&rig, TRANSFER, [BUFFER, 100, 0]);
    ok(&rig, TRANSFER_END, [0; 3]);
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
}

#[test]
fn a_vm_that_ends_meanwhile_ends_its_saving() {
    let rig = rig(GicVersion::V3);
    pause(&rig);
    ok(&rig, SAVE, [A, 0, 0]);
    ok(&rig, TRANSFER, [BUFFER, 4096, 0]);
    // The machine ends, for one.
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.settle();
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    assert_eq!(status(&rig, TRANSFER, [BUFFER, 4096, 0]), BAD_STATE);
    assert_eq!(status(&rig, SAVE, [A, 0, 0]), BAD_STATE, "and there is room for the next one");
}

#[test]
fn a_physical_timer_goes_on_with_the_vm() {
    for gic in BOTH {
        let rig = rig(gic);
        let a = rig.vcpu(1, 0);
        // CNTP_CVAL_EL0 = x3, CNTP_CTL_EL0 = x4, and CNTPCT_EL0 and both of them back.
        rig.guest(1, |context| {
            context.set_register(3, 900_000);
            Trap::Exception(system_register(3, 3, 14, 2, 2, 3, false))
        });
        let offset = a.vm.counter_offset();
        assert_eq!(rig.register(1, "cntp_cval_el0"), 900_000 + offset, "the core's timer is the machine's");
        rig.guest(1, |context| {
            context.set_register(4, 1);
            Trap::Exception(system_register(3, 3, 14, 2, 1, 4, false))
        });
        let read = |crm: u64, op2: u64| {
            let outcome = rig.guest(1, move |_| Trap::Exception(system_register(3, 3, 14, crm, op2, 5, true)));
            x(outcome, 5)
        };
        let now = rig.at(1, portcullis_arch::timer::count) - offset;
        assert_eq!((read(2, 2), read(2, 1), read(0, 1)), (900_000, 1, now));
        assert_eq!(read(2, 0), u64::from((900_000 - now) as u32));
        pause(&rig);
        let stream = save(&rig, LENGTH);
        recreate(&rig);
        assert_eq!(rig.register(1, "cnthctl_el2"), 0b11, "what comes next has the machine's counter");
        rig.advance(1_000_000);
        assert_eq!(restore(&rig, &stream, LENGTH), 0);
        assert_eq!(save(&rig, LENGTH), stream);
        ok(&rig, RESUME, [A, 0, 0]);
        runs(&rig);
        assert_eq!(rig.register(1, "cnthctl_el2"), 0, "its counter is its own");
        let offset = a.vm.counter_offset();
        let left = [rig.register(1, "cntp_cval_el0"), rig.register(1, "cntp_ctl_el0") & 1];
        assert_eq!(left, [900_000 + offset, 1], "it fires when its counter is there");
        assert!(offset > 1_000_000);
    }
}

/// Whether the guest is at the clock or not: an alarm comes on a machine that had never set a timer for it, in its second or at
/// once if that is over.
#[test]
fn an_alarm_comes_where_the_vm_goes() {
    for away in [1_000_000, 100_000_000] {
        let rig = rig(GicVersion::V3);
        let a = rig.vm(1);
        let clock = a.bus.devices().find(|device| device.save_clock().is_some()).unwrap();
        let owner = rig.vcpu(1, 0);
        // RTCRIS, and the line at the virtual GIC.
        let raised = || {
            let line = a.vgic.save().unwrap().spis[RTC_INTID as usize / 32 - 1].line >> (RTC_INTID % 32) & 1;
            [clock.save_clock().unwrap().raw, line]
        };
        rig.at(1, || {
            let time = clock.read(owner, 0, 4);
            clock.write(owner, 4, 4, time + 60);
            clock.write(owner, 0x10, 4, 1);
        });
        pause(&rig);
        let stream = save(&rig, LENGTH);
        recreate(&rig);
        // What a core was set for is over, and nothing comes of it.
        rig.advance(away);
        (0..3).for_each(|core| _ = rig.interrupt(core, EL2_TIMER_INTID));
        assert_eq!(restore(&rig, &stream, LENGTH), 0);
        assert_eq!(save(&rig, LENGTH), stream, "it is told when it goes on");
        ok(&rig, RESUME, [A, 0, 0]);
        runs(&rig);
        if away < 60_000_000 {
            assert_eq!(raised(), [0, 0], "it is not its time");
            rig.advance(60_000_000);
            (0..3).for_each(|core| _ = rig.interrupt(core, EL2_TIMER_INTID));
        }
        assert_eq!(raised(), [1, 1], "{away}");
    }
}

/// Where the core can offset it, nothing of it traps, and the timer is what the guest has written.
#[test]
fn a_core_that_can_offset_the_physical_counter_does() {
    const ECV: u64 = 1 << 12;
    let cores = |_| fake::set("id_aa64mmfr0_el1", 2 << 60 | 5);
    let vms = [vm("ops", &[0]), movable("a", &[1]), vm("b", &[1])];
    let rig = Rig::prepared(Parts::new(), GicVersion::V3, &vms, Default::default(), cores);
    rig.settle();
    let until = |vm: usize| {
        for _ in 0..200 {
            if rig.is_in_guest(1) && rig.loaded(1) == Some((vm, 0)) {
                return;
            }
            rig.advance(5_000);
            rig.interrupt(1, EL2_TIMER_INTID);
        }
        panic!("VM {vm} has no turn");
    };
    let shown = || (rig.register(1, "cnthctl_el2"), rig.register(1, "s3_4_c14_c0_6"));
    let a = rig.vcpu(1, 0);
    until(1);
    assert_eq!(shown(), (0b11 | ECV, a.vm.counter_offset()));
    // It waits for its physical timer, 20 ms from now, and the core's own timer is set for that.
    let due = rig.at(1, || {
        wants(a, TIMER_PHYSICAL_INTID);
        a.enable_linked(1 << TIMER_PHYSICAL_INTID, true);
        let due = portcullis_arch::timer::count() - a.vm.counter_offset() + 20_000;
        fake::set("cntp_cval_el0", due);
        fake::set("cntp_ctl_el0", 1);
        due
    });
    rig.guest(1, |_| Trap::Exception(1 << 26 | 1 << 25));
    assert_eq!(rig.loaded(1), Some((2, 0)));
    assert_eq!(shown().0, 0b11, "the other one has the machine's");
    let at = a.off_core().unwrap().noted_deadline();
    assert_eq!(at, due + a.vm.counter_offset(), "and it waits by its own");
    // Over a pause its counter stands still, and so does what it waits for.
    pause(&rig);
    rig.advance(1_000_000);
    ok(&rig, RESUME, [A, 0, 0]);
    rig.settle();
    let at = a.off_core().unwrap().noted_deadline();
    assert_eq!(at, due + a.vm.counter_offset());
    assert!(a.vm.counter_offset() > 1_000_000);
    until(1);
    assert_eq!(shown(), (0b11 | ECV, a.vm.counter_offset()));
    assert_eq!((rig.register(1, "cntp_cval_el0"), rig.register(1, "cntp_ctl_el0")), (due, 0b101));
    pause(&rig);
    assert_eq!(shown().0, 0b11, "nothing of it stays on the core");
    let stream = save(&rig, LENGTH);
    recreate(&rig);
    rig.advance(1_000_000);
    assert_eq!(restore(&rig, &stream, LENGTH), 0);
    assert_eq!(save(&rig, LENGTH), stream);
    ok(&rig, RESUME, [A, 0, 0]);
    until(1);
    assert_eq!(shown(), (0b11 | ECV, a.vm.counter_offset()));
    assert_eq!(rig.register(1, "cntp_cval_el0"), due);
}
