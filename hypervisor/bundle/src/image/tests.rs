//! Tests of headers and places.

use super::*;

const MIB: u64 = 1 << 20;

fn header(text_offset: u64, image_size: u64, flags: u64, length: usize) -> Vec<u8> {
    let mut file = vec![0; length.max(64)];
    file[8..16].copy_from_slice(&text_offset.to_le_bytes());
    file[16..24].copy_from_slice(&image_size.to_le_bytes());
    file[24..32].copy_from_slice(&flags.to_le_bytes());
    file[56..60].copy_from_slice(b"ARM\x64");
    file
}

/// A kernel that says nothing of its pages.
fn kernel(offset: u64, size: u64) -> Kernel {
    Kernel { offset, size, pages: None }
}

#[test]
fn headers() {
    let size = 0x24f_0000;
    let with = |flags| Kernel::parse(&header(0, size, flags, 100)).unwrap().pages;
    assert_eq!(with(8), None);
    assert_eq!([0xa, 0xc, 0xe].map(with), [PageSize::Kib4, PageSize::Kib16, PageSize::Kib64].map(Some));
    let four = Some(PageSize::Kib4);
    assert_eq!(Kernel::parse(&header(0, size, 0xa, 100)), Ok(Kernel { pages: four, ..kernel(0, size) }));
    assert_eq!(Kernel::parse(&header(0x8_0000, 50, 0xa, 100)), Ok(Kernel { pages: four, ..kernel(0x8_0000, 100) }));
    assert_eq!(Kernel::parse(&header(7, 0, 0, 100)), Ok(kernel(0x8_0000, 100)));
    assert_eq!(Kernel::parse(&header(0, size, 0xb, 100)), Err(ImageError::BigEndian));
    assert_eq!(Kernel::parse(&header(2, size, 0, 100)), Err(ImageError::TextOffset(2)));
    assert_eq!(Kernel::parse(&[0x14, 0, 0, 0]), Ok(kernel(0x8_0000, 4)));
    assert_eq!(Kernel::parse(&[]), Err(ImageError::Empty));
    for file in [&b"\x1f\x8b\x08"[..], b"\x7fELF\x02\x01", b"MZ\0\0zimg\0\0", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"] {
        assert!(matches!(Kernel::parse(file), Err(ImageError::Foreign(_))), "{file:?}");
    }
}

/// RAM of so many bytes.
const fn ram(size: u64) -> Range {
    Range::sized(map::RAM, size)
}

/// Offsets of kernel, RAM disk and device tree of what is placed in `memory` bytes.
fn offsets(memory: u64, parts: &Parts, wish: Wish) -> (u64, Option<u64>, u64) {
    let layout = Layout::place(ram(memory), parts, wish).unwrap();
    check(memory, &layout);
    let offset = |range: Range| range.start - map::RAM;
    (offset(layout.kernel), layout.initrd.map(offset), offset(layout.dtb))
}

const HIGH: Wish = Wish { load: None, tree_low: false };
const LOW: Wish = Wish { load: None, tree_low: true };

/// What booting.rst asks for, and that nothing lies on anything else.
fn check(memory: u64, layout: &Layout) {
    let parts = [Some(layout.kernel), layout.initrd, Some(layout.dtb)];
    let parts: Vec<Range> = parts.into_iter().flatten().collect();
    for (index, part) in parts.iter().enumerate() {
        assert!(part.start >= map::RAM && part.end <= map::RAM + memory);
        assert!(parts[..index].iter().all(|other| !other.overlaps(part)));
    }
    assert!(layout.dtb.start.is_multiple_of(8));
    assert!(layout.initrd.is_none_or(|initrd| initrd.start.is_multiple_of(PAGE)));
}

/// The places that QEMU 10 reports for its `virt` machine: `-m`, size of the kernel in memory, of the RAM disk.
#[test]
fn everything_lies_where_qemu_places_it() {
    let image = |size, initrd| Parts { kernel: kernel(0, size), initrd, tree: 0x2000 };
    let disk = Some(0x12_3456);
    assert_eq!(offsets(1024 * MIB, &image(40 * MIB, disk), HIGH), (2 * MIB, Some(128 * MIB), 130 * MIB));
    assert_eq!(offsets(128 * MIB, &image(40 * MIB, disk), HIGH), (2 * MIB, Some(64 * MIB), 66 * MIB));
    assert_eq!(offsets(128 * MIB, &image(40 * MIB, None), HIGH), (2 * MIB, None, 64 * MIB));
    // The kernel reaches beyond the middle.
    assert_eq!(offsets(128 * MIB, &image(70 * MIB, disk), HIGH), (2 * MIB, Some(72 * MIB), 74 * MIB));
    let old = Parts { kernel: kernel(0x8_0000, 40 * MIB), initrd: disk, tree: 0x2000 };
    assert_eq!(offsets(512 * MIB, &old, HIGH), (0x8_0000, Some(128 * MIB), 130 * MIB));
}

