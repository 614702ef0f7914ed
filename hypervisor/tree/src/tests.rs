//! Tests of the reader, held against `dtoolkit` on trees written by `vm-fdt`.

use dtoolkit::{Node as _, Property as _};
use vm_fdt::{FdtReserveEntry, FdtWriter};

use super::reader::*;
use super::{END_NODE, NOP, Writer};

fn sample() -> Vec<u8> {
    let reserved = [(0x1000, 0x2000), (0x8000_0000, 1)].map(|(a, s)| FdtReserveEntry::new(a, s).unwrap());
    let mut tree = FdtWriter::new_with_mem_reserv(&reserved).unwrap();
    let root = tree.begin_node("").unwrap();
    tree.property_u32("#address-cells", 2).unwrap();
    tree.property("odd", &[1, 2, 3]).unwrap();
    for name in ["bus@10", "bus@20"] {
        let bus = tree.begin_node(name).unwrap();
        tree.property_null("empty").unwrap();
        let device = tree.begin_node("device@1").unwrap();
        tree.property_string("odd", name).unwrap();
        tree.end_node(device).unwrap();
        let device = tree.begin_node("device@2").unwrap();
        tree.end_node(device).unwrap();
        tree.end_node(bus).unwrap();
    }
    let last = tree.begin_node("last").unwrap();
    tree.end_node(last).unwrap();
    tree.end_node(root).unwrap();
    tree.finish().unwrap()
}

/// Both readers' view of a node and all below it, as text.
fn ours(node: &Node<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let properties: Vec<_> = node.properties().map(|p| format!("{}={:?}", text(p.name()), p.value)).collect();
    let children: Vec<_> = node.children().map(|child| ours(&child)).collect();
    format!("{}{properties:?}{children:?}", text(node.name))
}

fn theirs(node: &dtoolkit::fdt::FdtNode<'_>) -> String {
    let properties: Vec<_> = node.properties().map(|p| format!("{}={:?}", p.name(), p.value())).collect();
    let children: Vec<_> = node.children().map(|child| theirs(&child)).collect();
    format!("{}{properties:?}{children:?}", node.name())
}

#[test]
fn reads_what_another_reader_reads() {
    let data = sample();
    let tree = Tree::new(&data).unwrap();
    assert_eq!(ours(&tree.root()), theirs(&dtoolkit::fdt::Fdt::new(&data).unwrap().root()));
    assert!(ours(&tree.root()).contains("last"));
    let reserved: Vec<_> = tree.reservations().collect();
    assert_eq!(reserved, [(0x1000, 0x2000), (0x8000_0000, 1)]);
}

#[test]
fn a_visitor_sees_everything_once_and_in_order() {
    #[derive(Default)]
    struct Log(String);
    impl<'a> Visitor<'a> for Log {
        fn begin(&mut self, node: Node<'a>) {
            self.0 += &format!("{}(", String::from_utf8_lossy(node.base_name()));
        }
        fn property(&mut self, property: Property<'a>) {
            self.0 += &format!("{};", String::from_utf8_lossy(property.name()));
        }
        fn end(&mut self) {
            self.0.push(')');
        }
    }
    let mut log = Log::default();
    Tree::visit(&sample(), &mut log).unwrap();
    let bus = "bus(empty;device(odd;)device())";
    assert_eq!(log.0, format!("(#address-cells;odd;{bus}{bus}last())"));
}

#[test]
fn damage_is_refused_or_read_as_another_reader_reads_it() {
    let data = sample();
    let step = if cfg!(miri) { 64 } else { 1 };
    let (mut same, mut refused) = (0, 0);
    for at in (0..data.len()).step_by(step) {
        let bits = (0..8).step_by(if cfg!(miri) { 5 } else { 1 });
        for mask in bits.map(|bit| 1 << bit).chain([0xff]) {
            let mut bad = data.clone();
            bad[at] ^= mask;
            let other = dtoolkit::fdt::Fdt::new(&bad);
            match (Tree::new(&bad), other) {
                (Ok(tree), Ok(other)) => {
                    assert_eq!(ours(&tree.root()), theirs(&other.root()), "byte {at} xor {mask:#x}");
                    same += 1;
                }
                // What names are made of is no concern of this reader's.
                (Ok(tree), Err(_)) => assert!(!ours(&tree.root()).is_empty() && tree.reservations().count() < 100),
                // The other reader does not look at the sizes of the blocks in the header.
                (Err(error), other) => {
                    assert!(other.is_err() || at < 40, "byte {at} xor {mask:#x}: {error}");
                    refused += 1;
                }
            }
        }
        assert!(Tree::new(&data[..at]).is_err(), "{at} bytes");
    }
    // Of the nine masks Miri has three.
    let few = step * if cfg!(miri) { 3 } else { 1 };
    assert!(same > 100 / few && refused > data.len() / few);
}

/// The specification has 31 bytes at most (section 2.2.4); boards do not keep to it.
#[test]
fn names_may_be_longer_than_the_specification_wants() {
    const QUIRK: &str = "snps,dis-del-phy-power-chg-quirk";
    let mut writer = Writer::new(64);
    writer.begin("");
    writer.begin("usb-controller-of-a-name-that-is-long@fe800000");
    writer.bytes(QUIRK, &[]);
    writer.end();
    writer.end();
    let blob = writer.finish();
    let node = Tree::new(&blob).unwrap().root().children().next().unwrap();
    assert_eq!(node.base_name(), b"usb-controller-of-a-name-that-is-long");
    assert_eq!(node.property(QUIRK.as_bytes()), Some(&[][..]));
    assert!(dtoolkit::fdt::Fdt::new(&blob).is_err(), "why the other reader is not taken: docs/libraries.md");
}

#[test]
fn says_what_is_wrong() {
    let data = sample();
    let with = |offset: usize, value: u32| {
        let mut data = data.clone();
        data[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
        Tree::new(&data).map(|_| ()).unwrap_err()
    };
    let available = data.len();
    assert_eq!(with(0, 7), TreeError::Magic(7));
    assert_eq!(with(4, 1 << 20), TreeError::Size { total: 1 << 20, available });
    assert_eq!(with(4, 39), TreeError::Size { total: 39, available });
    assert_eq!(with(20, 16), TreeError::Version(16));
    assert_eq!(with(24, 18), TreeError::Version(17));
    assert_eq!(with(8, u32::MAX), TreeError::Block("structure"));
    assert_eq!(with(36, u32::MAX), TreeError::Block("structure"));
    assert_eq!(with(12, u32::MAX), TreeError::Block("strings"));
    assert_eq!(with(16, 41), TreeError::Block("memory reservation"));
    let structure = be32(&data, 8).unwrap() as usize;
    assert_eq!(with(structure, END_NODE), TreeError::Structure(0));
    assert_eq!(with(structure + 8, 5), TreeError::Structure(8));
    assert_eq!(with(structure + 16, 0xffff), TreeError::Structure(8));
    let end = structure + be32(&data, 36).unwrap() as usize - 4;
    assert!(matches!(with(end, END_NODE), TreeError::Structure(_)));
    assert!(matches!(with(end - 4, NOP), TreeError::Structure(_)));
    assert_eq!(Tree::new(&[]).unwrap_err(), TreeError::Size { total: 40, available: 0 });
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let mut writer = Writer::new(0);
        (0..depth).for_each(|level| writer.begin(if level == 0 { "" } else { "n" }));
        (0..depth).for_each(|_| writer.end());
        Tree::new(&writer.finish()).map(|_| ())
    };
    assert!(nested(64).is_ok());
    assert!(matches!(nested(65), Err(TreeError::Structure(_))));
}
