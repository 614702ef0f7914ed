//! Tests of the trees, by another reader.

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};

use super::*;

const DEFAULT: GuestTree<'static> = GuestTree {
    memory: Range::sized(map::RAM, 256 << 20),
    vcpus: 2,
    cmdline: "console=ttyAMA0",
    initrd: Some(Range::sized(0x4800_0000, 0x1234)),
    conduits: bundle::CONDUIT_HVC | bundle::CONDUIT_SMC,
    psci: function::PSCI_VERSION_1_1,
    emulated: &EMULATED,
    gpio_lines: &[],
    virtio: &[],
    shared: &[],
    devices: &[],
    kaslr_seed: None,
    rng_seed: None,
    watchdog: false,
    movable: false,
    gic: GicVersion::V3,
    cache_levels: 2,
};

fn node<'a>(tree: &'a [u8], path: &str) -> FdtNode<'a> {
    Fdt::new(tree).unwrap().find_node(path).unwrap_or_else(|| panic!("no {path}"))
}

fn value<'a>(tree: &'a [u8], path: &str, name: &str) -> &'a [u8] {
    let property = node(tree, path).properties().find(|property| property.name() == name);
    property.unwrap_or_else(|| panic!("no {name} in {path}")).value_as().unwrap()
}

fn u32s(tree: &[u8], path: &str, name: &str) -> Vec<u32> {
    let value = value(tree, path, name);
    assert!(value.len().is_multiple_of(4));
    value.chunks(4).map(|cell| u32::from_be_bytes(cell.try_into().unwrap())).collect()
}

#[test]
fn tells_everything_that_linux_needs() {
    let tree = DEFAULT.build().unwrap();
    assert_eq!(value(&tree, "/", "compatible"), b"linux,dummy-virt\0");
    assert_eq!(value(&tree, "/", "model"), b"Portcullis VM\0");
    assert_eq!(value(&tree, "/chosen", "bootargs"), b"console=ttyAMA0\0");
    assert_eq!(value(&tree, "/chosen", "linux,initrd-start"), 0x4800_0000u64.to_be_bytes());
    assert_eq!(value(&tree, "/chosen", "linux,initrd-end"), 0x4800_1234u64.to_be_bytes());
    assert_eq!(u32s(&tree, "/memory@40000000", "reg"), [0, 0x4000_0000, 0, 0x1000_0000]);
    assert_eq!(u32s(&tree, "/cpus/cpu@1", "reg"), [1]);
    let cpus = node(&tree, "/cpus").children().filter(|node| node.name().starts_with("cpu@"));
    assert_eq!(cpus.count(), 2);
    assert_eq!(value(&tree, "/psci", "compatible"), b"arm,psci-1.0\0arm,psci-0.2\0arm,psci\0");
    assert_eq!(value(&tree, "/psci", "method"), b"hvc\0");
    assert_eq!(u32s(&tree, "/timer", "interrupts"), [1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]);
    assert_eq!(value(&tree, "/intc", "compatible"), b"arm,gic-v3\0");
    assert_eq!(u32s(&tree, "/intc", "reg"), [0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0x4_0000]);
    assert_eq!(u32s(&tree, "/pl011@9000000", "interrupts"), [0, 1, 4]);
    assert_eq!(value(&tree, "/pl031@9010000", "compatible"), b"arm,pl031\0arm,primecell\0");
    assert_eq!(u32s(&tree, "/pl031@9010000", "reg"), [0, 0x901_0000, 0, 0x1000]);
    assert_eq!(u32s(&tree, "/pl031@9010000", "interrupts"), [0, 2, 4]);
    assert_eq!(value(&tree, "/pl031@9010000", "clock-names"), b"apb_pclk\0");
    assert_eq!(u32s(&tree, "/pl031@9010000", "clocks"), u32s(&tree, "/apb-pclk", "phandle"));
}

