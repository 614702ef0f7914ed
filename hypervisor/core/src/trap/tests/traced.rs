//! What a trace has of what guests do.

use portcullis_abi::manage::*;
use portcullis_abi::{function, map};
use portcullis_arch::fake::{self, Trap};
use portcullis_board::signal::{EL2_TIMER_INTID, KICK};
use portcullis_bundle::{Settings, VmConfig};
use portcullis_vgic::GicVersion;

use crate::tests::board::Parts;
use crate::tests::guest::{hvc, load, raise_sgi, smc, store, wants};
use crate::tests::rig::{Rig, SETTINGS, results, vm};

/// A function that this machine has not.
const UNKNOWN: u64 = 0x8400_00ff;
/// ESR_EL2 of a WFI.
const WFI: u64 = 1 << 26 | 1 << 25;
/// Ticks of a slice that the manifest does not name: 5 ms.
const SLICE: u64 = 5_000;

/// A machine whose control VM has core 0, and VM `a` the cores 1 and 2. VM `b` is yet to be started, on core 1 as well or on its
/// own.
fn rig(gic: GicVersion, b: u32) -> Rig {
    let settings = Settings { autostart: false, ..SETTINGS };
    let configs = [vm("ops", &[0]), vm("a", &[1, 2]), VmConfig { settings, ..vm("b", &[b]) }];
    let rig = Rig::on(Parts::new(), gic, &configs);
    rig.settle();
    rig
}

/// A management call of the control VM's.
fn call(rig: &Rig, function: u32, arguments: [u64; 3]) -> (i64, [u64; 3]) {
    let [x1, x2, x3] = arguments;
    let done = rig.guest(0, move |context| hvc(context, [function.into(), x1, x2, x3]));
    let [status, values @ ..] = results(done);
    (status.cast_signed(), values)
}

fn switch(rig: &Rig, on: bool, vms: u64) {
    assert_eq!(call(rig, TRACE_SET, [u64::from(on), vms, 0]), (SUCCESS, [0; 3]));
    rig.settle();
    let (_, [state, ..]) = call(rig, TRACE_STATE, [0; 3]);
    assert_eq!((state & 1 != 0, state >> 32), (on, 0), "every core has followed");
}

/// A record, taken apart: kind, VM, vCPU, detail, value and x3.
type Record = (u64, u64, u64, u64, u64, u64);

/// All that a core has noted.
fn noted(rig: &Rig, core: u64) -> Vec<(u64, Record)> {
    let mut records = Vec::new();
    for position in 0.. {
        match call(rig, TRACE_READ, [core, position, 0]) {
            (SUCCESS, [time, head, more]) => {
                let field = |shift: u32| head >> shift & 0xff;
                records.push((time, (field(0), field(8), field(16), field(24), head >> 32, more)));
            }
            (status, values) => {
                assert_eq!((status, values), (NO_ITEM, [0; 3]));
                break;
            }
        }
    }
    assert!(records.is_sorted_by_key(|(time, _)| *time), "{records:?}");
    records
}

/// The kinds of records with their details and x3, without spans.
fn kinds(rig: &Rig, core: u64) -> Vec<(&'static str, u64, u64)> {
    let of_kind = |(_, (kind, _, _, detail, value, more)): (u64, Record)| match kind {
        TRACE_INTERRUPT => (TRACE_KINDS[kind as usize], value, more),
        _ => (TRACE_KINDS[kind as usize], detail, more),
    };
    noted(rig, core).into_iter().map(of_kind).collect()
}

#[test]
fn calls_are_noted_with_their_verdict() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let rig = rig(gic, 3);
        switch(&rig, true, 0b10);
        let version = results(rig.guest(1, |context| hvc(context, [u64::from(function::PSCI_VERSION), 0, 0, 0])));
        assert_eq!(version[0], 0x1_0003, "it is answered as ever");
        assert_eq!(results(rig.guest(1, |context| smc(context, [UNKNOWN, 0, 0, 0])))[0], u64::MAX);
        // By an immediate that is not 0 it comes another way.
        rig.guest(1, |context| {
            context.set_register(0, u64::from(function::PSCI_VERSION));
            Trap::Exception(0x16 << 26 | 1 << 25 | 1)
        });
        let expected = [
            ("enter", 0, 0),
            ("call", TRACE_ANSWERED, u64::from(function::PSCI_VERSION)),
            ("call", TRACE_REFUSED | TRACE_SMC, UNKNOWN),
            ("call", TRACE_REFUSED, u64::from(function::PSCI_VERSION)),
        ];
        assert_eq!(kinds(&rig, 1), expected, "{gic:?}");
        let records = noted(&rig, 1);
        assert!(records.iter().all(|(_, (_, vm, vcpu, ..))| (*vm, *vcpu) == (1, 0)), "{records:?}");
        assert_eq!(kinds(&rig, 0), [], "the control VM is not followed");
    }
}

