//! What a reader of the control VM's port of events is told.

use portcullis_abi::manage::*;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_vgic::GicVersion;

use super::controls::{ask, words};
use super::guest::network;
use super::ports::{OPEN, Ports};
use super::serial::with_console;
use crate::links::serial::Serial;
use crate::tests::guest;
use crate::tests::rig::{Rig, SECOND, vm};
use crate::vm::failure::{Failure, Reason};

/// The ports: that of calls, and that of events.
const CALLS: usize = 0;
const EVENTS: usize = 1;

/// The control VM `ops` and two that have not started and share a core, and the driver of the former's ports, of which programs
/// have both open.
fn machine(gic: GicVersion) -> (Rig, Ports) {
    let [b, c] = ["b", "c"].map(|name| {
        let mut vm = vm(name, &[1]);
        vm.settings.autostart = false;
        vm.settings.restart_limit = 1;
        vm
    });
    let rig = Rig::with_controls(gic, &[with_console("ops", 0), b, c], Vec::new());
    rig.settle();
    let mut ports = Ports::new(0, 0);
    ports.begin(&rig, 2);
    open(&rig, &mut ports);
    (rig, ports)
}

fn open(rig: &Rig, ports: &mut Ports) {
    ports.say(rig, CALLS as u32, OPEN, 1);
    ports.say(rig, EVENTS as u32, OPEN, 1);
    rig.settle();
}

/// The records that have come, each as kind, lost, subject and value.
fn read(rig: &Rig, ports: &mut Ports) -> Vec<(u64, u64, u64, u64)> {
    rig.settle();
    let records = words(&ports.got(rig, EVENTS));
    let record = |[head, time, subject, value]: [u64; 4]| {
        assert_eq!(head & 0xffff, EVENT_SIZE | EVENT_VERSION << 8);
        assert!(time > 0);
        (head >> 16 & 0xffff, head >> 32, subject, value)
    };
    records.into_iter().map(record).collect()
}

/// A change of VM 1's phase.
fn phase(before: u64, now: u64, restarts: u64) -> (u64, u64, u64, u64) {
    (EVENT_PHASE, 0, 1, before | now << 8 | restarts << 32)
}

fn request(rig: &Rig, ports: &mut Ports, function: u32) {
    assert_eq!(ask(rig, ports, [function.into(), 1, 0, 0]), [0; 4]);
}

#[test]
fn every_change_of_a_phase_is_told_once() {
    for gic in [GicVersion::V2, GicVersion::V3] {
        let (rig, mut ports) = machine(gic);
        ports.room(&rig, EVENTS, 8, 4096);
        for (function, before, now) in [
            (START, PHASE_CREATED, PHASE_RUNNING),
            (PAUSE, PHASE_RUNNING, PHASE_PAUSED),
            (RESUME, PHASE_PAUSED, PHASE_RUNNING),
            (STOP, PHASE_RUNNING, PHASE_STOPPED),
            (RECREATE, PHASE_STOPPED, PHASE_CREATED),
            (START, PHASE_CREATED, PHASE_RUNNING),
        ] {
            request(&rig, &mut ports, function);
            assert_eq!(read(&rig, &mut ports), [phase(before, now, 0)], "{function:#x}");
        }
        request(&rig, &mut ports, RESTART);
        assert_eq!(read(&rig, &mut ports), [phase(PHASE_RUNNING, PHASE_RUNNING, 1)]);
    }
}