#[test]
fn the_console_path_exists_and_phandles_meet() {
    let tree = DEFAULT.build().unwrap();
    let path = value(&tree, "/chosen", "stdout-path").strip_suffix(b"\0").unwrap();
    assert_eq!(u32s(&tree, core::str::from_utf8(path).unwrap(), "reg"), [0, 0x900_0000, 0, 0x1000]);
    let clock = u32s(&tree, "/apb-pclk", "phandle");
    assert_eq!(u32s(&tree, "/pl011@9000000", "clocks"), [clock[0], clock[0]]);
    assert_eq!(u32s(&tree, "/intc", "phandle"), u32s(&tree, "/", "interrupt-parent"));
    assert_eq!(u32s(&tree, "/apb-pclk", "clock-frequency"), [24_000_000]);
}

#[test]
fn no_seed_is_handed_out_that_was_not_drawn() {
    let tree = DEFAULT.build().unwrap();
    let chosen = node(&tree, "/chosen");
    let names: Vec<String> = chosen.properties().map(|property| property.name().into()).collect();
    assert_eq!(names, ["stdout-path", "bootargs", "linux,initrd-start", "linux,initrd-end"]);
}

#[test]
fn seeds_are_numbers_of_the_bindings_lengths() {
    let words = [3, 4, 5, 6];
    let tree = GuestTree { kaslr_seed: Some(2), rng_seed: Some(&words), ..DEFAULT }.build().unwrap();
    assert_eq!(value(&tree, "/chosen", "kaslr-seed"), 2u64.to_be_bytes());
    assert_eq!(value(&tree, "/chosen", "rng-seed"), words.map(u64::to_be_bytes).as_flattened());
}

#[test]
fn psci_follows_conduits_and_version() {
    let smc = GuestTree { conduits: bundle::CONDUIT_SMC, psci: function::PSCI_VERSION_0_2, ..DEFAULT };
    let tree = smc.build().unwrap();
    assert_eq!(value(&tree, "/psci", "method"), b"smc\0");
    assert_eq!(value(&tree, "/psci", "compatible"), b"arm,psci-0.2\0arm,psci\0");
    let tree = GuestTree { conduits: 0, vcpus: 1, ..DEFAULT }.build().unwrap();
    assert!(Fdt::new(&tree).unwrap().find_node("/psci").is_none());
    assert!(node(&tree, "/cpus/cpu@0").property("enable-method").is_none());
}

#[test]
fn gicv2_has_its_cpu_interface() {
    let tree = GuestTree { gic: GicVersion::V2, ..DEFAULT }.build().unwrap();
    assert_eq!(value(&tree, "/intc", "compatible"), b"arm,cortex-a15-gic\0");
    assert_eq!(u32s(&tree, "/intc", "reg"), [0, 0x800_0000, 0, 0x1_0000, 0, 0x801_0000, 0, 0x2000]);
}

#[test]
fn no_tree_is_longer_than_its_room() {
    let cmdline = "x".repeat(2000);
    // The longest one has them all.
    let fewest = if cfg!(miri) { CACHE_LEVELS_MAX } else { 0 };
    for vcpus in (1..=map::MAX_VCPUS).take(if cfg!(miri) { 1 } else { map::MAX_VCPUS }) {
        for cmdline in ["quiet", "", &cmdline].into_iter().take(if cfg!(miri) { 1 } else { 3 }) {
            let room = GuestTree::room(vcpus, cmdline, 0);
            let mut longest = 0;
            for gic in [GicVersion::V2, GicVersion::V3] {
                for (cache_levels, conduits) in
                    (fewest..=CACHE_LEVELS_MAX).flat_map(|levels| (0..4).map(move |c| (levels, c)))
                {
                    for (initrd, psci, seeds) in [
                        (None, function::PSCI_VERSION_0_2, 0),
                        (DEFAULT.initrd, DEFAULT.psci, 1),
                        (DEFAULT.initrd, DEFAULT.psci, 2),
                    ] {
                        let (kaslr_seed, rng_seed) =
                            ((seeds > 0).then_some(1), (seeds > 1).then_some(&[1; RNG_SEED_WORDS][..]));
                        let tree = GuestTree {
                            vcpus,
                            cmdline,
                            gic,
                            cache_levels,
                            conduits,
                            initrd,
                            psci,
                            kaslr_seed,
                            rng_seed,
                            watchdog: seeds > 0,
                            movable: seeds > 0,
                            ..DEFAULT
                        };
                        longest = longest.max(tree.build().unwrap().len() as u64);
                    }
                }
            }
            assert_eq!(longest, room, "the longest one tells the room");
        }
    }
    assert_eq!(GuestTree::room(1, "", 3), GuestTree::room(1, "", 0) + 3 * NODE_ROOM as u64);
}