#[test]
fn the_table_of_answers_is_empty_while_it_is_on_and_as_before_behind_it() {
    let rig = rig(GicVersion::V3, 3);
    let tables = |rig: &Rig, vm| rig.vcpu(vm, 0).context.answers.get().map(|table| core::ptr::from_ref(table.unwrap()));
    let before = [0, 1].map(|vm| tables(&rig, vm));
    switch(&rig, true, 0b10);
    assert_eq!(tables(&rig, 0), before[0], "others keep theirs");
    let [hvc, smc] = tables(&rig, 1);
    assert_eq!(hvc, smc);
    assert!(!before[1].contains(&hvc) && crate::trace::answers().is_some_and(|asks| core::ptr::eq(asks, hvc)));
    switch(&rig, false, 0);
    assert_eq!([0, 1].map(|vm| tables(&rig, vm)), before);
    let noted_before = noted(&rig, 1);
    rig.guest(1, |context| hvc_of(context, UNKNOWN));
    rig.guest(1, |_| load(map::UART + 0x18));
    assert_eq!(noted(&rig, 1), noted_before, "nothing is noted any more");
}

fn hvc_of(context: &portcullis_arch::context::Context, function: u64) -> Trap {
    hvc(context, [function, 0, 0, 0])
}

#[test]
fn exits_have_their_cause_and_interrupts_their_number() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let rig = rig(gic, 3);
        let a = rig.vcpu(1, 0);
        rig.at(1, || wants(a, map::TIMER_VIRTUAL_INTID));
        rig.run(1);
        switch(&rig, true, 0b10);
        rig.guest(1, |_| load(map::UART + 0x18));
        rig.guest(1, |context| store(context, map::UART, b'x'.into()));
        rig.guest(1, |_| load(map::GICD + 4));
        rig.at(1, || {
            fake::set("cntv_cval_el0", 0);
            fake::set("cntv_ctl_el0", 1);
        });
        rig.interrupt(1, map::TIMER_VIRTUAL_INTID);
        let cause = |name: &str| EXITS.iter().position(|cause| *cause == name).unwrap() as u64;
        let last = match gic {
            GicVersion::V3 => {
                rig.at(0, || raise_sgi(a, 3));
                rig.interrupt(1, KICK);
                TRACE_EXIT_CALLED
            }
            GicVersion::V2 => {
                // GICD_SGIR: to itself.
                rig.guest(1, |context| store(context, map::GICD + 0xf00, 2 << 24 | 3));
                cause("gic")
            }
        };
        let found: Vec<(&str, u64)> = kinds(&rig, 1)[1..].iter().map(|(kind, detail, _)| (*kind, *detail)).collect();
        let expected = [
            ("exit", cause("uart")),
            ("exit", cause("uart")),
            ("exit", cause("gic")),
            ("interrupt", u64::from(map::TIMER_VIRTUAL_INTID)),
            ("exit", cause("timer")),
            ("interrupt", 3),
            ("exit", last),
        ];
        assert_eq!(found, expected, "{gic:?}");
        let syndrome = noted(&rig, 1)[1].1.5;
        assert_eq!(syndrome >> 26 & 0x3f, 0x24, "of a data abort");
    }
}

