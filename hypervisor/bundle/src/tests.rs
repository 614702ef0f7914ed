//! Tests of the reader, on bundles written by `vm-fdt`.

mod header;
mod links;
mod room;
mod schedules;

use portcullis_abi::firmware::{PSCI_VERSION, SMCCC_VERSION, STD, VENDOR_HYP};
use portcullis_abi::map::{MAX_VCPUS, MAX_VMS};
use std::cell::RefCell;

use vm_fdt::FdtWriter;

use super::*;
use portcullis_board::Range;

use crate::image::ImageError;
use crate::limit::{CORES, check_memory};
use crate::page_size::PageSize;

thread_local! {
    /// The images of the bundle that this test writes at the moment.
    static IMAGES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Adds an image, and the property that tells its place.
fn image(tree: &mut FdtWriter, name: &str, bytes: &[u8]) {
    let place = IMAGES.with_borrow_mut(|images| {
        let start = images.len() as u64;
        images.extend(bytes);
        images.resize(images.len().next_multiple_of(bundle::ALIGNMENT as usize), 0);
        [start, bytes.len() as u64].map(u64::to_be_bytes)
    });
    tree.property(name, place.as_flattened()).unwrap();
}

/// Writes a bundle: `root` adds properties of the root, `vms` the nodes.
fn write(root: impl FnOnce(&mut FdtWriter), vms: impl FnOnce(&mut FdtWriter)) -> Vec<u8> {
    IMAGES.take();
    let mut tree = FdtWriter::new().unwrap();
    let node = tree.begin_node("").unwrap();
    root(&mut tree);
    vms(&mut tree);
    tree.end_node(node).unwrap();
    let mut blob = vec![0; bundle::HEADER_SIZE];
    blob.extend(tree.finish().unwrap());
    blob.resize(blob.len().next_multiple_of(bundle::ALIGNMENT as usize), 0);
    let at = blob.len() as u64;
    blob.extend(IMAGES.take());
    let size = blob.len() as u64;
    blob[..8].copy_from_slice(&bundle::MAGIC);
    put(&mut blob, bundle::VERSION_OFFSET, &bundle::VERSION.to_be_bytes());
    put(&mut blob, bundle::SIZE_OFFSET, &size.to_be_bytes());
    put(&mut blob, bundle::IMAGES_OFFSET, &at.to_be_bytes());
    seal(blob)
}

/// Writes `bytes` at `offset`.
fn put(blob: &mut [u8], offset: usize, bytes: &[u8]) {
    blob[offset..][..bytes.len()].copy_from_slice(bytes);
}

/// Puts the right checksum in.
fn seal(mut blob: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&blob[bundle::CHECKED_OFFSET..]);
    put(&mut blob, bundle::CHECKSUM_OFFSET, &sum.to_be_bytes());
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
        image(tree, "kernel", &[0x14, 0, 0, 0, 0x55]);
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
                image(tree, "initrd", b"disk");
                let node = tree.begin_node("firmware").unwrap();
                tree.property_u64("std", 1).unwrap();
                tree.property_u64("vendor-hyp", 3).unwrap();
                tree.property_u64("psci", 0x1_0001).unwrap();
                tree.property_u64("smccc", 0x1_0002).unwrap();
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
    assert_eq!((a.name, a.memory, a.cores.as_slice(), a.settings.conduits), ("linux-a", 4 << 20, &[2, 0][..], 3));
    assert_eq!((a.cmdline, a.settings.autostart), ("console=ttyAMA0 quiet", true));
    assert_eq!(a.devices.iter().collect::<Vec<_>>(), ["/soc/a@1", "/soc/b@2"]);
    let firmware = a.firmware.unwrap();
    let named = [(STD, 1), (VENDOR_HYP, 3), (PSCI_VERSION, 0x1_0001), (SMCCC_VERSION, 0x1_0002)];
    assert_eq!((firmware.named().collect::<Vec<_>>(), firmware.keep), (named.to_vec(), false));
    assert_eq!(
        (a.settings.audit, a.settings.restart_limit, ops.settings.audit, ops.settings.restart_limit),
        (false, 0, true, 3)
    );
    assert_eq!((a.settings.stop_on_fault, ops.settings.stop_on_fault), (false, true));
    assert_eq!((a.kernel, a.initrd, a.dtb), (&[0x14, 0, 0, 0, 0x55][..], Some(&b"disk"[..]), None));
    assert_eq!((ops.name, ops.cmdline, ops.settings.autostart, ops.firmware), ("ops", "", false, None));
    assert_eq!((ops.devices.iter().count(), ops.initrd), (0, None));
    assert_eq!(a.layout(map::RAM).unwrap().entry(), map::RAM + map::RAW_OFFSET);
}

