//! What connects VMs: wires and shared memory.

use super::*;
use crate::links::{Disk, Export, LinkError, NetworkPort, Serial, SharedMemory, Sharer, Source, Wire, WireEnd};

/// A bundle of the VMs `a`, `b` and `c`, and what `links` adds.
fn connected(links: impl FnOnce(&mut FdtWriter)) -> Vec<u8> {
    write(
        |_| {},
        |tree| {
            (0..).zip(["a", "b", "c"]).for_each(|(number, name)| vm(tree, number, name, &[], |_| {}));
            links(tree);
        },
    )
}

/// A folder of links of these names, each with what `link` adds for its place.
fn folder(tree: &mut FdtWriter, name: &str, names: &[&str], link: impl Fn(&mut FdtWriter, usize)) {
    let folder = tree.begin_node(name).unwrap();
    for (place, name) in names.iter().enumerate() {
        let node = tree.begin_node(name).unwrap();
        link(tree, place);
        tree.end_node(node).unwrap();
    }
    tree.end_node(folder).unwrap();
}

/// What becomes of wires with these ends.
fn wires(names: &[&str], ends: &[[[u32; 2]; 2]]) -> Result<(), BundleError> {
    let data = connected(|tree| {
        folder(tree, "wires", names, |tree, place| {
            for (key, end) in ["from", "to"].into_iter().zip(ends[place]) {
                tree.property_array_u32(key, &end).unwrap();
            }
        })
    });
    Bundle::parse(&data).map(drop)
}

/// What becomes of one piece of memory of this size with these sharers.
fn memory(size: u64, sharers: &[u32]) -> Result<(), BundleError> {
    let data = connected(|tree| {
        folder(tree, "shared-memory", &["m"], |tree, _| {
            tree.property_u64("size", size).unwrap();
            tree.property_array_u32("sharers", sharers).unwrap();
        })
    });
    Bundle::parse(&data).map(drop)
}

fn wrong<T>(kind: &'static str, index: usize, error: LinkError) -> Result<T, BundleError> {
    Err(BundleError::Link(kind, index, error))
}

#[test]
fn links_are_read() {
    let data = connected(|tree| {
        folder(tree, "wires", &["there", "back"], |tree, place| {
            let (from, to) = if place == 0 { ([0, 7], [1, 0]) } else { ([1, 1], [0, 0]) };
            tree.property_array_u32("from", &from).unwrap();
            tree.property_array_u32("to", &to).unwrap();
        });
        folder(tree, "shared-memory", &["x", "y"], |tree, place| {
            tree.property_u64("size", 4096 << place).unwrap();
            if place == 1 {
                tree.property_null("cached").unwrap();
            }
            tree.property_array_u32("sharers", &[2, 1, 0, 0]).unwrap();
        });
    });
    let bundle = Bundle::parse(&data).unwrap();
    let end = |vm, line| WireEnd { vm, line };
    let expected =
        [Wire { name: "there", from: end(0, 7), to: end(1, 0) }, Wire { name: "back", from: end(1, 1), to: end(0, 0) }];
    assert_eq!(bundle.wires().collect::<Vec<_>>(), expected);
    let memory: Vec<SharedMemory<'_>> = bundle.shared_memory().collect();
    let [x, y] = memory.as_slice() else { panic!("there are two") };
    assert_eq!((x.name, x.size, x.cached), ("x", 4096, false));
    assert_eq!((y.name, y.size, y.cached), ("y", 8192, true));
    let expected = [Sharer { vm: 2, writes: true }, Sharer { vm: 0, writes: false }];
    memory.iter().for_each(|memory| assert_eq!(memory.sharers().collect::<Vec<_>>(), expected));
    assert_eq!(Bundle::parse(&connected(|_| {})).unwrap().wires().count(), 0);
}

#[test]
fn ends_of_wires_are_there_and_have_one_wire() {
    const GOOD: [[u32; 2]; 2] = [[0, 0], [1, 0]];
    assert_eq!(wires(&["a"], &[GOOD]), Ok(()));
    for (ends, error) in [
        ([[0, 0], [3, 0]], LinkError::NoVm(3)),
        ([[u32::MAX, 0], [1, 0]], LinkError::NoVm(u32::MAX as usize)),
        ([[0, 8], [1, 0]], LinkError::NoLine(8)),
        ([[1, 0], [1, 1]], LinkError::Same(1)),
    ] {
        assert_eq!(wires(&["a"], &[ends]), wrong("wire", 0, error));
    }
    for (second, vm, line) in [([[2, 0], [1, 0]], 1, 0), ([[1, 0], [2, 0]], 1, 0), ([[2, 0], [0, 0]], 0, 0)] {
        assert_eq!(wires(&["a", "b"], &[GOOD, second]), wrong("wire", 1, LinkError::LineTaken { vm, line }));
    }
    assert_eq!(wires(&["a", "b"], &[GOOD, [[1, 1], [0, 1]]]), Ok(()));
    assert_eq!(wires(&["A"], &[GOOD]), wrong("wire", 0, LinkError::Name));
    assert_eq!(wires(&["a", "a"], &[GOOD, [[0, 1], [1, 1]]]), wrong("wire", 1, LinkError::Name));
}

