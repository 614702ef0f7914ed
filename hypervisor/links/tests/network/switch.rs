//! Who gets a frame.

use portcullis_links::network::{Dropped, Frame, MAX_PORTS, Mac, Ports, Stage, Switch};
use portcullis_virtio::Chain;

use crate::bed::{MTU, Vm};

const X: Mac = Mac([2, 0, 0, 0, 0, 0x99]);

fn mac(number: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, number])
}

/// The numbers of the ports that get a frame.
fn route(switch: &Switch, from: usize, source: Mac, destination: Mac) -> Result<Vec<usize>, Dropped> {
    let mut vm = Vm::new();
    let mut bytes = vec![0; 12];
    bytes.extend(destination.0.iter().chain(&source.0).chain(&[8, 0, 1, 2, 3]));
    vm.send(&bytes, &[]);
    let mut chain = Chain::new();
    assert!(vm.queue.take(&mut vm.ram, &mut chain).unwrap());
    let mut stage = Stage::new();
    let frame = Frame::read(&mut vm.ram, &chain, &mut stage, 0, MTU).unwrap().unwrap();
    assert_eq!((frame.source(), frame.destination(), frame.length()), (source, destination, 17));
    switch.route(from, &frame).map(numbers)
}

fn numbers(mut ports: Ports) -> Vec<usize> {
    std::iter::from_fn(|| ports.pop()).collect()
}

/// Four ports, of which 2 and 3 bridge.
fn four() -> Switch {
    let mut switch = Switch::new();
    for (number, bridge) in [(0, false), (1, false), (2, true), (3, true)] {
        assert_eq!(switch.add(mac(number), bridge), Some(usize::from(number)));
    }
    switch
}

#[test]
fn a_frame_goes_to_who_has_its_address() {
    let switch = four();
    for from in 0..4 {
        for to in 0..4 {
            let expected = if from == to { Err(Dropped::Destination) } else { Ok(vec![usize::from(to)]) };
            assert_eq!(route(&switch, usize::from(from), mac(from), mac(to)), expected);
        }
    }
}

#[test]
fn a_frame_for_all_goes_to_all_but_from_bridge_to_bridge() {
    let switch = four();
    for to in [Mac::BROADCAST, Mac([1, 0, 0x5e, 0, 0, 1]), Mac([0x33, 0x33, 0, 0, 0, 1])] {
        let of = |from: u8| route(&switch, usize::from(from), mac(from), to);
        assert_eq!([of(0), of(1)], [Ok(vec![1, 2, 3]), Ok(vec![0, 2, 3])]);
        assert_eq!([of(2), of(3)], [Ok(vec![0, 1]), Ok(vec![0, 1])]);
    }
}

#[test]
fn from_bridge_to_bridge_goes_only_what_ends_there() {
    let switch = four();
    // For the other's own address, also from who is behind the first one: it is passed on to nobody.
    for source in [mac(2), X] {
        assert_eq!(route(&switch, 2, source, mac(3)), Ok(vec![3]));
        // What might be passed on, and come back outside: for all, for many, for who is not known.
        for to in [Mac::BROADCAST, Mac([1, 0, 0x5e, 0, 0, 1])] {
            assert_eq!(route(&switch, 2, source, to), Ok(vec![0, 1]));
        }
        assert_eq!(route(&switch, 2, source, Mac([2, 0, 0, 0, 0, 0x98])), Err(Dropped::Destination));
    }
}

#[test]
fn an_address_that_nobody_has_is_behind_a_bridge_or_nowhere() {
    let switch = four();
    let of = |from: u8| route(&switch, usize::from(from), mac(from), X);
    assert_eq!([of(0), of(1)], [Ok(vec![2, 3]), Ok(vec![2, 3])]);
    assert_eq!([of(2), of(3)], [Err(Dropped::Destination), Err(Dropped::Destination)]);
    let mut switch = Switch::new();
    (0..2).for_each(|number| _ = switch.add(mac(number), false));
    assert_eq!(route(&switch, 0, mac(0), X), Err(Dropped::Destination));
}

#[test]
fn a_port_sends_from_its_own_address_unless_it_bridges() {
    let switch = four();
    assert_eq!(route(&switch, 0, X, mac(1)), Err(Dropped::Source));
    assert_eq!(route(&switch, 0, mac(1), mac(1)), Err(Dropped::Source));
    assert_eq!(route(&switch, 2, X, mac(1)), Ok(vec![1]));
    assert_eq!(route(&switch, 2, mac(0), mac(1)), Err(Dropped::Source), "a port's address is its own");
    assert_eq!(route(&switch, 2, Mac::BROADCAST, mac(1)), Err(Dropped::Source));
    assert_eq!(route(&switch, 7, X, mac(1)), Err(Dropped::Source), "there is no such port");
}

#[test]
fn addresses_of_ports_are_single_and_differ() {
    let mut switch = four();
    assert_eq!(switch.add(mac(1), false), None);
    assert_eq!(switch.add(Mac::BROADCAST, false), None);
    assert_eq!(switch.add(Mac([1, 0, 0, 0, 0, 9]), true), None);
    (4..MAX_PORTS as u8).for_each(|number| assert!(switch.add(mac(number), false).is_some()));
    assert_eq!(switch.add(X, false), None);
    assert_eq!(numbers(switch.all()), (0..MAX_PORTS).collect::<Vec<_>>());
    assert_eq!((switch.address(7), switch.address(8)), (Some(mac(7)), None));
    assert!(numbers(Ports::of(8)).is_empty() && Ports::default().is_empty());
}

#[test]
fn addresses_that_follow_from_names_are_local_and_differ() {
    let names = ["lan", "wan", "a", "b", "ab", "guest", "ops", "linux", "lan0", "lan1", ""];
    let mut all = Vec::new();
    for network in names {
        for vm in names {
            let mac = Mac::derived(network, vm);
            assert_eq!((mac.0[0], mac.is_multicast()), (2, false));
            assert!(!all.contains(&mac), "{network} {vm}");
            all.push(mac);
        }
    }
    assert_ne!(Mac::derived("ab", "c"), Mac::derived("a", "bc"));
    assert_eq!(Mac([0x02, 0xab, 0, 1, 0x10, 0xff]).to_string(), "02:ab:00:01:10:ff");
    // Names decide it for ever: a guest's configuration may have it.
    assert_eq!(Mac::derived("lan", "linux").to_string(), LAN_LINUX);
}

/// What the names "lan" and "linux" give.
const LAN_LINUX: &str = "02:a1:ae:3c:bf:84";
