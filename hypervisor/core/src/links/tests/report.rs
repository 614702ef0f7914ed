//! What is told of links, and counted at their ends.

use portcullis_abi::manage::{self, *};
use portcullis_bundle::links::{Wire, WireEnd};
use portcullis_devices::gpio::registers::{DIR, IBE};
use portcullis_gate::Return;
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::{INTERRUPT_ACK, INTERRUPT_STATUS};

use super::guest::{Guest, mac, network};
use super::serial;
use crate::devices::emulated::Emulated;
use crate::manage::serve;
use crate::tests::rig::{Rig, vm};

/// A call of a vCPU's: its status, and what it returns.
fn call(rig: &Rig, function: u32, arguments: [u64; 3]) -> (i64, [u64; 3]) {
    let Return([x0, x1, x2, x3]) = serve(&rig.machine.vms[0].vcpus()[0], function, arguments);
    (x0.cast_signed(), [x1, x2, x3])
}

/// What was counted at an end, by name, as far as it is anything.
fn counts(rig: &Rig, link: u64, end: u64) -> Vec<(&'static str, u64)> {
    let (status, [_, _, about]) = call(rig, LINK, [link, 0, 0]);
    assert_eq!(status, SUCCESS);
    let names = manage::link_counters(about & 0xff);
    let count = |index: usize| call(rig, LINK_COUNTER, [link, end, index as u64]);
    assert_eq!(count(names.len()), (NO_ITEM, [0; 3]), "as many as there are names");
    let all = names.iter().enumerate().map(|(index, name)| {
        let (status, [count, rest @ ..]) = count(index);
        assert_eq!((status, rest), (SUCCESS, [0; 2]), "{name}");
        (*name, count)
    });
    all.filter(|(_, count)| *count != 0).collect()
}

#[test]
fn a_network_s_ports_say_what_they_are_and_what_passed() {
    let configs = [vm("a", &[0]), vm("b", &[1])];
    let rig = Rig::with_networks(GicVersion::V3, &configs, vec![network(2)]);
    rig.settle();
    let mut guests: Vec<Guest> = (0..2).map(|index| Guest::new(index, index, 3)).collect();
    for guest in &mut guests {
        guest.begin(&rig, 1 << 16 | 1 << 17, &[64, 64, 16]);
        guest.take(&rig, 0, 8, 1600);
    }
    let (status, [low, high, about]) = call(&rig, LINK, [0; 3]);
    assert_eq!((status, high, about), (SUCCESS, 0, LINK_NETWORK | 2 << 8));
    assert_eq!(
        low.to_le_bytes().iter().filter(|byte| **byte != 0).count(),
        rig.machine.links.networks()[0].name().len()
    );
    for end in 0..2 {
        let mut address = [0; 8];
        address[..6].copy_from_slice(&mac(end as usize));
        let expected =
            [end | LINK_END_UP, u64::from_le_bytes(address), u64::from(portcullis_abi::map::VIRTIO_INTID) + 3];
        assert_eq!(call(&rig, LINK_END, [0, end, 0]), (SUCCESS, expected));
    }
    let before = counts(&rig, 0, 1);
    let sent = guests[0].send(&rig, mac(1), 60);
    guests[0].send(&rig, [2, 9, 9, 9, 9, 9], 60);
    rig.settle();
    let status = guests[1].read(&rig, INTERRUPT_STATUS);
    guests[1].write(&rig, INTERRUPT_ACK, status);
    let named = |counts: &[(&str, u64)], name: &str| counts.iter().find(|(of, _)| *of == name).map_or(0, |(_, n)| *n);
    let sender = counts(&rig, 0, 0);
    let bytes = sent.len() as u64 - 12;
    let expected = [("sent", 1), ("sent-bytes", bytes), ("copies", 1), ("received", 0), ("dropped-destination", 1)];
    assert_eq!(expected.map(|(name, _)| (name, named(&sender, name))), expected);
    assert!(named(&sender, "notifications") >= 2, "one a frame: {sender:?}");
    let receiver = counts(&rig, 0, 1);
    let new = |name| named(&receiver, name) - named(&before, name);
    assert_eq!(["received", "received-bytes", "sent", "interrupts"].map(new), [1, bytes, 0, 1]);
    for (link, end) in [(1, 0), (0, 2), (u64::MAX, 0), (0, u64::MAX)] {
        assert_eq!(call(&rig, LINK_END, [link, end, 0]), (NO_ITEM, [0; 3]));
        assert_eq!(call(&rig, LINK_COUNTER, [link, end, 0]), (NO_ITEM, [0; 3]));
    }
    assert_eq!(call(&rig, LINK, [1, 0, 0]), (NO_ITEM, [0; 3]));
}

