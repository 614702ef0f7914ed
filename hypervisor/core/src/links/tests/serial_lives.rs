//! VMs at a serial cable that pause, end and start again, and such as do not keep to the rules of rings.

use portcullis_abi::manage;
use portcullis_bundle::VmConfig;
use portcullis_links::serial::{Counters, Side};
use portcullis_vgic::GicVersion;
use portcullis_virtio::fake::START;
use portcullis_virtio::mmio::registers::*;

use super::guest::until_its;
use super::ports::{OPEN, Ports, message};
use crate::links::serial::Serial;
use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, results, vm};
use crate::vm::state::Phase;

/// A control VM, which is the first end, and another VM; both ends are open.
fn machine() -> (Rig, [Ports; 2]) {
    let configs = [("a", 0), ("b", 1)].map(|(name, core)| VmConfig { console: Some(0), ..vm(name, &[core]) });
    let rig = Rig::with_serials(GicVersion::V3, &configs, vec![Serial::new("uplink", [0, 1])]);
    rig.settle();
    let mut ports = [0, 1].map(|vm| Ports::new(vm, vm));
    for end in &mut ports {
        end.begin(&rig, 1);
        end.say(&rig, 0, OPEN, 1);
    }
    rig.settle();
    ports.iter_mut().for_each(|end| _ = end.hear(&rig));
    (rig, ports)
}

/// The same with the second VM on a core that a third one shares: what waits there does not keep the core.
fn sharing_machine() -> (Rig, [Ports; 2]) {
    let console = |name, core| VmConfig { console: Some(0), ..vm(name, &[core]) };
    let configs = [console("a", 0), console("b", 1), vm("c", &[1])];
    let rig = Rig::with_serials(GicVersion::V3, &configs, vec![Serial::new("uplink", [0, 1])]);
    rig.settle();
    let mut ports = [0, 1].map(|vm| Ports::new(vm, vm));
    for (number, end) in ports.iter_mut().enumerate() {
        until_its(&rig, number, number);
        end.begin(&rig, 1);
        end.say(&rig, 0, OPEN, 1);
        rig.settle();
    }
    ports[0].hear(&rig);
    ports[1].hear(&rig);
    (rig, ports)
}

/// The control VM asks for something to become of the other one.
fn ask(rig: &Rig, call: u32) {
    let result = results(rig.guest(0, move |context| hvc(context, [u64::from(call), 1, 0, 0])));
    assert_eq!(result[0], 0, "{call:#x}");
    rig.settle();
}

fn counters(rig: &Rig, side: Side) -> Counters {
    rig.machine.links.serials()[0].counters(side)
}

#[test]
fn a_vm_that_ends_closes_at_once_and_comes_back() {
    let (rig, [mut a, mut b]) = machine();
    a.send(&rig, 0, &[1; 100]);
    rig.settle();
    ask(&rig, manage::STOP);
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    assert_eq!(a.hear(&rig), [message(0, OPEN, 0)]);
    assert_eq!((a.back(&rig, 0), counters(&rig, Side::A).dropped), (1, 100), "what it has not taken");
    ask(&rig, manage::RESTART);
    assert_eq!(rig.vm(1).phase(), Phase::Running);
    assert_eq!(b.guest.read(&rig, STATUS), 0, "its device is as it was before the first access");
    a.send(&rig, 0, b"for the next one");
    b.begin(&rig, 1);
    assert_eq!(a.hear(&rig), [[0; 0]; 0]);
    b.room(&rig, 0, 1, 64);
    b.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!((b.got(&rig, 0), a.hear(&rig)), (b"for the next one".to_vec(), vec![message(0, OPEN, 1)]));
}

#[test]
fn a_vm_that_is_made_anew_begins_to_count_anew() {
    let (rig, [mut a, mut b]) = machine();
    a.room(&rig, 0, 1, 64);
    b.send(&rig, 0, b"counted");
    rig.settle();
    assert_eq!((a.got(&rig, 0), counters(&rig, Side::B).sent), (b"counted".to_vec(), 7));
    ask(&rig, manage::STOP);
    ask(&rig, manage::RECREATE);
    assert_eq!((counters(&rig, Side::B), counters(&rig, Side::A).sessions), (Counters::default(), 1));
}

