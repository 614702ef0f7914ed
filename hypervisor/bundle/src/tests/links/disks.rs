//! Disks, by all that they can be kept in.

use super::*;
use crate::links::{Disk, Export, Source};

/// A bundle of the VMs `a`, `b` and `c`, of which the first two have consoles in slot 30, with these disks, by their names.
fn with_disks(names: &[&str], disk: impl Fn(&mut FdtWriter, usize)) -> Vec<u8> {
    write(
        |_| {},
        |tree| {
            for (number, name) in (0..).zip(["a", "b", "c"]) {
                vm(tree, number, name, &[], |tree| {
                    if number < 2 {
                        tree.property_u32("console", 30).unwrap();
                    }
                });
            }
            folder(tree, "disks", names, disk);
        },
    )
}

#[test]
fn disks_are_read() {
    let bytes = [7; 1024];
    let data = with_disks(&["rom", "ram", "far"], |tree, place| match place {
        0 => {
            tree.property_array_u32("client", &[0, 31]).unwrap();
            image(tree, "image", &bytes);
        }
        1 => {
            tree.property_array_u32("client", &[0, 1]).unwrap();
            tree.property_null("scratch").unwrap();
            tree.property_u64("size", 8192).unwrap();
            tree.property_u32("block", 4096).unwrap();
        }
        _ => {
            tree.property_array_u32("client", &[2, 1]).unwrap();
            tree.property_u32("server", 1).unwrap();
            tree.property_u64("size", 1 << 40).unwrap();
            tree.property_null("read-only").unwrap();
            tree.property_string("export", "data").unwrap();
            tree.property_u32("timeout", 500).unwrap();
        }
    });
    let bundle = Bundle::parse(&data).unwrap();
    let export = Export { server: 1, size: 1 << 40, read_only: true, name: "data", timeout: 500 };
    let expected = [
        Disk { name: "rom", vm: 0, slot: 31, block: 512, source: Source::Image(&bytes) },
        Disk { name: "ram", vm: 0, slot: 1, block: 4096, source: Source::Scratch(8192) },
        Disk { name: "far", vm: 2, slot: 1, block: 512, source: Source::Served(export) },
    ];
    assert_eq!(bundle.disks().collect::<Vec<_>>(), expected);
    assert_eq!(expected.map(|disk| disk.size()), [1024, 8192, 1 << 40]);
    // Each has a node in its VM's tree.
    let room = |data: &[u8]| Bundle::parse(data).unwrap().vms().map(|vm| vm.tree_room).collect::<Vec<_>>();
    let more: Vec<u64> =
        room(&data).iter().zip(room(&with_disks(&[], |_, _| ()))).map(|(with, none)| with - none).collect();
    assert_eq!((more[0], more[1], more[0]), (2 * more[2], 0, 2 * GuestTree::room_of_links(false, 0, 1)));
}

#[test]
fn what_a_disk_lacks_or_has_too_much_is_told() {
    let disk = |lacks: &str, more: &dyn Fn(&mut FdtWriter)| {
        let data = with_disks(&["d"], |tree, _| {
            let has = |key: &str| key != lacks;
            if has("client") {
                tree.property_array_u32("client", &[0, 0]).unwrap();
            }
            if has("server") {
                tree.property_u32("server", 1).unwrap();
            }
            if has("size") {
                tree.property_u64("size", 512).unwrap();
            }
            if has("timeout") {
                tree.property_u32("timeout", 100).unwrap();
            }
            more(tree);
        });
        Bundle::parse(&data).map(drop)
    };
    assert_eq!(disk("", &|_| ()), Ok(()));
    for key in ["client", "size", "timeout"] {
        let key: &'static str = key;
        assert_eq!(disk(key, &|_| ()), wrong("disk", 0, LinkError::Missing(key)));
    }
    // It has a size and a time, and nothing that they are of.
    assert_eq!(disk("server", &|_| ()), wrong("disk", 0, LinkError::Source));
    let more: [&dyn Fn(&mut FdtWriter); 2] =
        [&|tree| tree.property_null("scratch").unwrap(), &|tree| image(tree, "image", &[0; 512])];
    for more in more {
        assert_eq!(disk("", more), wrong("disk", 0, LinkError::Source));
        assert_eq!(disk("server", more), wrong("disk", 0, LinkError::Unknown), "a time without a server");
    }
    assert_eq!(
        disk("", &|tree| tree.property_array_u32("image", &[0; 4]).unwrap()),
        wrong("disk", 0, LinkError::Source),
        "an image of no bytes"
    );
    let outside = |tree: &mut FdtWriter| tree.property_array_u32("image", &[0, 0, 0, 512]).unwrap();
    assert_eq!(disk("", &outside), wrong("disk", 0, LinkError::Malformed("image")));
    let long = |tree: &mut FdtWriter| tree.property_string("export", &"x".repeat(65)).unwrap();
    assert_eq!(disk("", &long), wrong("disk", 0, LinkError::Malformed("export")));
    assert_eq!(disk("", &|tree| tree.property_null("speed").unwrap()), wrong("disk", 0, LinkError::Unknown));
    assert_eq!(disk("", &|tree| tree.property_u32("block", 1024).unwrap()), wrong("disk", 0, LinkError::Block(1024)));
}

