//! The control queue, and the configuration.

use portcullis_links::network::{Mac, Port, control};
use portcullis_virtio::Fault;

use crate::bed::{DATA, Vm};

/// What a port answers to a command.
fn answer(port: &mut Port, command: &[u8]) -> u8 {
    let mut vm = Vm::new();
    vm.ram.put(DATA, command);
    vm.ram.put(DATA + 0x100, &[0xee; 4]);
    vm.driver.give(&mut vm.ram, &[(DATA, command.len() as u32), (DATA + 0x100, 4)], 1);
    assert_eq!(control::serve(port, &mut vm.queue, &mut vm.ram, &mut vm.chain), Ok(true));
    assert_eq!(control::serve(port, &mut vm.queue, &mut vm.ram, &mut vm.chain), Ok(false));
    vm.queue.publish(&mut vm.ram).unwrap();
    assert_eq!((vm.driver.used(&vm.ram), vm.ram.at(DATA + 0x101, 3)), (Some((0, 1)), &[0xee; 3][..]));
    vm.ram.at(DATA + 0x100, 1)[0]
}

#[test]
fn an_announcement_is_acknowledged_and_nothing_else_is_known() {
    let mut port = Port::new(Mac([2, 1, 2, 3, 4, 5]), 9000);
    assert_eq!(port.config(), [2, 1, 2, 3, 4, 5, 0, 0, 1, 0, 0x28, 0x23]);
    assert!(port.set_link(true) && !port.set_link(true) && port.is_up());
    assert!(port.announce() && !port.announce());
    assert_eq!(port.config()[6..8], [3, 0], "VIRTIO_NET_S_LINK_UP and _ANNOUNCE");
    for class in (0..=255).step_by(if cfg!(miri) { 51 } else { 1 }) {
        for command in [0, 1, 2, 255] {
            if (class, command) != (3, 0) {
                assert_eq!(answer(&mut port, &[class, command, 1]), 1);
            }
        }
    }
    assert_eq!(port.config()[6], 3);
    assert_eq!((answer(&mut port, &[3, 0]), port.config()[6]), (0, 1));
    port.announce();
    port.restart();
    assert_eq!((port.config()[6], port.mtu()), (1, 9000));
    assert!(port.set_link(false));
}

#[test]
fn half_a_command_is_a_fault() {
    let mut port = Port::new(Mac::default(), 1500);
    let mut serve = |buffers: &[(u64, u32)], readable| {
        let mut vm = Vm::new();
        vm.driver.give(&mut vm.ram, buffers, readable);
        control::serve(&mut port, &mut vm.queue, &mut vm.ram, &mut vm.chain)
    };
    let short = |length| Err(Fault::Short { what: "a command", length, least: 2 });
    assert_eq!(serve(&[(DATA, 1), (DATA, 1)], 1), short(1));
    assert_eq!(serve(&[(DATA, 1)], 0), short(0));
    assert_eq!(serve(&[(DATA, 3)], 1), Err(Fault::Narrow { what: "a command's answer", length: 0, least: 1 }));
}