#[test]
fn links_have_their_room_and_are_as_their_drivers_look_for_them() {
    let name = "x".repeat(bundle::NAME_MAX);
    let at = |n: u64| Range::sized(map::SHARED_MEMORY_END - (n << 21), 1 << 20);
    let shared: Vec<_> =
        (1..).take(bundle::SHARED_MEMORY_MAX).map(|n| Shared { name: &name, at: at(n), place: 7 }).collect();
    let plain = DEFAULT.build().unwrap().len() as u64;
    for count in [0, 1, bundle::SHARED_MEMORY_MAX] {
        for lines in [&[][..], &[name.as_str(); map::GPIO_LINES]] {
            let tree = GuestTree { gpio_lines: lines, shared: &shared[..count], ..DEFAULT }.build().unwrap();
            let room = plain + GuestTree::room_of_links(!lines.is_empty(), count, 0);
            assert!(tree.len() as u64 <= room, "{} bytes of {room}, {count} pieces, {} lines", tree.len(), lines.len());
            warnings(&tree);
        }
    }
    let names = ["a", "", "b", "", "", "", "", ""];
    let shared = [Shared { name: "m", at: Range::sized(0x1000_0000, 0x3000), place: 1 }];
    let tree = GuestTree { gpio_lines: &names, shared: &shared, ..DEFAULT }.build().unwrap();
    assert_eq!(value(&tree, "/pl061@9030000", "gpio-line-names"), b"a\0\0b\0\0\0\0\0\0");
    assert_eq!(u32s(&tree, "/pl061@9030000", "#gpio-cells"), [2]);
    assert_eq!(u32s(&tree, "/reserved-memory/m@10000000", "reg"), [0, 0x1000_0000, 0, 0x3000]);
    assert_eq!(value(&tree, "/reserved-memory/m@10000000", "no-map"), b"");
}

#[test]
fn a_watchdog_is_there_if_it_is_to_be() {
    let tree = DEFAULT.build().unwrap();
    assert!(Fdt::new(&tree).unwrap().find_node("/watchdog").is_none());
    let tree = GuestTree { watchdog: true, ..DEFAULT }.build().unwrap();
    assert_eq!(value(&tree, "/watchdog", "compatible"), b"arm,smc-wdt\0");
    assert_eq!(value(&tree, "/watchdog", "arm,smc-id"), 0x8200_3d06u32.to_be_bytes());
}

#[test]
fn a_command_line_ends_with_its_string() {
    assert!(GuestTree { cmdline: "a\0b", ..DEFAULT }.build().is_err());
}

/// systemd 252, src/basic/virt.c, `detect_vm_device_tree`: "linux,kvm" is KVM, what has "xen" or "vmware" in it is theirs,
/// anything else another hypervisor. Linux looks for "xen,xen" (arch/arm/xen/enlighten.c).
#[test]
fn programs_see_a_hypervisor_that_is_none_of_the_known_ones() {
    let tree = DEFAULT.build().unwrap();
    let value = value(&tree, "/hypervisor", "compatible").strip_suffix(b"\0").unwrap();
    let text = core::str::from_utf8(value).unwrap();
    assert!(!text.is_empty() && text != "linux,kvm");
    assert!(["xen", "vmware", "\n", "\0"].iter().all(|other| !text.contains(other)), "{text}");
}

/// What dtc's checks ask of every tree (its checks.c): here, as dtc need not be there, by another reader.
#[test]
fn interrupt_providers_are_whole() {
    for gic in [GicVersion::V2, GicVersion::V3] {
        let tree = GuestTree { gic, ..DEFAULT }.build().unwrap();
        assert_eq!(u32s(&tree, "/intc", "#address-cells"), [0]);
        assert_eq!(u32s(&tree, "/intc", "#interrupt-cells"), [3]);
    }
}

#[test]
#[cfg(not(miri))] // Which starts no other program.
fn dtc_has_nothing_to_say() {
    for gic in [GicVersion::V2, GicVersion::V3] {
        for cache_levels in 0..=CACHE_LEVELS_MAX {
            let tree = GuestTree { gic, cache_levels, ..DEFAULT }.build().unwrap();
            warnings(&tree);
        }
    }
}