#[test]
fn the_root_is_checked() {
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
    let names: Vec<String> = (0..=MAX_VMS).map(|index| format!("vm{index}")).collect();
    let many: Vec<(usize, &str)> = names.iter().map(String::as_str).enumerate().collect();
    let error = Bundle::parse(&several(&many)).unwrap_err();
    assert_eq!(
        (&error, error.to_string().as_str()),
        (&BundleError::TooManyVms, "it has too many VMs; 32 are the most")
    );
    let most = if cfg!(miri) { 3 } else { MAX_VMS };
    let bytes = several(&many[..most]);
    let bundle = Bundle::parse(&bytes).unwrap();
    assert!(bundle.vms().map(|vm| vm.name).eq(names.iter().take(most)));
}

#[test]
fn every_vm_is_checked() {
    // Of a long list Miri has a part.
    let step = if cfg!(miri) { 4 } else { 1 };
    for name in ["memory", "cores", "conduits", "kernel"] {
        assert_eq!(vm_error(&[name], |_| {}), VmError::Missing(name));
    }
    assert_eq!(vm_error(&["name"], |_| {}), VmError::Name);
    for name in ["A", "0a", "-", "a_b", "a23456789012345678"].into_iter().step_by(step) {
        assert_eq!(vm_error(&["name"], |tree| tree.property_string("name", name).unwrap()), VmError::Name);
    }
    for bytes in [0, 1 << 20, (2 << 20) + 1, 1 << 39, u64::MAX].into_iter().step_by(step) {
        assert_eq!(
            vm_error(&["memory"], |t| t.property_u64("memory", bytes).unwrap()),
            VmError::Memory(check_memory(bytes).unwrap_err())
        );
    }
    let cores = |cores: &[u32]| vm_error(&["cores"], |tree| tree.property_array_u32("cores", cores).unwrap());
    assert_eq!(cores(&[]), VmError::CoreCount(CORES.check(0).unwrap_err()));
    assert_eq!(cores(&[0; MAX_VCPUS + 1]), VmError::CoreCount(CORES.check(MAX_VCPUS + 1).unwrap_err()));
    assert_eq!(vm_error(&["conduits"], |t| t.property_u32("conduits", 4).unwrap()), VmError::Bits("conduits", 4, 3));
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
        // Not of the form; one byte beyond the images, and far beyond; a place in them, but no tree.
        ("dtb", &[0; 8]),
        ("initrd", &[0; 24]),
        ("initrd", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41]),
        ("kernel", &[0xff; 16]),
        ("kernel", &[0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("dtb", &[0; 16]),
    ]
    .into_iter()
    .step_by(step)
    {
        assert_eq!(vm_error(&[name], |tree| tree.property(name, value).unwrap()), VmError::Malformed(name));
    }
    assert_eq!(vm_error(&[], |tree| tree.property_null("memroy").unwrap()), VmError::Unknown);
    let values = [&[0; 4][..], &[0; 12], &[0x80, 0, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0xff, 0, 0, 0]];
    for value in values.into_iter().step_by(step) {
        assert_eq!(vm_error(&[], |tree| tree.property("soc-id", value).unwrap()), VmError::Malformed("soc-id"));
    }
    let implementations = |bytes| vm_error(&[], |tree| tree.property("implementations", &vec![0; bytes]).unwrap());
    assert_eq!([23, 25, 17 * 24].map(implementations), [VmError::Malformed("implementations"); 3]);
    let firmware = |name, value: &[u8]| {
        vm_error(&[], |tree| {
            let node = tree.begin_node("firmware").unwrap();
            tree.property(name, value).unwrap();
            tree.end_node(node).unwrap();
        })
    };
    assert_eq!(firmware("std", &[0; 4]), VmError::Malformed("std"));
    assert_eq!(firmware("psci", &[0; 4]), VmError::Malformed("psci"));
    assert_eq!(firmware("trng", &[0; 8]), VmError::Unknown);
}

