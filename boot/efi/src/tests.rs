//! The whole way, with firmware that plays each failure.

mod fake;

use std::sync::OnceLock;

use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use portcullis_board::Range;
use portcullis_bundle::room::{NoRoom, Who};
use uefi_raw::Status;
use uefi_raw::table::boot::MemoryType;
use uefi_raw::time::Time;

use self::fake::{Fake, IMAGE, RAM};
use super::*;

/// QEMU's machine, changed by `edit`.
fn tree(edit: impl FnOnce(&mut DeviceTreeNode)) -> &'static [u8] {
    let blob = include_bytes!("../../../platform/tests/data/qemu-virt-gicv3.dtb");
    let mut tree = DeviceTree::from_fdt(&Fdt::new(blob).unwrap());
    edit(&mut tree.root);
    tree.to_dtb().leak()
}

fn set_cells(node: &mut DeviceTreeNode, name: &str, value: u32) {
    node.add_property(DeviceTreeProperty::new_unchecked(name, value));
}

fn set(node: &mut DeviceTreeNode, name: &str, value: u64) {
    node.add_property(DeviceTreeProperty::new_unchecked(name, value));
}

/// The machine with a RAM disk at `range` by its /chosen.
fn tree_with_disk(range: Range) -> &'static [u8] {
    tree(|root| {
        let mut chosen = DeviceTreeNode::new_unchecked("chosen");
        set(&mut chosen, "linux,initrd-start", range.start);
        set(&mut chosen, "linux,initrd-end", range.end);
        root.add_child(chosen);
    })
}

/// What is said if there is no room for the hypervisor itself.
const NO_HEAP: Refusal = Refusal::NoHeap(2 << 20);

/// A bundle of one VM with 2 MiB.
fn bundle() -> &'static [u8] {
    static BUNDLE: OnceLock<&'static [u8]> = OnceLock::new();
    BUNDLE.get_or_init(|| bundle_of(A))
}

/// One VM.
const A: &str = "[[vm]]\nname = \"a\"\nimage = \"raw\"\nmemory = \"2M\"\ncores = [0]\n";

/// A bundle of two VMs with 2 MiB each, which share as much.
fn shared_bundle() -> &'static [u8] {
    let more = "[[vm]]\nname = \"b\"\nimage = \"raw\"\nmemory = \"2M\"\ncores = [1]\n\n\
                [[shared-memory]]\nname = \"m\"\nsize = \"1M\"\nrw = [\"a\", \"b\"]\n";
    bundle_of(&format!("{A}{more}"))
}

/// The bundle of a manifest for a board with four cores. `raw` is a raw image, `pages` a kernel with pages of 16 KiB.
fn bundle_of(text: &str) -> &'static [u8] {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("raw"), [0x14; 64]).unwrap();
    // The header of an arm64 Image (Linux, Documentation/arch/arm64/booting.rst, section 4).
    let mut kernel = [0; 4096];
    kernel[16..24].copy_from_slice(&0x1_0000u64.to_le_bytes());
    kernel[24] = 2 << 1;
    kernel[56..60].copy_from_slice(b"ARM\x64");
    std::fs::write(folder.path().join("pages"), kernel).unwrap();
    let board = system::Board {
        name: "b".to_owned(),
        cores: 4,
        memory: 1 << 30,
        forwards: false,
        time: true,
        cpu: None,
        ram: None,
        devices: Vec::new(),
    };
    let manifest = system::Manifest::parse("m", text, folder.path(), &board, &NoImages);
    let manifest = manifest.unwrap_or_else(|error| panic!("{error:?}"));
    let file = folder.path().join("bundle.img");
    system::bundle::write(&manifest, &file).unwrap();
    std::fs::read(file).unwrap().leak()
}

struct NoImages;

type Found = Result<Option<std::path::PathBuf>, Box<dyn std::error::Error + Send + Sync>>;

impl system::Images for NoImages {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn kernel(&self, _: &str) -> Found {
        Ok(None)
    }

    fn initrd(&self, _: &str) -> Found {
        Ok(None)
    }

    fn flash(&self, _: &str) -> Found {
        Ok(None)
    }
}

/// Firmware on which all is well, with the bundle by LoadFile2.
fn right() -> Fake {
    Fake { tree: Some(tree(|_| ())), offer: Some(Ok(bundle())), ..Fake::default() }
}

fn refused(mut firmware: Fake) -> Refusal {
    let refusal = start(&mut firmware, IMAGE).unwrap_err();
    // Nothing is left half: whatever is refused before the firmware is left leaves it as it was.
    assert!(firmware.exits == 0 || matches!(refusal, Refusal::NotLeft(_)), "{refusal}");
    assert!(refusal.status().is_error(), "{refusal}");
    assert!(!refusal.to_string().is_empty());
    refusal
}