/// Who follows the VM to which a frame goes is told of the copy once, whatever is asked for meanwhile and refused.
#[test]
fn a_trace_that_is_refused_takes_no_copies() {
    let configs = [vm("a", &[0]), vm("b", &[1])];
    let rig = Rig::with_networks(GicVersion::V3, &configs, vec![network(2)]);
    rig.settle();
    let mut guests: Vec<Guest> = (0..2).map(|index| Guest::new(index, index, 3)).collect();
    for guest in &mut guests {
        guest.begin(&rig, 1 << 16, &[64, 64, 16]);
        guest.take(&rig, 0, 8, 1600);
    }
    let copied = |rig: &Rig| {
        let mut copies = Vec::new();
        rig.machine.take_copies(1, |link, bytes| copies.push((link, bytes)));
        copies
    };
    let set = |on, vms| rig.at(0, || call(&rig, TRACE_SET, [on, vms, 0]).0);
    let before = guests[0].send(&rig, mac(1), 60).len() as u64 - 12;
    for (on, vms) in [(1, 0), (1, 1 << 2), (2, 1), (0, 1)] {
        assert_eq!(set(on, vms), BAD_ARGUMENT);
    }
    assert_eq!(set(0, 0), BAD_STATE);
    assert_eq!(copied(&rig), [(0, before)]);
    guests[0].send(&rig, mac(1), 60);
    assert_eq!(set(1, 0b100_0000), BAD_ARGUMENT);
    assert_eq!(set(1, 0b10), SUCCESS);
    assert_eq!(set(0, 0), BUSY, "cores are behind");
    assert_eq!(copied(&rig), [], "what was copied before it is not the trace's");
    rig.settle();
    let sent = guests[0].send(&rig, mac(1), 100).len() as u64 - 12;
    assert_eq!((set(1, 0b11), set(1, 0)), (BAD_STATE, BAD_ARGUMENT));
    assert_eq!(copied(&rig), [(0, sent)]);
    assert_eq!((set(0, 0), copied(&rig)), (SUCCESS, vec![]));
}

#[test]
fn a_wire_s_ends_say_which_drives_and_count_edges() {
    let end = |vm, line| WireEnd { vm, line };
    let wires = [Wire { name: "edge", from: end(0, 5), to: end(1, 2) }];
    let rig = Rig::with_wires(GicVersion::V3, &[vm("a", &[0]), vm("b", &[1])], &wires);
    rig.settle();
    assert_eq!(call(&rig, LINK, [0; 3]), (SUCCESS, [u64::from(u32::from_le_bytes(*b"edge")), 0, LINK_WIRE | 2 << 8]));
    let gpio = |vm: usize| rig.machine.vms[vm].wires.expect("it has a wire");
    let owner = |vm: usize| &rig.machine.vms[vm].vcpus()[0];
    gpio(0).write(owner(0), DIR, 4, 1 << 5);
    gpio(1).write(owner(1), IBE, 4, 1 << 2);
    for level in [1, 0, 0, 1] {
        gpio(0).write(owner(0), 4 << 5, 4, level << 5);
    }
    let intid = u64::from(portcullis_abi::map::GPIO_INTID);
    assert_eq!(call(&rig, LINK_END, [0; 3]), (SUCCESS, [LINK_END_UP, 5 | LINK_END_DRIVES, intid]));
    assert_eq!(call(&rig, LINK_END, [0, 1, 0]), (SUCCESS, [1 | LINK_END_UP, 2, intid]));
    assert_eq!([0, 1].map(|end| counts(&rig, 0, end)), [[("edges", 3)], [("edges", 3)]]);
}

#[test]
fn a_serial_port_s_end_counts_bytes_and_what_its_console_and_driver_told_each_other() {
    let (rig, [mut a, mut b]) = serial::open();
    b.room(&rig, 0, 1, 64);
    rig.settle();
    let intid = u64::from(portcullis_abi::map::VIRTIO_INTID);
    assert_eq!(call(&rig, LINK_END, [0, 1, 0]), (SUCCESS, [1 | LINK_END_UP, 0, intid]));
    let names = ["sent-bytes", "dropped-bytes", "sessions", "notifications", "interrupts"];
    let named = |end| {
        let counts = counts(&rig, 0, end);
        names.map(|name| counts.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| *count))
    };
    // Whatever was told before: a line that is high would not rise.
    for ports in [&a, &b] {
        let status = ports.guest.read(&rig, INTERRUPT_STATUS);
        ports.guest.write(&rig, INTERRUPT_ACK, status);
    }
    let before = [0, 1].map(named);
    a.send(&rig, 0, &[7; 25]);
    rig.settle();
    let after = [0, 1].map(named);
    let new = |end: usize| [0, 1, 2, 3, 4].map(|index| after[end][index] - before[end][index]);
    assert_eq!((new(0)[..4].to_vec(), new(1)), (vec![25, 0, 0, 1], [0, 0, 0, 0, 1]));
    assert_eq!(b.got(&rig, 0), [7; 25]);
    rig.machine.vms[1].links.expect("it has a console").renew();
    assert_eq!(named(1), [0; 5], "the VM is a new one");
}