#[test]
fn a_failure_is_told_with_its_reason_before_what_becomes_of_the_vm() {
    let (rig, mut ports) = machine(GicVersion::V3);
    ports.room(&rig, EVENTS, 8, 4096);
    request(&rig, &mut ports, START);
    assert_eq!(read(&rig, &mut ports).len(), 1);
    for (reason, kind, number) in
        [(Reason::Access, EVENT_FAILED, FAILURE_ACCESS), (Reason::Watchdog, EVENT_WATCHDOG, FAILURE_WATCHDOG)]
    {
        let failure = Failure { reason, vcpu: 0, syndrome: 0x9300_0007, pc: 0, address: 0 };
        rig.at(1, || rig.vm(1).fail(failure));
        let told = read(&rig, &mut ports);
        assert_eq!(told[0], (kind, 0, 1, number | 0x9300_0007 << 32));
        // It starts again once.
        let then = match reason {
            Reason::Access => phase(PHASE_RUNNING, PHASE_RUNNING, 1),
            _ => phase(PHASE_RUNNING, PHASE_FAILED, 1),
        };
        assert_eq!(told[1..], [then]);
    }
    assert_eq!(rig.vm(1).failure().map(|failure| failure.reason), Some(Reason::Watchdog));
}

#[test]
fn nobody_reads_and_nothing_is_kept() {
    let (rig, mut ports) = machine(GicVersion::V3);
    ports.say(&rig, EVENTS as u32, OPEN, 0);
    ports.room(&rig, EVENTS, 8, 4096);
    request(&rig, &mut ports, START);
    assert_eq!(read(&rig, &mut ports), []);
    // Whoever opens next is told what comes from then on.
    ports.say(&rig, EVENTS as u32, OPEN, 1);
    assert_eq!(read(&rig, &mut ports), []);
    request(&rig, &mut ports, STOP);
    assert_eq!(read(&rig, &mut ports), [phase(PHASE_RUNNING, PHASE_STOPPED, 0)]);
}

#[test]
fn a_slow_reader_has_the_last_ones_and_what_one_left_is_not_the_next_ones() {
    let (rig, mut ports) = machine(GicVersion::V3);
    request(&rig, &mut ports, START);
    // There is no buffer meanwhile.
    for _ in 0..33 {
        request(&rig, &mut ports, PAUSE);
        request(&rig, &mut ports, RESUME);
    }
    ports.room(&rig, EVENTS, 1, 32);
    ports.notify_room(&rig, EVENTS);
    let lost = 1 + 66 - EVENTS_KEPT;
    let first = read(&rig, &mut ports);
    assert_eq!(first.iter().map(|record| (record.0, record.1)).collect::<Vec<_>>(), [(EVENT_PHASE, lost)]);
    // A buffer takes whole records only, and as many as it has room for.
    ports.room(&rig, EVENTS, 1, 79);
    ports.notify_room(&rig, EVENTS);
    assert_eq!(read(&rig, &mut ports).len(), 2);
    ports.say(&rig, EVENTS as u32, OPEN, 0);
    ports.say(&rig, EVENTS as u32, OPEN, 1);
    ports.room(&rig, EVENTS, 8, 4096);
    ports.notify_room(&rig, EVENTS);
    assert_eq!(read(&rig, &mut ports), [], "they were for another program");
    request(&rig, &mut ports, PAUSE);
    assert_eq!(read(&rig, &mut ports), [phase(PHASE_RUNNING, PHASE_PAUSED, 0)], "and so was how many are lost");
}

#[test]
fn what_a_reader_sends_is_taken_and_a_narrow_buffer_is_a_fault() {
    let (rig, mut ports) = machine(GicVersion::V3);
    ports.send(&rig, EVENTS, &[7; 5000]);
    rig.settle();
    assert_eq!(ports.back(&rig, EVENTS), 1);
    ports.room(&rig, EVENTS, 1, 31);
    request(&rig, &mut ports, START);
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains("ops: serial port portcullis.events: receive queue: "), "{lines}");
    assert!(rig.vm(1).may_run(), "whose event it was does not mind");
    // After a reset of the device, as before.
    ports.begin(&rig, 2);
    open(&rig, &mut ports);
    ports.room(&rig, EVENTS, 8, 4096);
    request(&rig, &mut ports, STOP);
    assert_eq!(read(&rig, &mut ports), [phase(PHASE_RUNNING, PHASE_STOPPED, 0)]);
}

