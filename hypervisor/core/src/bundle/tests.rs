//! Tests of the reader, on bundles written by `vm-fdt`.

mod schedules;

use vm_fdt::FdtWriter;

use super::*;
use crate::image::ImageError;

/// Writes a bundle: `root` adds properties of the root, `vms` the nodes.
fn write(root: impl FnOnce(&mut FdtWriter), vms: impl FnOnce(&mut FdtWriter)) -> Vec<u8> {
    let mut tree = FdtWriter::new().unwrap();
    let node = tree.begin_node("").unwrap();
    tree.property_u32(bundle::CHECKSUM, 0).unwrap();
    tree.property_u32(bundle::BUNDLE, bundle::VERSION).unwrap();
    root(&mut tree);
    vms(&mut tree);
    tree.end_node(node).unwrap();
    seal(tree.finish().unwrap())
}

/// Puts the right checksum in.
fn seal(mut blob: Vec<u8>) -> Vec<u8> {
    let at = be32(&blob, 8).unwrap() as usize + bundle::CHECKSUM_OFFSET;
    blob[at..at + 4].fill(0);
    let sum = crc32fast::hash(&blob);
    blob[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    blob
}

/// Writes a VM's node with what every VM has, unless `skip` names it, and what `more` adds.
fn vm(tree: &mut FdtWriter, index: usize, name: &str, skip: &[&str], more: impl FnOnce(&mut FdtWriter)) {
    let node = tree.begin_node(&format!("vm@{index:x}")).unwrap();
    let has = |property| !skip.contains(&property);
    if has("name") {
        tree.property_string("name", name).unwrap();
    }
    if has("memory") {
        tree.property_u64("memory", 4 << 20).unwrap();
    }
    if has("cores") {
        tree.property_array_u32("cores", &[2, 0]).unwrap();
    }
    if has("conduits") {
        tree.property_u32("conduits", 3).unwrap();
    }
    if has("kernel") {
        tree.property("kernel", &[0x14, 0, 0, 0, 0x55]).unwrap();
    }
    more(tree);
    tree.end_node(node).unwrap();
}

fn sample() -> Vec<u8> {
    write(
        |tree| tree.property_string("control", "ops").unwrap(),
        |tree| {
            vm(tree, 0, "linux-a", &[], |tree| {
                tree.property_string("cmdline", "console=ttyAMA0 quiet").unwrap();
                tree.property_null("autostart").unwrap();
                tree.property("devices", b"/soc/a@1\0/soc/b@2\0").unwrap();
                tree.property("initrd", b"disk").unwrap();
                let node = tree.begin_node("firmware").unwrap();
                tree.property_u64("std", 1).unwrap();
                tree.property_u64("vendor-hyp", 3).unwrap();
                tree.property_u32("psci", 0x1_0001).unwrap();
                tree.end_node(node).unwrap();
            });
            vm(tree, 1, "ops", &[], |tree| {
                tree.property_null("audit").unwrap();
                tree.property_null("stop-on-fault").unwrap();
                tree.property_u32("restart-limit", 3).unwrap();
            });
        },
    )
}

/// The error of a bundle with one VM that lacks `skip` and has what `more` adds.
fn vm_error(skip: &[&str], more: impl FnOnce(&mut FdtWriter)) -> VmError {
    match Bundle::parse(&write(|_| {}, |tree| vm(tree, 0, "a", skip, more))) {
        Err(BundleError::Vm(0, error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_what_was_written() {
    let data = sample();
    let bundle = Bundle::parse(&data).unwrap();
    assert_eq!(bundle.control(), Some(1));
    let vms: Vec<_> = bundle.vms().collect();
    assert_eq!(vms.len(), 2);
    let (a, ops) = (vms[0], vms[1]);
    assert_eq!((a.name, a.memory, a.cores.as_slice(), a.conduits), ("linux-a", 4 << 20, &[2, 0][..], 3));
    assert_eq!((a.cmdline, a.autostart), ("console=ttyAMA0 quiet", true));
    assert_eq!(a.devices.iter().collect::<Vec<_>>(), ["/soc/a@1", "/soc/b@2"]);
    let firmware =
        FirmwareConfig { std: Some(1), vendor_hyp: Some(3), psci: Some(0x1_0001), ..FirmwareConfig::default() };
    assert_eq!(a.firmware, Some(firmware));
    assert_eq!((a.audit, a.restart_limit, ops.audit, ops.restart_limit), (false, 0, true, 3));
    assert_eq!((a.stop_on_fault, ops.stop_on_fault), (false, true));
    assert_eq!((a.kernel, a.initrd, a.dtb), (&[0x14, 0, 0, 0, 0x55][..], Some(&b"disk"[..]), None));
    assert_eq!((ops.name, ops.cmdline, ops.autostart, ops.firmware), ("ops", "", false, None));
    assert_eq!((ops.devices.iter().count(), ops.initrd), (0, None));
    assert_eq!(a.layout(map::RAM).unwrap().entry(), map::RAM + map::RAW_OFFSET);
}

#[test]
fn data_may_be_longer_than_the_bundle() {
    let mut data = sample();
    data.extend([0xff; 5000]);
    assert_eq!(Bundle::parse(&data).unwrap().vms().count(), 2);
}

#[test]
fn every_flip_and_every_truncation_is_an_error() {
    let mut data = sample();
    for at in 0..data.len() {
        for mask in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            data[at] ^= mask;
            assert!(Bundle::parse(&data).is_err(), "byte {at} xor {mask:#x}");
            data[at] ^= mask;
        }
        assert!(Bundle::parse(&data[..at]).is_err(), "{at} bytes");
    }
    assert!(Bundle::parse(&data).is_ok());
}

#[test]
fn damage_behind_a_right_checksum_never_panics() {
    let data = sample();
    let mut accepted = 0;
    for at in 0..data.len() {
        for mask in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            let mut bad = data.clone();
            bad[at] ^= mask;
            // The header may now point anywhere; a blob that cannot be sealed is tried as it is.
            let sum = be32(&bad, 8).map(|start| start as usize + bundle::CHECKSUM_OFFSET);
            let bad = if sum.is_some_and(|sum| sum + 4 <= bad.len()) { seal(bad) } else { bad };
            accepted += usize::from(Bundle::parse(&bad).is_ok());
        }
    }
    // Bits of values such as kernel bytes may change; those of structure may not.
    assert!(accepted > 0 && accepted < data.len() * 9 / 2, "{accepted}");
}

#[test]
fn the_outside_is_checked_first() {
    assert_eq!(Bundle::parse(&[]).unwrap_err(), BundleError::TooShort(0));
    assert_eq!(Bundle::parse(&[0x1f; 64]).unwrap_err(), BundleError::Magic(0x1f1f_1f1f));
    let data = sample();
    let (total, cut) = (data.len(), data.len() - 1);
    assert_eq!(Bundle::parse(&data[..cut]).unwrap_err(), BundleError::Size { total, available: cut });
    let mut small = data.clone();
    small[4..8].copy_from_slice(&39u32.to_be_bytes());
    assert_eq!(Bundle::parse(&small).unwrap_err(), BundleError::Size { total: 39, available: total });
    let mut far = data.clone();
    far[8..12].fill(0xff);
    assert_eq!(Bundle::parse(&far).unwrap_err(), BundleError::Offset);
    let mut kernel = data.clone();
    let at = kernel.windows(5).position(|bytes| bytes == [0x14, 0, 0, 0, 0x55]).unwrap();
    kernel[at] ^= 4;
    assert!(matches!(Bundle::parse(&kernel).unwrap_err(), BundleError::Checksum { .. }));
    let mut tree = FdtWriter::new().unwrap();
    let root = tree.begin_node("").unwrap();
    tree.property_u32(bundle::BUNDLE, 1).unwrap();
    tree.end_node(root).unwrap();
    assert_eq!(Bundle::parse(&tree.finish().unwrap()).unwrap_err(), BundleError::NoChecksum);
}

#[test]
fn the_root_is_checked() {
    let version = |value: u32| {
        let mut data = sample();
        let at = be32(&data, 8).unwrap() as usize + bundle::CHECKSUM_OFFSET + 16;
        data[at..at + 4].copy_from_slice(&value.to_be_bytes());
        seal(data)
    };
    assert!(Bundle::parse(&version(1)).is_ok());
    assert_eq!(Bundle::parse(&version(2)).unwrap_err(), BundleError::Version(Some(2)));
    assert_eq!(Bundle::parse(&write(|_| {}, |_| {})).unwrap_err(), BundleError::NoVms);
    let unknown = write(|tree| tree.property_null("x").unwrap(), |_| {});
    assert_eq!(Bundle::parse(&unknown).unwrap_err(), BundleError::Unknown);
    let control = write(|tree| tree.property_string("control", "b").unwrap(), |tree| vm(tree, 0, "a", &[], |_| {}));
    assert_eq!(Bundle::parse(&control).unwrap_err(), BundleError::Control);
    let several = |names: &[(usize, &str)]| {
        write(|_| {}, |tree| names.iter().for_each(|(index, name)| vm(tree, *index, name, &[], |_| {})))
    };
    assert_eq!(Bundle::parse(&several(&[(0, "a"), (2, "b")])).unwrap_err(), BundleError::Order(1));
    assert_eq!(Bundle::parse(&several(&[(0, "a"), (1, "a")])).unwrap_err(), BundleError::DuplicateName(1));
    let names: Vec<String> = (0..9).map(|index| format!("vm{index}")).collect();
    let nine: Vec<(usize, &str)> = names.iter().map(String::as_str).enumerate().collect();
    assert_eq!(Bundle::parse(&several(&nine)).unwrap_err(), BundleError::TooManyVms);
    assert_eq!(Bundle::parse(&several(&nine[..8])).unwrap().vms().count(), 8);
}

#[test]
fn every_vm_is_checked() {
    for name in ["memory", "cores", "conduits", "kernel"] {
        assert_eq!(vm_error(&[name], |_| {}), VmError::Missing(name));
    }
    assert_eq!(vm_error(&["name"], |_| {}), VmError::Name);
    for name in ["A", "0a", "-", "a_b", "a23456789012345678"] {
        assert_eq!(vm_error(&["name"], |tree| tree.property_string("name", name).unwrap()), VmError::Name);
    }
    for bytes in [0, 1 << 20, (2 << 20) + 1, 1 << 39, u64::MAX] {
        assert_eq!(vm_error(&["memory"], |t| t.property_u64("memory", bytes).unwrap()), VmError::Memory(bytes));
    }
    let cores = |cores: &[u32]| vm_error(&["cores"], |tree| tree.property_array_u32("cores", cores).unwrap());
    assert_eq!(cores(&[]), VmError::CoreCount(0));
    assert_eq!(cores(&[0; 9]), VmError::CoreCount(9));
    assert_eq!(vm_error(&["conduits"], |t| t.property_u32("conduits", 4).unwrap()), VmError::Conduits(4));
    for (name, value) in [
        ("memory", &[0; 4][..]),
        ("cores", &[0; 5]),
        ("conduits", &[0; 8]),
        ("cmdline", b"no end"),
        ("cmdline", b"a\0b\0"),
        ("cmdline", b"\xff\0"),
        ("autostart", &[1]),
        ("devices", b"/a\0b\0"),
        ("devices", b"/a\0\0"),
        ("devices", b"/a"),
        ("dtb", &[0; 64]),
    ] {
        assert_eq!(vm_error(&[name], |tree| tree.property(name, value).unwrap()), VmError::Malformed(name));
    }
    assert_eq!(vm_error(&[], |tree| tree.property_null("memroy").unwrap()), VmError::Unknown);
    let firmware = |name, value: &[u8]| {
        vm_error(&[], |tree| {
            let node = tree.begin_node("firmware").unwrap();
            tree.property(name, value).unwrap();
            tree.end_node(node).unwrap();
        })
    };
    assert_eq!(firmware("std", &[0; 4]), VmError::Malformed("std"));
    assert_eq!(firmware("psci", &[0; 8]), VmError::Malformed("psci"));
    assert_eq!(firmware("trng", &[0; 8]), VmError::Unknown);
}

#[test]
fn images_must_fit() {
    let image = |error| VmError::Image(error);
    assert_eq!(vm_error(&["kernel"], |t| t.property_null("kernel").unwrap()), image(ImageError::Empty));
    let elf = vm_error(&["kernel"], |tree| tree.property("kernel", b"\x7fELF").unwrap());
    assert_eq!(elf, image(ImageError::Foreign("an ELF file")));
    let large = vm_error(&[], |tree| tree.property("initrd", &vec![0; 4 << 20]).unwrap());
    assert!(matches!(large, VmError::Image(ImageError::TooLarge { memory: 0x40_0000, .. })));
    let mut header = vec![0; 64];
    header[19] = 1;
    header[56..60].copy_from_slice(b"ARM\x64");
    let bss = vm_error(&["kernel"], |tree| tree.property("kernel", &header).unwrap());
    assert!(matches!(bss, VmError::Image(ImageError::TooLarge { .. })));
}

#[test]
fn messages_name_the_vm_and_what_is_right() {
    let error = BundleError::Vm(10, VmError::Memory(0x10_0000));
    let text = "vm@a: it has 0x100000 bytes of memory; a multiple of 0x200000 up to 0x7fc0000000 is needed";
    assert_eq!(error.to_string(), text);
    let text = "its format is version 2; this hypervisor reads version 1";
    assert_eq!(BundleError::Version(Some(2)).to_string(), text);
}

#[test]
fn filters_are_read_and_checked() {
    let firmware = |cells: &[u32]| {
        let data = write(
            |_| {},
            |tree| {
                vm(tree, 0, "a", &[], |tree| {
                    let node = tree.begin_node("firmware").unwrap();
                    tree.property_null("keep").unwrap();
                    tree.property_array_u32("filter", cells).unwrap();
                    tree.end_node(node).unwrap();
                });
            },
        );
        Bundle::parse(&data).map(|bundle| {
            let firmware = bundle.vms().next().unwrap().firmware.unwrap();
            assert!(firmware.keep && firmware.std.is_none());
            firmware.ranges.iter().map(|range| (range.base, range.count, range.action)).collect::<Vec<_>>()
        })
    };
    assert_eq!(firmware(&[0x8400_0050, 4, 1, 0xc400_0003, 1, 0]), Ok(vec![(0x8400_0050, 4, 1), (0xc400_0003, 1, 0)]));
    use portcullis_gate::FilterError::{ForwardRefused, Overlaps, UnknownAction, Wraps};
    for (cells, index, error) in [
        (&[0x8400_0050, 0, 1][..], 0, Wraps),
        (&[0x8400_0050, 1, 0x101], 0, UnknownAction),
        (&[0xc400_0000, 1, 2], 0, ForwardRefused),
        (&[0x8000_8000, 1, 1], 0, Overlaps),
        (&[0x8400_0050, 4, 1, 0x8400_0053, 1, 1], 1, Overlaps),
    ] {
        assert_eq!(firmware(cells), Err(BundleError::Vm(0, VmError::Filter(index, error))));
    }
    assert_eq!(firmware(&[0x8400_0050, 4]), Err(BundleError::Vm(0, VmError::Malformed("filter"))));
}