#[test]
fn what_is_handed_over_is_what_the_firmware_said() {
    let mut firmware = right();
    let handover = start(&mut firmware, IMAGE).unwrap();
    assert_eq!(handover.tree, firmware.tree.unwrap().as_ptr() as u64);
    assert_eq!(handover.bundle, Range::sized(bundle().as_ptr() as u64, bundle().len() as u64));
    let usable: Vec<Range> = handover.usable.iter().collect();
    assert!(usable.len() == 2 && usable[0] == RAM && usable[1].contains(&handover.bundle), "{usable:x?}");
    assert_eq!(firmware.exits, 1);
    assert!(firmware.said[0].contains("from the boot loader, by LoadFile2"), "{:?}", firmware.said);
}

#[test]
fn the_time_is_handed_over_if_the_firmware_knows_it() {
    let handed = |time| start(&mut Fake { time, changes: 2, ..right() }, IMAGE).unwrap().time;
    assert_eq!(handed(None), None);
    let time = Time { year: 2001, month: 9, day: 9, hour: 1, minute: 46, second: 40, ..Time::invalid() };
    assert_eq!(handed(Some((time, 77))), Some(Moment { nanoseconds: 1_000_000_000_000_000_000, count: 77 }));
    // A clock that nobody has ever set is no reason not to start.
    assert_eq!(handed(Some((Time::invalid(), 77))), None);
}

#[test]
fn what_somebody_says_comes_before_what_is_there() {
    let said = |mut firmware: Fake| {
        start(&mut firmware, IMAGE).unwrap();
        firmware.said.remove(0)
    };
    let file = |path: &str| (path.to_owned(), Ok(bundle()));
    let beside = file("\\EFI\\bundle.img");
    let place = Range::sized(RAM.start, bundle().len() as u64);
    let all = |offer| Fake {
        offer,
        tree: Some(tree_with_disk(place)),
        options: "x initrd=\\other.img".encode_utf16().collect(),
        files: vec![beside.clone(), file("\\other.img")],
        loaded: vec![(place, bundle())],
        ..right()
    };
    assert!(said(all(Some(Ok(bundle())))).contains("LoadFile2"));
    assert!(said(all(None)).contains("the option initrd= names"));
    assert!(said(Fake { options: Vec::new(), ..all(None) }).contains("/chosen"));
    assert!(said(Fake { options: Vec::new(), tree: Some(tree(|_| ())), ..all(None) }).contains("bundle.img beside"));
    let refusal = refused(Fake { options: Vec::new(), tree: Some(tree(|_| ())), files: Vec::new(), ..all(None) });
    assert_eq!((refusal.clone(), refusal.status()), (Refusal::NoBundle, Status::NOT_FOUND));
    // A file that is asked for and not there is no reason to take another one.
    let refusal = refused(Fake { files: vec![beside.clone()], ..all(None) });
    assert_eq!(refusal, Refusal::Unread { source: Source::Option, status: Status::NOT_FOUND });
    // Nor is one whose path is too long.
    let options = format!("initrd=\\{}", "x".repeat(300)).encode_utf16().collect();
    let refusal = refused(Fake { options, ..all(None) });
    assert_eq!((refusal.clone(), refusal.status()), (Refusal::LongPath, Status::INVALID_PARAMETER));
    assert!(refusal.to_string().contains("more than 255 characters"), "{refusal}");
}

#[test]
fn what_is_wrong_with_the_machine_is_told_before_anything_else() {
    let text = |firmware| refused(firmware).to_string();
    let at_el1 = text(Fake { level: 1, ..right() });
    assert!(at_el1.contains("runs at EL1") && at_el1.contains("virtualization=on"), "{at_el1}");
    assert_eq!(refused(Fake { has_crc32: false, ..right() }), Refusal::NoCrc);
    let acpi = text(Fake { tree: None, acpi: true, ..right() });
    assert!(acpi.contains("by ACPI only") && acpi.contains("acpi=off"), "{acpi}");
    assert!(text(Fake { tree: None, ..right() }).contains("configuration table has no device tree"));
    assert_eq!(refused(Fake { tree: Some(&[]), ..right() }), Refusal::NotATree);
    let no_memory = tree(|root| _ = root.remove_child("memory@40000000").unwrap());
    assert!(
        text(Fake { tree: Some(no_memory), ..right() }).contains("device tree: the device tree has no enabled memory")
    );
}