#[test]
fn images_must_fit() {
    let wrong = |error| VmError::Image(error);
    assert_eq!(vm_error(&["kernel"], |tree| image(tree, "kernel", b"")), wrong(ImageError::Empty));
    let elf = vm_error(&["kernel"], |tree| image(tree, "kernel", b"\x7fELF"));
    assert!(matches!(elf, VmError::Image(ImageError::Foreign(form)) if form.what == "an ELF file"));
    if !cfg!(miri) {
        // 4 MiB go through the checksum.
        let large = vm_error(&[], |tree| image(tree, "initrd", &vec![0; 4 << 20]));
        assert!(matches!(large, VmError::Image(ImageError::TooLarge { memory: 0x40_0000, .. })));
    }
    let mut header = vec![0; 64];
    header[19] = 1;
    header[56..60].copy_from_slice(b"ARM\x64");
    let bss = vm_error(&["kernel"], |tree| image(tree, "kernel", &header));
    assert!(matches!(bss, VmError::Image(ImageError::TooLarge { .. })));
}

/// A kernel with an arm64 Image header.
fn kernel_with(flags: u8) -> Vec<u8> {
    let mut file = vec![0; 64];
    (file[16], file[24]) = (64, flags);
    file[56..60].copy_from_slice(b"ARM\x64");
    file
}

#[test]
fn a_kernel_says_its_pages() {
    let pages = |flags| {
        let data =
            write(|_| {}, |tree| vm(tree, 0, "a", &["kernel"], |tree| image(tree, "kernel", &kernel_with(flags))));
        Bundle::parse(&data).unwrap().vms().next().unwrap().kernel_pages()
    };
    let expected = [None, Some(PageSize::Kib4), Some(PageSize::Kib16), Some(PageSize::Kib64)];
    assert_eq!([0x8, 0xa, 0xc, 0xe].map(pages), expected);
    let lacking = |flags, model| {
        let data =
            write(|_| {}, |tree| vm(tree, 0, "a", &["kernel"], |tree| image(tree, "kernel", &kernel_with(flags))));
        Bundle::parse(&data).unwrap().vms().next().unwrap().lacking_pages(model)
    };
    let a72 = 0x1124;
    assert_eq!(
        [(0xc, a72), (0xc, a72 | 1 << 20), (0xa, a72)].map(|(flags, model)| lacking(flags, model)),
        [expected[2], None, None]
    );
    let data = sample();
    assert!(Bundle::parse(&data).unwrap().vms().all(|vm| vm.kernel_pages().is_none()), "a raw binary");
}

#[test]
fn wishes_are_read_and_checked() {
    let layout = |more: fn(&mut FdtWriter)| {
        let data = write(|_| {}, |tree| vm(tree, 0, "a", &[], more));
        Bundle::parse(&data).map(|bundle| {
            let layout = bundle.vms().next().unwrap().layout(map::RAM).unwrap();
            (layout.entry() - map::RAM, layout.dtb.start - map::RAM)
        })
    };
    assert_eq!(layout(|_| {}), Ok((map::RAW_OFFSET, 2 << 20)));
    assert_eq!(layout(|tree| tree.property_null("tree-low").unwrap()), Ok((map::RAW_OFFSET, 0)));
    assert_eq!(layout(|tree| tree.property_u64("load", 0x4010_0000).unwrap()), Ok((1 << 20, 2 << 20)));
    let error = |error| Err(BundleError::Vm(0, error));
    let ram = Range::sized(map::RAM, 4 << 20);
    let outside = VmError::Image(ImageError::Load { load: 0x4040_0000, ram });
    assert_eq!(layout(|tree| tree.property_u64("load", 0x4040_0000).unwrap()), error(outside));
    assert_eq!(layout(|tree| tree.property_u32("load", 0).unwrap()), error(VmError::Malformed("load")));
    assert_eq!(layout(|tree| tree.property_u32("tree-low", 0).unwrap()), error(VmError::Malformed("tree-low")));
    let both = layout(|tree| {
        tree.property_null("trust-dma").unwrap();
        tree.property_u64("load", 0x4010_0000).unwrap();
    });
    assert_eq!(both, error(VmError::Load));
}