#[test]
fn a_disk_fits_what_is_there() {
    /// Client, server, size, block, time.
    type Cells = ([u32; 2], u32, u64, u32, u32);
    let disks = |names: &[&str], all: &[Cells]| {
        let data = with_disks(names, |tree, place| {
            let (client, server, size, block, timeout) = all[place];
            tree.property_array_u32("client", &client).unwrap();
            tree.property_u32("server", server).unwrap();
            tree.property_u64("size", size).unwrap();
            tree.property_u32("block", block).unwrap();
            tree.property_u32("timeout", timeout).unwrap();
        });
        Bundle::parse(&data).map(drop)
    };
    let good: Cells = ([0, 0], 1, 4096, 512, 30_000);
    assert_eq!(disks(&["d"], &[good]), Ok(()));
    let size = |size, block| LinkError::DiskSize { size, block };
    for (cells, error) in [
        (([3, 0], 1, 4096, 512, 30_000), LinkError::NoVm(3)),
        (([0, 32], 1, 4096, 512, 30_000), LinkError::NoSlot(32)),
        (([0, 0], 3, 4096, 512, 30_000), LinkError::NoVm(3)),
        (([0, 0], 0, 4096, 512, 30_000), LinkError::Same(0)),
        (([0, 0], 2, 4096, 512, 30_000), LinkError::NoConsole(2)),
        (([0, 30], 1, 4096, 512, 30_000), LinkError::SlotTaken { vm: 0, slot: 30 }),
        (([0, 0], 1, 0, 512, 30_000), size(0, 512)),
        (([0, 0], 1, 4097, 512, 30_000), size(4097, 512)),
        (([0, 0], 1, 4608, 4096, 30_000), size(4608, 4096)),
        (([0, 0], 1, u64::MAX - 511, 512, 30_000), size(u64::MAX - 511, 512)),
        (([0, 0], 1, 4096, 512, 99), LinkError::Timeout(99)),
        (([0, 0], 1, 4096, 512, u32::MAX), LinkError::Timeout(u32::MAX)),
    ] {
        assert_eq!(disks(&["d"], &[cells]), wrong("disk", 0, error));
    }
    let other = ([0, 1], 1, 4096, 512, 30_000);
    assert_eq!(disks(&["d", "e"], &[good, other]), Ok(()));
    assert_eq!(disks(&["d", "d"], &[good, other]), wrong("disk", 1, LinkError::Name));
    assert_eq!(disks(&["d", "e"], &[good, good]), wrong("disk", 1, LinkError::SlotTaken { vm: 0, slot: 0 }));
    // A server has a port for each disk.
    let names: Vec<String> = (0..32).map(|number| format!("d{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let client = |number: u32| if number < 30 { [0, number] } else { [2, number - 30] };
    let many: Vec<Cells> = (0..32).map(|number| (client(number), 1, 512, 512, 100)).collect();
    assert_eq!(disks(&names[..31], &many[..31]), Ok(()));
    assert_eq!(disks(&names, &many), wrong("disk", 31, LinkError::TooMany(31)));
    // Nor has a network the slot, wherever it stands.
    for first in [true, false] {
        let data = connected(|tree| {
            let network = |tree: &mut FdtWriter| {
                folder(tree, "networks", &["lan"], |tree, _| {
                    tree.property_u32("mtu", 1500).unwrap();
                    tree.property_array_u32("ports", &[2, 3, 0x0200, 1, 0, 0, 0, 4, 0x0200, 2, 0, 0]).unwrap();
                });
            };
            if first {
                network(tree);
            }
            folder(tree, "disks", &["d"], |tree, _| {
                tree.property_array_u32("client", &[0, 4]).unwrap();
                tree.property_null("scratch").unwrap();
                tree.property_u64("size", 512).unwrap();
            });
            if !first {
                network(tree);
            }
        });
        assert_eq!(Bundle::parse(&data).map(drop), wrong("disk", 0, LinkError::SlotTaken { vm: 0, slot: 4 }));
    }
}