#[test]
fn a_bundle_that_is_cut_short_starts_nothing() {
    for length in [0, 7, 63, bundle().len() / 2, bundle().len() - 1] {
        let refusal = refused(Fake { offer: Some(Ok(&bundle()[..length])), ..right() });
        assert!(matches!(refusal, Refusal::Bundle { source: Source::LoadFile2, .. }), "{length}: {refusal}");
        assert_eq!(refusal.status(), Status::LOAD_ERROR);
    }
    let half = refused(Fake { offer: Some(Ok(&bundle()[..bundle().len() / 2])), ..right() }).to_string();
    assert!(half.contains("bundle, from the boot loader, by LoadFile2: its header tells"), "{half}");
    let refusal = refused(Fake { offer: Some(Err(Status::DEVICE_ERROR)), ..right() });
    assert_eq!(refusal.status(), Status::DEVICE_ERROR);
    let nowhere = Range::sized(0x1000, 0x1000);
    let refusal = refused(Fake { offer: None, tree: Some(tree_with_disk(nowhere)), ..right() });
    assert_eq!(refusal, Refusal::Outside(nowhere));
}

#[test]
fn a_memory_map_without_room_starts_nothing() {
    let map = |ranges: &[Range]| ranges.iter().map(|range| (MemoryType::CONVENTIONAL, *range)).collect();
    assert_eq!(refused(Fake { map: map(&[]), ..right() }), NO_HEAP);
    // Two blocks, neither of which is aligned to its size; then room for the hypervisor alone.
    let uneven = [Range::sized(RAM.start + 0x1000, 0x20_0000), Range::sized(RAM.start + 0x60_1000, 0x20_0000)];
    assert_eq!(refused(Fake { map: map(&uneven), ..right() }), NO_HEAP);
    let little = [Range::sized(RAM.start, 0x20_0000)];
    let refusal = refused(Fake { map: map(&little), ..right() });
    let no_room = |who, left| Refusal::NoRoom(NoRoom { who, wanted: 2 << 20, left });
    assert_eq!(refusal, no_room(Who::Vm("a"), 0));
    // What VMs share is memory, too, and is taken first.
    let refusal = refused(Fake { map: map(&little), offer: Some(Ok(shared_bundle())), ..right() });
    assert_eq!(refusal, no_room(Who::Shared("m"), 0));
    let blocks = |count: u64| {
        let map = map(&[Range::sized(RAM.start, count * 0x20_0000)]);
        start(&mut Fake { map, offer: Some(Ok(shared_bundle())), ..right() }, IMAGE)
    };
    assert_eq!(blocks(3).unwrap_err(), no_room(Who::Vm("b"), 0));
    assert!(blocks(4).is_ok());
    // What the firmware keeps is not room.
    let kept = vec![(MemoryType::RUNTIME_SERVICES_DATA, RAM)];
    assert_eq!(refused(Fake { map: kept, ..right() }), NO_HEAP);
    assert_eq!(refused(Fake { no_map: Some(Status::DEVICE_ERROR), ..right() }), Refusal::NoMap(Status::DEVICE_ERROR));
}

#[test]
fn what_would_fail_later_is_told_of_now() {
    let text = |bundle| {
        let refusal = refused(Fake { offer: Some(Ok(bundle)), ..right() });
        assert_eq!(refusal.status(), Status::UNSUPPORTED);
        refusal.to_string()
    };
    assert_eq!(text(bundle_of(&A.replace("[0]", "[3]"))), "a wants core 3; this board has cores 0 to 1");
    let pages = text(bundle_of(&A.replace("raw", "pages")));
    assert_eq!(pages, "a: its kernel has pages of 16 KiB, which this CPU lacks; take one with pages of 4 KiB");
    // The tree has this device, and it is the hypervisor's console.
    let device = text(bundle_of(&format!("{A}devices = [\"/pl011@9000000\"]\n")));
    assert!(device.starts_with("a: device /pl011@9000000: "), "{device}");
}