#[test]
fn who_has_the_core_is_noted_and_why_it_went() {
    let rig = rig(GicVersion::V3, 1);
    switch(&rig, true, 0b110);
    assert_eq!(call(&rig, START, [2, 0, 0]).0, SUCCESS);
    rig.settle();
    for _ in 0..12 {
        rig.advance(SLICE);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    let until_its = |vm: usize| {
        for _ in 0..8 {
            if rig.loaded(1) == Some((vm, 0)) && rig.is_in_guest(1) {
                return;
            }
            rig.advance(SLICE);
            rig.interrupt(1, EL2_TIMER_INTID);
        }
        panic!("VM {vm} never had its turn: {:?}", rig.loaded(1));
    };
    until_its(2);
    until_its(1);
    until_its(2);
    rig.guest(1, |_| Trap::Exception(WFI));
    rig.guest(1, |context| hvc_of(context, u64::from(function::PSCI_SYSTEM_OFF)));
    rig.settle();
    let records = noted(&rig, 1);
    let mut here = None;
    let mut why = [Vec::new(), Vec::new()];
    for (_, (kind, vm, vcpu, detail, ..)) in records {
        match kind {
            TRACE_ENTER => assert_eq!(here.replace((vm, vcpu)), None, "nobody else is there"),
            TRACE_LEAVE => {
                assert_eq!(here.take(), Some((vm, vcpu)));
                why[vm as usize - 1].push(TRACE_LEAVES[detail as usize]);
            }
            _ => assert_eq!(here, Some((vm, vcpu)), "only who is there does something"),
        }
    }
    assert!(why[0].contains(&"turn"), "{why:?}");
    assert_eq!(why[1].iter().rev().copied().collect::<Vec<_>>()[..1], ["waits"], "{why:?}");
    assert_eq!(why[0].last(), Some(&"off"), "{why:?}");
}

#[test]
fn a_vm_that_starts_and_ends_meanwhile_is_followed_from_its_first_exit_on() {
    let rig = rig(GicVersion::V3, 3);
    switch(&rig, true, 0b100);
    for _ in 0..2 {
        assert_eq!(call(&rig, START, [2, 0, 0]).0, SUCCESS);
        rig.settle();
        assert!(rig.is_in_guest(3));
        rig.guest(3, |_| load(map::UART + 0x18));
        rig.guest(3, |context| hvc_of(context, UNKNOWN));
        assert_eq!(call(&rig, STOP, [2, 0, 0]).0, SUCCESS);
        rig.settle();
        assert_eq!(call(&rig, RECREATE, [2, 0, 0]).0, SUCCESS);
        rig.settle();
    }
    let found: Vec<&str> = kinds(&rig, 3).iter().map(|(kind, ..)| *kind).collect();
    let life = ["enter", "exit", "call", "exit", "leave"];
    assert_eq!(found, [life, life].concat());
    let off = kinds(&rig, 3).into_iter().filter(|(kind, ..)| *kind == "leave");
    assert!(off.map(|(_, why, _)| why).all(|why| why == TRACE_LEAVE_OFF));
    switch(&rig, false, 0);
    assert_eq!(call(&rig, START, [2, 0, 0]).0, SUCCESS);
    rig.settle();
    rig.guest(3, |_| load(map::UART + 0x18));
    assert_eq!(kinds(&rig, 3).len(), 2 * life.len());
}

#[test]
fn what_is_overwritten_is_told_by_number() {
    let rig = rig(GicVersion::V3, 3);
    switch(&rig, true, 0b10);
    for _ in 0..TRACE_KEPT + 10 {
        rig.guest(1, |context| hvc_of(context, UNKNOWN));
    }
    // The first one is that the vCPU is there.
    let lost = 11;
    assert_eq!(call(&rig, TRACE_READ, [1, 0, 0]), (SUCCESS, [0, TRACE_LOST, lost]));
    assert_eq!(call(&rig, TRACE_READ, [1, 3, 0]), (SUCCESS, [0, TRACE_LOST, lost - 3]));
    let (status, [_, head, more]) = call(&rig, TRACE_READ, [1, lost, 0]);
    assert_eq!((status, head & 0xff, more), (SUCCESS, TRACE_CALL, UNKNOWN));
    assert_eq!(call(&rig, TRACE_READ, [1, lost + TRACE_KEPT, 0]), (NO_ITEM, [0; 3]));
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let rig = rig(GicVersion::V3, 3);
    let fails = |function, arguments, expected| {
        assert_eq!(call(&rig, function, arguments), (expected, [0; 3]), "{function:#x} {arguments:x?}");
    };
    fails(TRACE_READ, [0, 0, 0], NO_ITEM);
    fails(TRACE_SET, [0, 0, 0], BAD_STATE);
    for arguments in [[2, 1, 0], [1, 0, 0], [1, 0b1000, 0], [1, 1 << 32 | 1, 0], [u64::MAX, 1, 0], [1 << 32, 1, 0]] {
        fails(TRACE_SET, arguments, BAD_ARGUMENT);
    }
    assert_eq!(call(&rig, TRACE_STATE, [0; 3]), (SUCCESS, [4 << 8, 0, 0]));
    assert_eq!(call(&rig, TRACE_SET, [1, 0b111, 0]), (SUCCESS, [0; 3]));
    fails(TRACE_SET, [0, 0, 0], BUSY);
    rig.settle();
    fails(TRACE_SET, [1, 0b10, 0], BAD_STATE);
    fails(TRACE_SET, [0, 1, 0], BAD_ARGUMENT);
    for place in [[4, 0], [u64::MAX, 0], [1 << 32, 0], [3, 0], [1, u64::MAX]] {
        fails(TRACE_READ, [place[0], place[1], 0], NO_ITEM);
    }
    let (_, [state, vms, since]) = call(&rig, TRACE_STATE, [0; 3]);
    assert_eq!((state, vms), (TRACE_ON | 4 << 8, 0b111));
    assert!(since > 0);
    // What reads it is not noted: it would have no end.
    let own = noted(&rig, 0);
    assert_eq!(noted(&rig, 0), own);
    // No other VM has these calls.
    let other = rig.guest(1, |context| hvc(context, [TRACE_SET.into(), 0, 0, 0]));
    assert_eq!(results(other), [u64::MAX, 0, 0, 0]);
}