#[test]
fn memory_is_shared_by_two_at_least_and_in_pages() {
    assert_eq!(memory(bundle::SHARED_SIZE_MAX, &[0, 1, 1, 0]), Ok(()));
    for size in [0, 1, 4097, bundle::SHARED_SIZE_MAX + 4096, u64::MAX] {
        assert_eq!(memory(size, &[0, 1, 1, 0]), wrong("shared memory", 0, LinkError::Size(size)));
    }
    for (sharers, error) in [
        (&[][..], LinkError::Alone),
        (&[0, 1], LinkError::Alone),
        (&[0, 1, 1], LinkError::Malformed("sharers")),
        (&[0, 1, 3, 0], LinkError::NoVm(3)),
        (&[0, 1, 1, 0, 0, 0], LinkError::Same(0)),
    ] {
        assert_eq!(memory(4096, sharers), wrong("shared memory", 0, error));
    }
    let names: Vec<String> = (0..=bundle::SHARED_MEMORY_MAX).map(|number| format!("m{number}")).collect();
    let many = |names: &[&str]| {
        let data = connected(|tree| {
            folder(tree, "shared-memory", names, |tree, _| {
                tree.property_u64("size", 4096).unwrap();
                tree.property_array_u32("sharers", &[0, 1, 1, 0]).unwrap();
            })
        });
        Bundle::parse(&data).map(drop)
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(many(&names[1..]), Ok(()));
    assert_eq!(many(&names), wrong("shared memory", 8, LinkError::TooMany(8)));
    assert_eq!(many(&["m", "m"]), wrong("shared memory", 1, LinkError::Name));
}

#[test]
fn what_the_format_lacks_is_refused() {
    let parse = |links: &dyn Fn(&mut FdtWriter)| Bundle::parse(&connected(links)).map(drop);
    let ends = |tree: &mut FdtWriter| {
        tree.property_array_u32("from", &[0, 0]).unwrap();
        tree.property_array_u32("to", &[1, 0]).unwrap();
    };
    let only = |key: &'static str| {
        parse(&move |tree| {
            folder(tree, "wires", &["a"], |tree, _| {
                tree.property_array_u32(key, &[0, 0]).unwrap();
            })
        })
    };
    assert_eq!(only("from"), wrong("wire", 0, LinkError::Missing("to")));
    assert_eq!(only("to"), wrong("wire", 0, LinkError::Missing("from")));
    assert_eq!(only("via"), wrong("wire", 0, LinkError::Unknown));
    assert_eq!(
        parse(&|tree| folder(tree, "wires", &["a"], |tree, _| tree.property_array_u32("from", &[0]).unwrap())),
        wrong("wire", 0, LinkError::Malformed("from"))
    );
    for memory in ["size", "sharers"] {
        let result = parse(&|tree| {
            folder(tree, "shared-memory", &["m"], |tree, _| match memory {
                "size" => tree.property_array_u32("sharers", &[0, 1, 1, 0]).unwrap(),
                _ => tree.property_u64("size", 4096).unwrap(),
            })
        });
        assert_eq!(result, wrong("shared memory", 0, LinkError::Missing(memory)));
    }
    // A node within a link, a property of a folder, a folder twice, a VM or a core behind it.
    let node = |tree: &mut FdtWriter| {
        let node = tree.begin_node("x").unwrap();
        tree.end_node(node).unwrap();
    };
    let within = parse(&|tree| {
        folder(tree, "wires", &["a"], |tree, _| {
            ends(tree);
            node(tree);
        })
    });
    assert_eq!(within, wrong("wire", 0, LinkError::Unknown));
    let property = parse(&|tree| {
        let folder = tree.begin_node("wires").unwrap();
        tree.property_null("x").unwrap();
        tree.end_node(folder).unwrap();
    });
    assert_eq!(property, Err(BundleError::Unknown));
    let twice = parse(&|tree| (0..2).for_each(|_| folder(tree, "wires", &["a"], |tree, _| ends(tree))));
    assert_eq!(twice, Err(BundleError::Unknown));
    let behind = parse(&|tree| {
        folder(tree, "wires", &["a"], |tree, _| ends(tree));
        vm(tree, 3, "d", &[], |_| {});
    });
    assert_eq!(behind, Err(BundleError::Unknown));
}

