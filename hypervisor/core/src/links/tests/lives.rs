//! VMs at a network that pause, end and start again.

use portcullis_abi::manage;
use portcullis_links::network::{Counters, Dropped};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::guest::{Guest, mac, network, until_its};
use crate::memory::window;
use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, results, vm};
use crate::vm::state::Phase;

const FEATURES: u64 = 1 << 16;

/// A control VM that is at no network, and two VMs that are; each has a core.
fn machine() -> (Rig, [Guest; 2]) {
    let configs = [vm("a", &[0]), vm("b", &[1]), vm("ops", &[2])];
    let rig = Rig::with_networks(GicVersion::V3, &configs, vec![network(2)]);
    rig.settle();
    let mut guests = [0, 1].map(|index| Guest::new(index, index, 3));
    for guest in &mut guests {
        guest.begin(&rig, FEATURES, &[64, 64, 0]);
        guest.take(&rig, 0, 16, 1600);
    }
    (rig, guests)
}

/// The same with the second VM on a core that the third one shares: what waits there does not keep the core.
fn sharing_machine() -> (Rig, [Guest; 2]) {
    let configs = [vm("a", &[0]), vm("b", &[1]), vm("c", &[1])];
    let rig = Rig::with_networks(GicVersion::V3, &configs, vec![network(2)]);
    rig.settle();
    let mut guests = [0, 1].map(|index| Guest::new(index, index, 3));
    for (index, guest) in guests.iter_mut().enumerate() {
        until_its(&rig, index, index);
        guest.begin(&rig, FEATURES, &[64, 64, 0]);
        guest.take(&rig, 0, 16, 1600);
    }
    (rig, guests)
}

fn counters(rig: &Rig, port: usize) -> Counters {
    rig.machine.links.networks()[0].counters(port).unwrap()
}

/// The first VM is the control VM: it asks for something to become of the second.
fn ask(rig: &Rig, call: u32) {
    let result = results(rig.guest(0, move |context| hvc(context, [u64::from(call), 1, 0, 0])));
    assert_eq!(result[0], 0, "{call:#x}");
    rig.settle();
}

/// Status of the link, and whether the configuration has changed since this was asked.
fn link(rig: &Rig, guest: &Guest) -> (u64, bool) {
    let changed = guest.read(rig, INTERRUPT_STATUS) & 2 != 0;
    guest.write(rig, INTERRUPT_ACK, 2);
    (guest.read(rig, CONFIG + 6) & 1, changed)
}

/// Blocks of RAM of VM `vm` that core `core` has mapped.
fn shown(rig: &Rig, core: usize, vm: usize) -> usize {
    let memory = rig.vm(vm).memory;
    let block = |slot: usize| window::shown(slot) & 0xffff_ffe0_0000;
    crate::memory::guest::slots_of(core).map(block).filter(|block| (memory.start..memory.end).contains(block)).count()
}

#[test]
fn a_vm_that_is_paused_gets_nothing_and_goes_on() {
    let (rig, [mut a, b]) = sharing_machine();
    assert_eq!(link(&rig, &a), (1, false));
    ask(&rig, manage::PAUSE);
    assert_eq!(rig.vm(1).phase(), Phase::Paused);
    assert_eq!(link(&rig, &a), (0, true));
    a.send(&rig, mac(1), 60);
    assert_eq!((counters(&rig, 1).received, counters(&rig, 1).dropped(Dropped::Down)), (0, 1));
    ask(&rig, manage::RESUME);
    assert_eq!(link(&rig, &a), (1, true));
    a.send(&rig, mac(1), 60);
    rig.settle();
    assert_eq!(counters(&rig, 1).received, 1);
    until_its(&rig, 1, 1);
    assert_eq!(link(&rig, &b).0, 1);
}

/// What a VM had to send when it was paused it sends when it goes on.
#[test]
fn what_was_left_when_a_vm_was_paused_is_done_when_it_goes_on() {
    let (rig, [mut a, mut b]) = sharing_machine();
    a.take(&rig, 0, 40, 1600);
    let frame = b.frame(mac(0), 1514);
    b.give(&rig, 1, &[frame.as_slice(); 50]);
    // Paused by the other core right behind the first piece.
    let at = portcullis_abi::map::VIRTIO + 3 * 0x200 + QUEUE_NOTIFY;
    rig.at(1, || portcullis_arch::fake::guest(move |context| crate::tests::guest::store(context, at, 1)));
    rig.run(1);
    ask(&rig, manage::PAUSE);
    let (before, _) = (counters(&rig, 0).received, assert_eq!(rig.vm(1).phase(), Phase::Paused));
    assert!(before > 0 && before < 50, "{before}");
    a.notify(&rig, 1);
    assert_eq!(counters(&rig, 0).received, before);
    ask(&rig, manage::RESUME);
    until_its(&rig, 1, 1);
    rig.settle();
    assert_eq!(counters(&rig, 0).received, 50);
}

