//! Whether RAM is enough for what a bundle asks for.

use portcullis_board::Regions;

use super::*;
use crate::room::{NoRoom, Who, take};

const MIB: u64 = 1 << 20;

/// Two VMs with 4 MiB each, of which `a` has flash with a file of 3 MiB, sharing memory that takes 4 MiB; and a disk of 5 MiB
/// in RAM.
fn data() -> Vec<u8> {
    write(
        |_| {},
        |tree| {
            vm(tree, 0, "a", &[], |tree| image(tree, "flash", &vec![0x14; 3 << 20]));
            vm(tree, 1, "b", &[], |_| {});
            let folder = tree.begin_node("shared-memory").unwrap();
            let node = tree.begin_node("frames").unwrap();
            // With the two state pages it is more than a block.
            tree.property_u64("size", 2 * MIB).unwrap();
            tree.property_array_u32("sharers", &[0, 1, 1, 1]).unwrap();
            tree.end_node(node).unwrap();
            tree.end_node(folder).unwrap();
            let folder = tree.begin_node("disks").unwrap();
            let node = tree.begin_node("ram").unwrap();
            tree.property_array_u32("client", &[0, 1]).unwrap();
            tree.property_null("scratch").unwrap();
            tree.property_u64("size", 5 * MIB).unwrap();
            tree.end_node(node).unwrap();
            tree.end_node(folder).unwrap();
        },
    )
}

/// What comes of so many MiB in one piece, and what is left.
fn taken(mib: u64) -> (Result<(), NoRoom<'static>>, u64) {
    let bundle = Bundle::parse(data().leak()).unwrap();
    let mut free = Regions::new();
    free.add(Range::sized(0x4000_0000, mib * MIB)).unwrap();
    let result = take(&bundle, &mut free);
    (result, free.free() / MIB)
}

#[test]
fn everything_is_taken_in_the_order_of_boot() {
    // Shared memory, the disk in whole blocks, a's RAM, its flash (64 MiB, and a file of 4 MiB in whole blocks), b's RAM.
    let needs = [4, 6, 4, 68, 4];
    let all: u64 = needs.iter().sum();
    assert_eq!(taken(all), (Ok(()), 0));
    assert_eq!(taken(all + 2), (Ok(()), 2));
    let who = [Who::Shared("frames"), Who::Disk("ram"), Who::Vm("a"), Who::Flash("a"), Who::Vm("b")];
    let mut before = 0;
    for (who, wanted) in who.into_iter().zip(needs) {
        let left = wanted - 2;
        let none = NoRoom { who, wanted: wanted * MIB, left: left * MIB };
        assert_eq!(taken(before + left).0, Err(none));
        let text = none.to_string();
        assert!(
            text.contains(&format!("wants {wanted} MiB")) && text.contains(&format!("{left} MiB are free")),
            "{text}"
        );
        before += wanted;
    }
}