#[test]
fn messages_say_what_would_be_right() {
    let said = |error: LinkError| BundleError::Link("wire", 2, error).to_string();
    assert_eq!(said(LinkError::NoLine(8)), "wire 2: there is no line 8; lines are 0 to 7");
    let taken = LinkError::LineTaken { vm: 1, line: 3 };
    assert_eq!(said(taken), "wire 2: line 3 of vm@1 has a wire already; each line has one");
}

/// What becomes of networks with these ports, by network.
fn networks(mtu: u32, ports: &[&[[u32; 6]]]) -> Result<(), BundleError> {
    let names = ["lan", "other"];
    let data = connected(|tree| {
        folder(tree, "networks", &names[..ports.len()], |tree, place| {
            tree.property_u32("mtu", mtu).unwrap();
            tree.property_array_u32("ports", ports[place].as_flattened()).unwrap();
        })
    });
    Bundle::parse(&data).map(drop)
}

#[test]
fn ports_of_networks_are_read() {
    let data = connected(|tree| {
        folder(tree, "networks", &["lan"], |tree, _| {
            tree.property_u32("mtu", 9000).unwrap();
            tree.property_null("unsegmented").unwrap();
            tree.property_array_u32("ports", &[2, 31, 0x0211, 0x2233_4455, 1, 10, 0, 0, 0x0200, 1, 0, 0]).unwrap();
        })
    });
    let bundle = Bundle::parse(&data).unwrap();
    let network = bundle.networks().next().unwrap();
    assert_eq!((network.name, network.mtu, network.segmentation), ("lan", 9000, false));
    let ports: Vec<NetworkPort> = network.ports().collect();
    let first = NetworkPort { vm: 2, slot: 31, mac: [2, 0x11, 0x22, 0x33, 0x44, 0x55], bridge: true, rate: Some(10) };
    assert_eq!(ports, [first, NetworkPort { vm: 0, slot: 0, mac: [2, 0, 0, 0, 0, 1], bridge: false, rate: None }]);
    assert_eq!(bundle.networks().count(), 1);
}

#[test]
fn ports_of_networks_fit() {
    const A: [u32; 6] = [0, 0, 0x0200, 1, 0, 0];
    const B: [u32; 6] = [1, 0, 0x0200, 2, 0, 0];
    assert_eq!(networks(1500, &[&[A, B]]), Ok(()));
    for mtu in [0, 67, 65_536, u32::MAX] {
        assert_eq!(networks(mtu, &[&[A, B]]), wrong("network", 0, LinkError::Mtu(mtu)));
    }
    for (second, error) in [
        ([3, 0, 0x0200, 2, 0, 0], LinkError::NoVm(3)),
        ([1, 32, 0x0200, 2, 0, 0], LinkError::NoSlot(32)),
        ([0, 1, 0x0200, 2, 0, 0], LinkError::Same(0)),
        ([1, 0, 0x0200, 1, 0, 0], LinkError::Mac(1)),
        ([1, 0, 0x0300, 2, 0, 0], LinkError::Mac(1)),
    ] {
        assert_eq!(networks(1500, &[&[A, second]]), wrong("network", 0, error));
    }
    assert_eq!(networks(1500, &[&[A]]), wrong("network", 0, LinkError::Alone));
    let taken = LinkError::SlotTaken { vm: 0, slot: 0 };
    assert_eq!(networks(1500, &[&[A, B], &[A, [2, 0, 0x0200, 3, 0, 0]]]), wrong("network", 1, taken));
    assert_eq!(networks(1500, &[&[A, B], &[[0, 1, 0x0200, 1, 0, 0], [2, 0, 0x0200, 3, 0, 0]]]), Ok(()));
    let odd = connected(|tree| {
        folder(tree, "networks", &["lan"], |tree, _| tree.property_array_u32("ports", &[0; 7]).unwrap());
    });
    assert_eq!(Bundle::parse(&odd).map(drop), wrong("network", 0, LinkError::Malformed("ports")));
    for key in ["mtu", "ports"] {
        let data = connected(|tree| {
            folder(tree, "networks", &["lan"], |tree, _| match key {
                "mtu" => tree.property_array_u32("ports", [A, B].as_flattened()).unwrap(),
                _ => tree.property_u32("mtu", 1500).unwrap(),
            })
        });
        assert_eq!(Bundle::parse(&data).map(drop), wrong("network", 0, LinkError::Missing(key)));
    }
}

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

