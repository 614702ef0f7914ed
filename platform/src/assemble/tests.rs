//! What is asked whether it is there, and what is used.

use super::*;

/// Boards with both kinds of GIC, of which one has a generator, a power control and a timer, too.
const TREES: [&[u8]; 3] = [
    include_bytes!("../../tests/data/qemu-virt-gicv3.dtb"),
    include_bytes!("../../tests/data/qemu-virt-gicv2.dtb"),
    include_bytes!("../../tests/data/raspberry-pi-4.dtb"),
];

/// Whatever EL2 goes on to use was asked whether it is there: one wrong address in a tree ends in a line.
#[test]
fn no_register_is_used_that_was_not_asked_for() {
    for tree in TREES {
        let facts = Facts::from_tree(tree).unwrap();
        let devices = facts.devices().map(|device| device.registers.start);
        // Which port is the console is found out by asking them.
        let asked: Vec<u64> = gic_frames(&facts.gic)
            .map(|(_, address)| address)
            .chain(devices)
            .chain(facts.uart.map(|uart| uart.registers.start))
            .collect();
        assert!(asked.len() > 3, "{asked:x?}");
        for range in used(&facts) {
            assert!(asked.contains(&range.start), "{range:x?} is not among {asked:x?}");
        }
    }
}