#[test]
fn links_that_go_up_and_down_are_told_with_their_ends() {
    let mut b = with_console("b", 1);
    b.settings.autostart = false;
    let rig = Rig::with_controls(
        GicVersion::V3,
        &[with_console("ops", 0), b],
        vec![Serial::new("uplink", [0, 1]), Serial::new("gps", [1, 0])],
    );
    rig.settle();
    let mut ports = Ports::new(0, 0);
    ports.begin(&rig, 4);
    // Its serial ports come first.
    ports.say(&rig, 2, OPEN, 1);
    ports.say(&rig, 3, OPEN, 1);
    rig.settle();
    ports.room(&rig, 3, 8, 4096);
    let told = |rig: &Rig, ports: &mut Ports, function: u32| {
        ports.room(rig, 2, 1, 4096);
        ports.send(rig, 2, &super::controls::bytes([function.into(), 1, 0, 0]));
        rig.settle();
        assert_eq!(words(&ports.got(rig, 2)), [[0; 4]]);
        let records = words(&ports.got(rig, 3));
        records.into_iter().map(|[head, _, subject, value]| (head >> 16, subject, value)).collect::<Vec<_>>()
    };
    let up = [(EVENT_LINK, 1 | 1 << 32, 1), (EVENT_LINK, 1 | 1 << 16, 1)];
    let phase = |before: u64, now: u64| (EVENT_PHASE, 1, before | now << 8);
    assert_eq!(told(&rig, &mut ports, START), [&[phase(PHASE_CREATED, PHASE_RUNNING)][..], &up].concat());
    let down = up.map(|(kind, subject, _)| (kind, subject, 0));
    assert_eq!(told(&rig, &mut ports, STOP), [&[phase(PHASE_RUNNING, PHASE_STOPPED)][..], &down].concat());
}

#[test]
fn a_port_of_a_network_is_up_while_another_vm_runs() {
    let mut b = vm("b", &[1]);
    // One that can be moved leaves its core while it is paused.
    (b.settings.autostart, b.settings.movable) = (false, true);
    let rig = Rig::with_controls_and_networks(GicVersion::V2, &[with_console("ops", 0), b], vec![network(2)]);
    rig.settle();
    let mut ports = Ports::new(0, 0);
    ports.begin(&rig, 2);
    open(&rig, &mut ports);
    ports.room(&rig, EVENTS, 8, 4096);
    for (function, up) in [(START, 1), (PAUSE, 0), (RESUME, 1), (STOP, 0)] {
        request(&rig, &mut ports, function);
        let told = read(&rig, &mut ports);
        assert_eq!((told[0].0, told[0].2), (EVENT_PHASE, 1), "it is told first: {told:?}");
        assert_eq!(told[1..], [(EVENT_LINK, 0, 0, up)], "the control VM's own end of it");
    }
}

#[test]
fn many_refused_calls_in_a_second_are_told_and_few_are_not() {
    let (rig, mut ports) = machine(GicVersion::V3);
    ports.room(&rig, EVENTS, 8, 4096);
    request(&rig, &mut ports, START);
    assert_eq!(read(&rig, &mut ports).len(), 1);
    let refuse = |count: u64| {
        for _ in 0..count {
            rig.guest(1, |context| guest::hvc(context, [0x8600_1234, 0, 0, 0]));
        }
    };
    let second = |rig: &Rig| {
        rig.advance(SECOND);
        rig.interrupt(0, EL2_TIMER_INTID);
    };
    for (count, told) in [(EVENT_REFUSALS_RATE - 10, 0), (EVENT_REFUSALS_RATE + 20, 1), (0, 0)] {
        refuse(count);
        second(&rig);
        let records = read(&rig, &mut ports);
        assert_eq!(records.len(), told, "{count}: {records:?}");
        for (kind, _, vm, value) in records {
            assert_eq!((kind, vm), (EVENT_REFUSALS, 1));
            assert!((EVENT_REFUSALS_RATE..=count).contains(&value), "{value}");
        }
    }
    // Nobody reads: no core has a timer for it.
    ports.say(&rig, EVENTS as u32, OPEN, 0);
    refuse(3 * EVENT_REFUSALS_RATE);
    second(&rig);
    assert_eq!(read(&rig, &mut ports), []);
}