#[test]
fn what_does_not_fit_there_goes_to_the_end() {
    let parts = |size, disk| Parts { kernel: kernel(0, size), initrd: Some(disk), tree: 0x2000 };
    let tree = 64 * MIB - 0x2000;
    assert_eq!(offsets(64 * MIB, &parts(8 * MIB, 40 * MIB), HIGH), (2 * MIB, Some(tree - 40 * MIB), tree));
    // Nor 2 MiB into RAM.
    let disk = 64 * MIB - 8 * MIB - 0x2000;
    assert_eq!(offsets(64 * MIB, &parts(8 * MIB, disk), HIGH), (0, Some(8 * MIB), tree));
    assert_eq!(offsets(2 * MIB, &parts(MIB, 0x1000), HIGH), (0, Some(2 * MIB - 0x3000), 2 * MIB - 0x2000));
    // A tree that is low leaves room.
    assert_eq!(offsets(64 * MIB, &parts(8 * MIB, 54 * MIB), LOW), (2 * MIB, Some(10 * MIB), 0));
}

#[test]
fn a_raw_binary_has_its_tree_above_or_below() {
    let raw = Parts { kernel: kernel(map::RAW_OFFSET, 3 * MIB), initrd: None, tree: 0x2000 };
    assert_eq!(offsets(256 * MIB, &raw, HIGH), (0x8_0000, None, 128 * MIB));
    assert_eq!(offsets(256 * MIB, &raw, LOW), (0x8_0000, None, 0));
    assert_eq!(offsets(4 * MIB, &raw, HIGH), (0x8_0000, None, 4 * MIB - 0x2000));
}

#[test]
fn a_load_address_wins_over_the_header() {
    let parts = Parts { kernel: kernel(0x48_0000, MIB), initrd: None, tree: 0x2000 };
    let wish = |load| Wish { load: Some(load), ..HIGH };
    assert_eq!(offsets(64 * MIB, &parts, wish(0x4028_0000)), (0x28_0000, None, 32 * MIB));
    assert_eq!(offsets(64 * MIB, &parts, wish(map::RAM)), (0, None, 32 * MIB));
    let low = Wish { tree_low: true, ..wish(0x4000_2000) };
    assert_eq!(offsets(64 * MIB, &parts, low), (0x2000, None, 0));
    let place = |wish| Layout::place(ram(64 * MIB), &parts, wish);
    let low = Wish { tree_low: true, ..wish(0x4000_1ffc) };
    assert_eq!(place(low), Err(ImageError::TreeLow { room: 0x1ffc, tree: 0x2000 }));
    for load in [0, map::RAM - 4, map::RAM + 2, map::RAM + 64 * MIB, u64::MAX] {
        assert_eq!(place(wish(load)), Err(ImageError::Load { load, ram: ram(64 * MIB) }), "{load:#x}");
    }
    let last = place(wish(map::RAM + 63 * MIB));
    assert_eq!(last, Err(ImageError::TooLarge { needed: 64 * MIB + 0x2000, memory: 64 * MIB }));
}

#[test]
fn every_size_fits_or_is_refused() {
    let mut state = 1u64;
    let mut random = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let (mut placed, mut refused) = (0, 0);
    for _ in 0..if cfg!(miri) { 200 } else { 20_000 } {
        let memory = 2 * MIB * (1 + random(4));
        let kernel = kernel([0, 0x800, 0x1000, 0x8_0000][random(4) as usize], 1 + random(6 * MIB));
        let (initrd, tree) = ((random(2) == 0).then(|| 1 + random(3 * MIB)), 1 + random(0x1_0000));
        let parts = Parts { kernel, initrd, tree };
        let load = (random(4) == 0).then(|| map::RAM + 4 * random(memory / 4));
        let wish = Wish { load, tree_low: random(4) == 0 };
        match Layout::place(ram(memory), &parts, wish) {
            Ok(layout) => {
                check(memory, &layout);
                assert!(wish.load.is_none_or(|load| layout.entry() == load));
                assert!(!wish.tree_low || layout.dtb.start == map::RAM);
                placed += 1;
            }
            Err(ImageError::TooLarge { needed, memory: of }) => {
                assert!(needed > of && of == memory);
                assert!(Layout::place(ram(needed), &parts, wish).is_ok());
                refused += 1;
            }
            Err(ImageError::TreeLow { room, tree: of }) => assert!(wish.tree_low && room < of && of == tree),
            Err(other) => panic!("{other}"),
        }
    }
    let least = if cfg!(miri) { 10 } else { 1000 };
    assert!(placed > least && refused > least);
}

#[test]
fn exact_fit_and_extremes() {
    let exact = kernel(0, 2 * MIB - 0x2000);
    let place = |kernel, initrd, tree| Layout::place(ram(2 * MIB), &Parts { kernel, initrd, tree }, HIGH);
    assert!(place(exact, None, 0x2000).is_ok());
    assert!(matches!(place(exact, None, 0x2001), Err(ImageError::TooLarge { .. })));
    assert!(matches!(place(exact, Some(1), 0x2000), Err(ImageError::TooLarge { .. })));
    assert!(matches!(place(kernel(4, u64::MAX), Some(u64::MAX), 8), Err(ImageError::TooLarge { .. })));
    assert_eq!(place(exact, None, DTB_MAX + 1), Err(ImageError::TreeTooLarge(DTB_MAX + 1)));
    assert_eq!(place(kernel(u64::MAX - 3, 4), None, 8), Err(ImageError::TextOffset(u64::MAX - 3)));
}