#[test]
fn a_clock_is_wished_for_or_not_or_left_open() {
    let rtc = |more: fn(&mut FdtWriter)| {
        let blob = write(|_| {}, |tree| vm(tree, 0, "a", &[], more));
        Bundle::parse(&blob).map(|bundle| bundle.vms().next().unwrap().settings.rtc)
    };
    assert_eq!(rtc(|_| {}).unwrap(), None);
    assert_eq!(rtc(|tree| tree.property_u32("rtc", 0).unwrap()).unwrap(), Some(false));
    assert_eq!(rtc(|tree| tree.property_u32("rtc", 1).unwrap()).unwrap(), Some(true));
    for wrong in [2, u32::MAX] {
        let error = vm_error(&[], |tree| tree.property_u32("rtc", wrong).unwrap());
        assert_eq!(error, VmError::Malformed("rtc"), "{wrong}");
    }
    assert_eq!(vm_error(&[], |tree| tree.property_null("rtc").unwrap()), VmError::Malformed("rtc"));
    assert_eq!(vm_error(&[], |tree| tree.property_u64("rtc", 1).unwrap()), VmError::Malformed("rtc"));
}

#[test]
fn messages_name_the_vm_and_what_is_right() {
    let error = BundleError::Vm(10, VmError::Memory(check_memory(0x30_0000).unwrap_err()));
    let text = "vm@a: 3145728 bytes of memory are not a multiple of 2 MiB; the nearest are \"2M\" or \"4M\"";
    assert_eq!(error.to_string(), text);
    let text = "its format is version 2; this hypervisor reads version 3: take hypervisor and bundle from one run of \
                scripts/image";
    assert_eq!(BundleError::Version(2).to_string(), text);
    let text = "it starts with 0xd00dfeed, as bundles of version 1 did; take hypervisor and bundle from one run of \
                scripts/image";
    assert_eq!(BundleError::Old.to_string(), text);
    let text = "it starts with 0x0000000000000000; a bundle starts with 0x504f525443554c4c, so load bundle.img";
    assert_eq!(BundleError::Magic(0).to_string(), text);
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
            assert!(firmware.keep && firmware.named().next().is_none());
            firmware.ranges.iter().map(|range| (range.base, range.count, range.action)).collect::<Vec<_>>()
        })
    };
    assert_eq!(firmware(&[0x8400_0050, 4, 1, 0xc400_0003, 1, 0]), Ok(vec![(0x8400_0050, 4, 1), (0xc400_0003, 1, 0)]));
    use portcullis_gate::FilterError::{Empty, ForwardRefused, Overlaps, UnknownAction};
    for (cells, index, error) in [
        (&[0x8400_0050, 0, 1][..], 0, Empty),
        (&[0x8400_0050, 1, 0x101], 0, UnknownAction),
        (&[0xc400_0000, 1, 2], 0, ForwardRefused),
        (&[0x8000_8000, 1, 1], 0, Overlaps),
        (&[0x8400_0050, 4, 1, 0x8400_0053, 1, 1], 1, Overlaps),
    ] {
        assert_eq!(firmware(cells), Err(BundleError::Vm(0, VmError::Filter(index, error))));
    }
    assert_eq!(firmware(&[0x8400_0050, 4]), Err(BundleError::Vm(0, VmError::Malformed("filter"))));
}