/// What passes between two VMs waits while one of them is paused; nothing of its memory is touched.
#[test]
fn a_vm_that_is_paused_keeps_its_port_open_and_goes_on() {
    let (rig, [mut a, mut b]) = sharing_machine();
    b.room(&rig, 0, 2, 64);
    ask(&rig, manage::PAUSE);
    assert_eq!(rig.vm(1).phase(), Phase::Paused);
    let before = rig.ram(1).to_vec();
    a.send(&rig, 0, b"wait");
    a.say(&rig, 0, OPEN, 0);
    rig.settle();
    assert_eq!((a.back(&rig, 0), a.hear(&rig)), (0, vec![]));
    assert!(rig.ram(1) == before, "its memory is left alone");
    ask(&rig, manage::RESUME);
    until_its(&rig, 1, 1);
    rig.settle();
    assert_eq!((b.got(&rig, 0), b.hear(&rig)), (b"wait".to_vec(), vec![message(0, OPEN, 0)]));
}

#[test]
fn a_driver_that_resets_its_device_has_its_rings_back() {
    let (rig, [mut a, mut b]) = machine();
    b.room(&rig, 0, 4, 64);
    a.send(&rig, 0, &[3; 10]);
    rig.settle();
    b.guest.write(&rig, STATUS, 0);
    assert_eq!((b.guest.read(&rig, STATUS), b.guest.read(&rig, QUEUE_READY)), (0, 0));
    let before = b.guest.bytes(&rig, START, 0x20_0000);
    a.send(&rig, 0, &[4; 10]);
    rig.settle();
    assert!(b.guest.bytes(&rig, START, 0x20_0000) == before, "nothing is written to them any more");
    assert_eq!(a.hear(&rig), [message(0, OPEN, 0)]);
}

/// Whatever one end does to a ring, it alone has to reset its device, and the other end goes on when it has. The chain of one
/// buffer is at `at`; `line` is what is said of the queue.
fn is_harmed_alone(queue: usize, at: u64, writable: bool, line: &str) {
    let (rig, [mut a, mut b]) = machine();
    b.guest.give_at(&rig, queue, at, 64, writable);
    b.guest.notify(&rig, queue);
    a.send(&rig, 0, &[5; 20]);
    rig.settle();
    assert_eq!((b.guest.read(&rig, STATUS), a.guest.read(&rig, STATUS)), (0x4f, 0xf));
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains(line), "{lines}");
    b.begin(&rig, 1);
    b.room(&rig, 0, 4, 64);
    b.say(&rig, 0, OPEN, 1);
    rig.settle();
    a.send(&rig, 0, b"still here");
    rig.settle();
    assert!(b.got(&rig, 0).ends_with(b"still here"));
}

#[test]
fn bytes_out_of_reach_harm_their_own_vm_alone() {
    is_harmed_alone(1, 0xffff_ffff_0000, false, "b: serial port uplink: transmit queue: ");
}

#[test]
fn room_out_of_reach_harms_its_own_vm_alone() {
    is_harmed_alone(0, 0x1000, true, "b: serial port uplink: receive queue: ");
}

#[test]
fn messages_out_of_reach_harm_their_own_vm_alone() {
    is_harmed_alone(3, 0x10, false, "b: serial ports: control transmit queue: ");
}

/// The index of a ring that runs ahead is found wherever it is.
#[test]
fn an_index_that_runs_ahead_is_a_fault() {
    for queue in [0, 1, 3] {
        let (rig, [mut a, mut b]) = machine();
        b.guest.run_ahead(&rig, queue, 100);
        b.guest.notify(&rig, queue);
        a.send(&rig, 0, &[5; 20]);
        rig.settle();
        assert_eq!((b.guest.read(&rig, STATUS), a.guest.read(&rig, STATUS)), (0x4f, 0xf), "{queue}");
    }
}