#[test]
fn a_bundle_that_boot_would_not_find_in_ram_starts_nothing() {
    // It is in memory that the firmware keeps.
    let place = Range::sized(bundle().as_ptr() as u64, bundle().len() as u64);
    let firmware = Fake { bundle_type: MemoryType::RUNTIME_SERVICES_DATA, ..right() };
    assert_eq!(refused(firmware), Refusal::Outside(place));
    // It lies in a piece that is smaller than many others.
    let map: Vec<_> =
        (1..100).map(|n| (MemoryType::CONVENTIONAL, Range::sized(n << 30, 0x4000_0000 - 0x1000))).collect();
    let handover = start(&mut Fake { map, ..right() }, IMAGE).unwrap();
    assert!(handover.usable.iter().any(|usable| usable.contains(&handover.bundle)), "{:x?}", handover.usable);
    // What the device tree reserves makes more pieces of what is there than are kept track of.
    let fragments = tree(|root| {
        let reserved = root.child_mut("reserved-memory");
        assert!(reserved.is_none());
        let mut reserved = DeviceTreeNode::new_unchecked("reserved-memory");
        set_cells(&mut reserved, "#address-cells", 2);
        set_cells(&mut reserved, "#size-cells", 2);
        reserved.add_property(DeviceTreeProperty::new_unchecked("ranges", Vec::<u8>::new()));
        for number in 0..32u64 {
            let start = RAM.start + 0x10_0000 * (2 * number + 1);
            let mut node = DeviceTreeNode::new_unchecked(format!("kept@{start:x}"));
            let reg = [start, 0x1000].map(u64::to_be_bytes).concat();
            node.add_property(DeviceTreeProperty::new_unchecked("reg", reg));
            reserved.add_child(node);
        }
        root.add_child(reserved);
    });
    assert_eq!(refused(Fake { tree: Some(fragments), ..right() }), Refusal::Fragmented);
}

#[test]
fn a_map_that_loses_its_room_is_noticed() {
    // By the search, by the check, and when boot services are to be left.
    let none = |left| Some((left, Vec::new()));
    for left in [1, 2] {
        assert_eq!(refused(Fake { later: none(left), ..right() }), NO_HEAP);
    }
    assert!(start(&mut Fake { later: none(3), ..right() }, IMAGE).is_ok());
    // After the first attempt nobody can be told.
    let mut firmware = Fake { later: none(3), changes: 1, ..right() };
    assert_eq!(start(&mut firmware, IMAGE).unwrap_err(), Refusal::NotLeft(Status::OUT_OF_RESOURCES));
    assert_eq!(firmware.exits, 1);
}

#[test]
fn what_lies_too_high_is_told_of() {
    let end = portcullis_board::vm_memory::EL2_END;
    let refusal = start(&mut Fake { reach: end, ..right() }, Range::sized(end - 0x1000, 0x2000)).unwrap_err();
    assert_eq!(refusal, Refusal::OutOfReach { what: "the image", at: end - 0x1000, reach: end });
    assert_eq!(refusal.status(), Status::OUT_OF_RESOURCES);
    assert!(refusal.to_string().starts_with("the image lies at 0x7fbffff000, and this version can use"), "{refusal}");
    let (tree, bundle) = (right().tree.unwrap(), bundle());
    let place = |bytes: &[u8]| (bytes.as_ptr() as u64, bytes.as_ptr() as u64 + bytes.len() as u64);
    let refusal = refused(Fake { reach: place(tree).1 - 1, tree: Some(tree), ..right() });
    assert!(matches!(refusal, Refusal::OutOfReach { what: "the device tree", .. }), "{refusal}");
    // The bundle behind the tree, wherever that is.
    let both = [tree, bundle].concat().leak();
    let (tree, bundle) = both.split_at(tree.len());
    let files = |reach| Fake { reach, tree: Some(tree), offer: Some(Ok(bundle)), ..right() };
    assert_eq!(
        refused(files(place(bundle).1 - 1)),
        Refusal::OutOfReach { what: "the bundle", at: place(bundle).0, reach: place(bundle).1 - 1 }
    );
    assert!(start(&mut files(place(bundle).1), IMAGE).is_ok());
    // VMs have RAM up there; the heap has none.
    let map = |start| vec![(MemoryType::CONVENTIONAL, Range::sized(start, 1 << 30))];
    assert_eq!(refused(Fake { map: map(end), ..right() }), NO_HEAP);
    assert!(start(&mut Fake { map: [map(RAM.start), map(end)].concat(), ..right() }, IMAGE).is_ok());
}

#[test]
fn a_key_that_is_no_longer_the_newest_is_followed_by_the_next() {
    let mut firmware = Fake { changes: 3, ..right() };
    start(&mut firmware, IMAGE).unwrap();
    assert_eq!(firmware.exits, 4);
    // Of what is said nothing comes after the first attempt.
    assert_eq!(firmware.said.len(), 1);

    let mut firmware = Fake { changes: usize::MAX, ..right() };
    let refusal = start(&mut firmware, IMAGE).unwrap_err();
    assert_eq!(refusal, Refusal::NotLeft(Status::INVALID_PARAMETER));
    assert!(!refusal.can_be_said() && firmware.exits < 100);
    let mut firmware = Fake { stays: Some(Status::UNSUPPORTED), ..right() };
    assert_eq!(start(&mut firmware, IMAGE).unwrap_err(), Refusal::NotLeft(Status::UNSUPPORTED));
    assert_eq!(firmware.exits, 1);
}