/// Lets dtc, if there is one, read the tree. Miri starts no other program.
fn warnings(tree: &[u8]) {
    use std::io::Write;
    use std::process::{Command, Stdio};

    if cfg!(miri) {
        return;
    }
    let mut dtc = Command::new("dtc");
    let dtc = dtc
        .args(["-I", "dtb", "-O", "dts", "-o", "/dev/null", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut dtc) = dtc else { return };
    dtc.stdin.take().unwrap().write_all(tree).unwrap();
    let output = dtc.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// As QEMU's virt writes it: drivers look for both banks here.
#[test]
fn flash_has_two_banks_in_one_node() {
    let tree = GuestTree { emulated: &[&portcullis_devices::flash::Cfi::DESCRIPTION], ..DEFAULT }.build().unwrap();
    assert_eq!(value(&tree, "/flash@0", "compatible"), b"cfi-flash\0");
    assert_eq!(u32s(&tree, "/flash@0", "reg"), [0, 0, 0, 0x400_0000, 0, 0x400_0000, 0, 0x400_0000]);
    assert_eq!(u32s(&tree, "/flash@0", "bank-width"), [4]);
    let names = ["clocks", "clock-names", "interrupts"];
    assert!(node(&tree, "/flash@0").properties().all(|property| !names.contains(&property.name())));
}

#[test]
fn transports_are_where_virt_has_them() {
    let tree = GuestTree { virtio: &[0, 31], ..DEFAULT }.build().unwrap();
    for (path, at, spi) in [("/virtio_mmio@a000000", 0xa00_0000, 16), ("/virtio_mmio@a003e00", 0xa00_3e00, 47)] {
        assert_eq!(u32s(&tree, path, "reg"), [0, at, 0, 0x200]);
        assert_eq!(u32s(&tree, path, "interrupts"), [0, spi, 1]);
        assert_eq!(value(&tree, path, "compatible"), b"virtio,mmio\0");
        assert_eq!(value(&tree, path, "dma-coherent"), b"");
    }
    let transports = |tree: &[u8]| {
        let fdt = Fdt::new(tree).unwrap();
        fdt.root().children().filter(|node| node.name().starts_with("virtio_mmio")).count()
    };
    assert_eq!(transports(&tree), 2);
    let plain = DEFAULT.build().unwrap();
    assert_eq!(transports(&plain), 0);
    let slots: Vec<usize> = (0..map::VIRTIO_SLOTS).collect();
    for count in [0, 1, map::VIRTIO_SLOTS] {
        let tree = GuestTree { virtio: &slots[..count], ..DEFAULT }.build().unwrap();
        let room = plain.len() as u64 + GuestTree::room_of_links(false, 0, count);
        assert!(tree.len() as u64 <= room, "{} bytes of {room}, {count} transports", tree.len());
        warnings(&tree);
    }
}

/// The bindings `rng/microsoft,vmgenid.yaml` and `ptp/amazon,vmclock.yaml`: registers, and an edge each.
#[test]
fn a_vm_that_moves_finds_what_tells_it_so() {
    let tree = GuestTree { movable: true, ..DEFAULT }.build().unwrap();
    for (path, compatible, reg, spi) in [
        ("/vmgenid@90c0000", "microsoft,vmgenid", [0, 0x90c_0000, 0, 16], 10),
        ("/ptp@90c1000", "amazon,vmclock", [0, 0x90c_1000, 0, 0x1000], 11),
    ] {
        let node = node(&tree, path);
        let name = node.property("compatible").unwrap().value().to_vec();
        assert_eq!(name, format!("{compatible}\0").into_bytes());
        let cells = |name: &str| -> Vec<u32> {
            let value = node.property(name).unwrap().value().to_vec();
            value.chunks(4).map(|cell| u32::from_be_bytes(cell.try_into().unwrap())).collect()
        };
        assert_eq!((cells("reg"), cells("interrupts")), (reg.to_vec(), vec![0, spi, 1]));
    }
    let tree = DEFAULT.build().unwrap();
    assert!(Fdt::new(&tree).unwrap().find_node("/vmgenid@90c0000").is_none(), "others are as before");
}