/// What becomes of pairs of serial ports between these VMs, of which `a` and `b` have their consoles in slot 5.
fn serials(names: &[&str], ends: &[&[u32]]) -> Result<Vec<(String, [usize; 2])>, BundleError> {
    let data = write(
        |_| {},
        |tree| {
            for (number, name) in (0..).zip(["a", "b", "c"]) {
                vm(tree, number, name, &[], |tree| {
                    if name != "c" {
                        tree.property_u32("console", 5).unwrap();
                    }
                });
            }
            folder(tree, "serials", names, |tree, place| tree.property_array_u32("between", ends[place]).unwrap());
        },
    );
    let bundle = Bundle::parse(&data)?;
    assert!(bundle.vms().map(|vm| vm.console).eq([Some(5), Some(5), None]));
    Ok(bundle.serials().map(|Serial { name, vms }| (name.to_owned(), vms)).collect())
}

#[test]
fn serial_ports_are_read_and_fit() {
    let right = Ok(vec![("uplink".to_owned(), [1, 0]), ("gps".to_owned(), [0, 1])]);
    assert_eq!(serials(&["uplink", "gps"], &[&[1, 0], &[0, 1]]), right);
    let wrong = |index, error| self::wrong("serial", index, error);
    assert_eq!(serials(&["x", "x"], &[&[1, 0], &[0, 1]]), wrong(1, LinkError::Name));
    assert_eq!(serials(&["portcullis"], &[&[1, 0]]), wrong(0, LinkError::Name));
    assert_eq!(serials(&["x"], &[&[1, 1]]), wrong(0, LinkError::Same(1)));
    assert_eq!(serials(&["x"], &[&[1, 3]]), wrong(0, LinkError::NoVm(3)));
    assert_eq!(serials(&["x"], &[&[1, 2]]), wrong(0, LinkError::NoConsole(2)));
    assert_eq!(serials(&["x"], &[&[1]]), wrong(0, LinkError::Malformed("between")));
    let names: Vec<String> = (0..32).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(serials(&names, &[[0_u32, 1].as_slice(); 32]), wrong(31, LinkError::TooMany(31)));
    assert_eq!(serials(&names[..31], &[[0_u32, 1].as_slice(); 31]).map(|pairs| pairs.len()), Ok(31));
    let data = connected(|tree| folder(tree, "serials", &["x"], |_, _| ()));
    assert_eq!(Bundle::parse(&data).map(drop), self::wrong("serial", 0, LinkError::Missing("between")));
}

/// A console's slot is one of a VM's, and no other device's.
#[test]
fn a_console_has_a_slot_of_its_own() {
    let with = |slot: u32, links: &dyn Fn(&mut FdtWriter)| {
        let data = write(
            |_| {},
            |tree| {
                for (number, name) in (0..).zip(["a", "b", "c"]) {
                    vm(tree, number, name, &[], |tree| tree.property_u32("console", slot).unwrap());
                }
                links(tree);
            },
        );
        Bundle::parse(&data).map(drop)
    };
    assert_eq!(with(31, &|_| ()), Ok(()));
    assert_eq!(with(32, &|_| ()), Err(BundleError::Vm(0, VmError::Malformed("console"))));
    let network = |tree: &mut FdtWriter| {
        folder(tree, "networks", &["lan"], |tree, _| {
            tree.property_u32("mtu", 1500).unwrap();
            tree.property_array_u32("ports", [[0, 0, 0x0200, 1, 0, 0], [2, 4, 0x0200, 2, 0, 0]].as_flattened())
                .unwrap();
        })
    };
    assert_eq!(with(1, &network), Ok(()));
    assert_eq!(with(4, &network), wrong("network", 0, LinkError::SlotTaken { vm: 2, slot: 4 }));
    let disk = |tree: &mut FdtWriter| {
        folder(tree, "disks", &["data"], |tree, _| {
            tree.property_array_u32("client", &[1, 7]).unwrap();
            tree.property_null("scratch").unwrap();
            tree.property_u64("size", 4096).unwrap();
        })
    };
    assert_eq!(with(1, &disk), Ok(()));
    assert_eq!(with(7, &disk), wrong("disk", 0, LinkError::SlotTaken { vm: 1, slot: 7 }));
}