#[test]
fn a_vm_that_ends_is_forgotten_by_every_core_and_comes_back() {
    let (rig, [mut a, mut b]) = machine();
    a.send(&rig, mac(1), 60);
    assert_eq!(shown(&rig, 0, 1), 1, "core 0 keeps what it used last");
    ask(&rig, manage::STOP);
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    assert_eq!([0, 1].map(|core| shown(&rig, core, 1)), [0, 0]);
    assert_eq!(link(&rig, &a), (0, true));
    a.send(&rig, mac(1), 60);
    assert_eq!(counters(&rig, 1).dropped(Dropped::Down), 1);
    assert_eq!(shown(&rig, 0, 1), 0);
    ask(&rig, manage::RESTART);
    assert_eq!(rig.vm(1).phase(), Phase::Running);
    assert_eq!(link(&rig, &a), (1, true));
    assert_eq!(b.read(&rig, STATUS), 0, "its device is as it was before the first access");
    a.send(&rig, mac(1), 60);
    assert_eq!(counters(&rig, 1).dropped(Dropped::Down), 2, "it has no driver yet");
    b.begin(&rig, FEATURES, &[64, 64, 0]);
    b.take(&rig, 0, 16, 1600);
    a.send(&rig, mac(1), 60);
    rig.settle();
    assert_eq!((b.used(&rig, 0).len(), counters(&rig, 1).received), (1, 2));
}

/// A core that is asked to forget, and has not yet, keeps the VM from being loaded and from nothing else.
#[test]
fn a_vm_is_not_loaded_before_every_core_has_forgotten_it() {
    let (rig, [mut a, _]) = machine();
    a.send(&rig, mac(1), 60);
    let vm = rig.vm(1);
    assert!(!vm.aliases.is_to_forget(0));
    ask(&rig, manage::RESTART);
    assert_eq!((rig.vm(1).phase(), shown(&rig, 0, 1)), (Phase::Running, 0));
    assert!(rig.is_in_guest(1), "it was loaded and runs");
    assert!(vm.aliases.note(0));
    assert_eq!(vm.aliases.end(), 1);
    assert!(vm.load_piece(1 << 20).unwrap().is_none(), "core 0 has some of it");
    assert!(vm.aliases.is_to_forget(0) && vm.aliases.forgotten(0));
    assert!(vm.aliases.are_gone());
}

/// What others send meanwhile does not keep a VM from being loaded.
#[test]
fn a_vm_is_loaded_while_others_send_to_it() {
    let configs = [vm("a", &[0]), vm("b", &[1]), vm("c", &[1])];
    let rig = Rig::with_networks(GicVersion::V3, &configs, vec![network(3)]);
    // One core has come as far as its guest, which is at the network, and the other one is yet to load its guests.
    rig.run(0);
    let mut a = Guest::new(0, 0, 3);
    a.begin(&rig, FEATURES, &[64, 64, 0]);
    a.send(&rig, [0xff; 6], 60);
    let dropped = [1, 2].map(|port| counters(&rig, port).dropped(Dropped::Down));
    assert_eq!(dropped, [1, 1]);
    rig.settle();
    for vm in [1, 2] {
        until_its(&rig, 1, vm);
    }
}

#[test]
fn a_driver_that_resets_its_device_has_its_rings_back() {
    let (rig, [mut a, mut b]) = machine();
    b.write(&rig, STATUS, 0);
    assert_eq!((b.read(&rig, STATUS), b.read(&rig, QUEUE_READY)), (0, 0));
    let before = b.bytes(&rig, 0x4000_0000, 0x20_0000);
    a.send(&rig, mac(1), 60);
    rig.settle();
    assert_eq!(b.bytes(&rig, 0x4000_0000, 0x20_0000), before, "nothing is written to them any more");
    assert_eq!(counters(&rig, 1).dropped(Dropped::Down), 1);
}

#[test]
fn a_vm_that_is_made_anew_begins_to_count_anew() {
    let (rig, [mut a, _]) = machine();
    a.send(&rig, mac(1), 60);
    ask(&rig, manage::STOP);
    ask(&rig, manage::RECREATE);
    assert_eq!(
        (rig.vm(1).phase(), counters(&rig, 1), counters(&rig, 0).sent),
        (Phase::Created, Counters::default(), 1)
    );
}
