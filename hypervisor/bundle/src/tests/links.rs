//! What connects VMs: wires and shared memory; the others in files of their own.

mod disks;
mod networks;
mod serials;

use super::*;
use crate::links::{LinkError, SharedMemory, Sharer, Wire, WireEnd};

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
