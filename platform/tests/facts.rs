//! The facts of real boards' device trees, and what becomes of trees that are wrong, damaged or cut short.

use portcullis_board::Range;
use portcullis_platform::driver::{DrivenDevice, Driver};
use portcullis_platform::drivers::{bcm2835_aux_uart, bcm2835_pm, bcm2835_timer, pl011, pl031, rng200, sp805};
use portcullis_platform::facts::cores::CoreStart;
use portcullis_platform::facts::watchdogs::{WATCHDOGS, Watchdogs};
use portcullis_platform::facts::{Facts, FactsError, Gic, Psci, PsciMethod, PsciVersion, Timer};
use portcullis_platform::{assemble, boards};

const VIRT_V3: &[u8] = include_bytes!("data/qemu-virt-gicv3.dtb");
const VIRT_V2: &[u8] = include_bytes!("data/qemu-virt-gicv2.dtb");
const PI_4: &[u8] = include_bytes!("data/raspberry-pi-4.dtb");

const TIMER: Timer = Timer { physical: 30, virtual_timer: 27, hypervisor: 26, frequency: None };

fn region(address: u64, size: u64) -> Range {
    Range::sized(address, size)
}

/// The tree with the only occurrence of `from` replaced by `to`, which is as long.
fn patched(tree: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..tree.len()).filter(|at| tree[*at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{:?} is there {} times", String::from_utf8_lossy(from), places.len());
    let mut tree = tree.to_vec();
    tree[places[0]..places[0] + from.len()].copy_from_slice(to);
    tree
}

/// Node, or node and property, that the error names.
fn complaint(tree: &[u8]) -> (&'static str, &'static str) {
    match Facts::from_tree(tree) {
        Err(FactsError::NoNode { node, .. }) => (node, ""),
        Err(FactsError::Property { node, property, .. }) => (node, property),
        other => panic!("{other:?}"),
    }
}

fn cells(cells: &[u32]) -> Vec<u8> {
    cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
}

#[test]
fn qemu_virt_with_gicv3() {
    let facts = Facts::from_tree(VIRT_V3).unwrap();
    assert_eq!(facts.compatible.iter().map(|text| &**text).collect::<Vec<_>>(), ["linux,dummy-virt"]);
    assert_eq!(*facts.memory, [region(0x4000_0000, 0x800_0000)]);
    assert!(facts.reserved.is_empty());
    assert_eq!(facts.cores.iter().map(|core| core.mpidr).collect::<Vec<_>>(), [0, 1]);
    assert!(facts.cores.iter().all(|core| core.start == CoreStart::Psci));
    let Gic::V3 { distributor, redistributors, stride, maintenance } = facts.gic else { panic!("{:?}", facts.gic) };
    assert_eq!((distributor, stride, maintenance), (region(0x800_0000, 0x1_0000), None, 25));
    assert_eq!(*redistributors, [region(0x80a_0000, 0xf6_0000)]);
    assert_eq!(facts.timer, TIMER);
    let registers = region(0x900_0000, 0x1000);
    let clock = Some(24_000_000);
    let device = DrivenDevice::at(&pl011::DRIVER, 0, 0);
    assert_eq!(facts.uart, Some(DrivenDevice { registers, intid: Some(33), clock, ..device }));
    let registers = region(0x901_0000, 0x1000);
    let rtc = DrivenDevice { driver: &pl031::DRIVER, registers, intid: Some(34), clock, ..device };
    assert_eq!(facts.devices().collect::<Vec<_>>(), [&rtc]);
    assert_eq!(facts.psci, Some(Psci { method: PsciMethod::Smc, version: PsciVersion::V1_0 }));
    assert_eq!(facts.bundle, None);
}

/// The registers of the devices that `driver` has on the board.
fn driven(facts: &Facts, driver: &'static Driver) -> Vec<Range> {
    facts.devices().filter(|device| device.driver == driver).map(|device| device.registers).collect()
}

/// The first name of the root of a tree that is wrong.
fn name(tree: &[u8]) -> Option<String> {
    let mut name = None;
    let facts = Facts::read(tree, |names| name = names.first().map(|text| text.to_string()), |_| ());
    assert!(facts.is_err());
    name
}

#[test]
fn a_tree_that_is_wrong_still_names_its_board() {
    assert_eq!(name(&patched(VIRT_V3, b"cpus\0", b"cpux\0")).as_deref(), Some("linux,dummy-virt"));
    let wrong = patched(PI_4, b"arm,armv8-timer\0", b"arm,armv0-timer\0");
    assert_eq!(name(&wrong).as_deref(), Some("raspberrypi,4-model-b"));
    assert_eq!(name(b"nothing"), None);
}

#[test]
fn qemu_virt_with_gicv2() {
    let facts = Facts::from_tree(VIRT_V2).unwrap();
    assert_eq!(
        facts.gic,
        Gic::V2 {
            distributor: region(0x800_0000, 0x1_0000),
            cpu_interface: region(0x801_0000, 0x1_0000),
            hypervisor_interface: region(0x803_0000, 0x1_0000),
            virtual_interface: region(0x804_0000, 0x1_0000),
            maintenance: 25,
        }
    );
    assert_eq!(facts.cores.len(), 4);
    assert_eq!(facts.timer, TIMER);
}

#[test]
fn a_gicv2_without_virtualization_extensions_is_named() {
    let frames = [0x800_0000, 0x801_0000, 0x803_0000, 0x804_0000].map(|address| [0, address, 0, 0x1_0000]);
    let data = cells(frames.as_flattened());
    let at = VIRT_V2.windows(data.len()).position(|window| window == data).unwrap();
    let mut tree = VIRT_V2.to_vec();
    // GICD and GICC are left; tokens that say nothing take the place of the others.
    tree[at - 8..at - 4].copy_from_slice(&cells(&[32]));
    tree[at + 32..at + 64].copy_from_slice(&cells(&[4; 8]));
    assert_eq!(complaint(&tree), ("interrupt controller", "reg"));
    let text = Facts::from_tree(&tree).unwrap_err().to_string();
    assert!(text.contains("GICD, GICC, GICH and GICV: a GICv2 with virtualization extensions"), "{text}");
}

#[test]
fn raspberry_pi_4() {
    let facts = Facts::from_tree(PI_4).unwrap();
    let compatible: Vec<&str> = facts.compatible.iter().map(|text| &**text).collect();
    assert_eq!(compatible, ["raspberrypi,4-model-b", "brcm,bcm2711"]);
    let memory = [region(0, 0x3b40_0000), region(0x4000_0000, 0xbc00_0000), region(0x1_0000_0000, 0x8000_0000)];
    assert_eq!(*facts.memory, memory);
    assert_eq!(*facts.reserved, [region(0, 0x8_0000), region(0, 0x1000)]);
    let cores: Vec<_> = facts.cores.iter().map(|core| (core.mpidr, core.start)).collect();
    assert_eq!(cores, [(0, CoreStart::SpinTable(0xd8)), (1, CoreStart::SpinTable(0xe0))]);
    assert_eq!(
        facts.gic,
        Gic::V2 {
            distributor: region(0xff84_1000, 0x1000),
            cpu_interface: region(0xff84_2000, 0x2000),
            hypervisor_interface: region(0xff84_4000, 0x2000),
            virtual_interface: region(0xff84_6000, 0x2000),
            maintenance: 25,
        }
    );
    assert_eq!(facts.timer, TIMER);
    let mini_uart = DrivenDevice::at(&bcm2835_aux_uart::DRIVER, 0xfe21_5040, 0x40);
    assert_eq!(facts.uart, Some(DrivenDevice { intid: Some(125), ..mini_uart }));
    assert_eq!(facts.psci, None);
    assert_eq!(facts.devices().count(), 3);
    assert_eq!(driven(&facts, &rng200::DRIVER), [region(0xfe10_4000, 0x28)]);
    assert_eq!(driven(&facts, &bcm2835_pm::DRIVER), [region(0xfe10_0000, 0x114)]);
    assert_eq!(driven(&facts, &bcm2835_timer::DRIVER), [region(0xfe00_3000, 0x1000)]);
    assert_eq!(facts.bundle, Some(region(0x800_0000, 0x12_3456)));
}

#[test]
fn a_board_without_a_file_has_the_drivers_that_its_tree_names() {
    let mut other = PI_4.to_vec();
    for at in 0..other.len() {
        if other[at..].starts_with(b"brcm,bcm2711\0") {
            other[at..at + 4].copy_from_slice(b"acme");
        }
    }
    let (ours, theirs) = (Facts::from_tree(PI_4).unwrap(), Facts::from_tree(&other).unwrap());
    assert_eq!(boards::find(&theirs.compatible).compatible, "");
    assert_eq!((theirs.uart, theirs.devices().collect::<Vec<_>>()), (ours.uart, ours.devices().collect()));
}

#[test]
fn of_two_devices_the_first_one_is_driven() {
    let gpio = b"arm,pl061\0";
    let tree = patched(VIRT_V3, gpio, b"arm,pl031\0");
    let registers = driven(&Facts::from_tree(&tree).unwrap(), &pl031::DRIVER);
    assert_eq!(registers, [region(0x903_0000, 0x1000)], "the tree has it before the clock");
}

/// The tree with `name` in place of `from`, which is no shorter, wherever that is among the first `most` times.
fn renamed(tree: &[u8], from: &[u8], name: &[u8], most: usize) -> Vec<u8> {
    let mut tree = tree.to_vec();
    let places: Vec<usize> = (0..tree.len()).filter(|at| tree[*at..].starts_with(from)).take(most).collect();
    assert_eq!(places.len(), most);
    for at in places {
        tree[at..at + from.len()].fill(0);
        tree[at..at + name.len()].copy_from_slice(name);
    }
    tree
}

#[test]
fn of_watchdogs_all_are_noted() {
    let virtio = b"virtio,mmio\0";
    let watchdogs = |tree: &[u8]| Facts::from_tree(tree).unwrap().watchdogs;
    assert_eq!(watchdogs(VIRT_V3), Watchdogs::default());
    // QEMU has 32 of these, one behind the other.
    let at = |number: u64| region(0xa00_0000 + 0x200 * number, 0x200);
    for count in [1, 3, WATCHDOGS] {
        let noted = watchdogs(&renamed(VIRT_V3, virtio, b"arm,sp805\0", count));
        assert!(noted.iter().all(|watchdog| watchdog.driver == &sp805::DRIVER));
        assert!(noted.iter().map(|watchdog| watchdog.registers).eq((0..count as u64).map(at)), "{noted:?}");
        assert_eq!(noted.more, 0);
    }
    // More than there is room for are counted, and displace no other device.
    let many = renamed(VIRT_V3, virtio, b"arm,sp805\0", 32);
    let facts = Facts::from_tree(&many).unwrap();
    assert_eq!((facts.watchdogs.iter().count(), facts.watchdogs.more), (WATCHDOGS, 32 - WATCHDOGS));
    let plain = Facts::from_tree(VIRT_V3).unwrap();
    assert!(facts.devices().eq(plain.devices()));
    // All of them are mapped, to be stopped, and any VM may have them.
    let mapped: Vec<Range> = assemble::ranges(&facts).collect();
    assert!(facts.watchdogs.iter().all(|watchdog| mapped.contains(&watchdog.registers)));
    assert!(facts.watchdogs.iter().all(|watchdog| !assemble::is_taken(&facts, &watchdog.registers)));
}

#[test]
fn the_console_is_what_stdout_path_names() {
    let pl011 = Some(region(0xfe20_1000, 0x200));
    let console = |tree: &[u8]| Facts::from_tree(tree).unwrap().uart.map(|uart| uart.registers);
    let by_alias = Facts::from_tree(&patched(PI_4, b"serial1:115200n8", b"serial0:115200n8")).unwrap().uart.unwrap();
    assert_eq!((Some(by_alias.registers), by_alias.intid, by_alias.clock), (pl011, Some(153), Some(48_000_000)));
    // An alias that is none, and no stdout-path at all, leave the first PL011 that is not disabled.
    assert_eq!(console(&patched(PI_4, b"serial1:115200n8", b"serial7:115200n8")), pl011);
    assert_eq!(console(&patched(PI_4, b"stdout-path\0", b"xtdout-path\0")), pl011);
    let none = patched(VIRT_V3, b"arm,pl011\0", b"arm,plxxx\0");
    assert_eq!(console(&none), None);
}

#[test]
fn the_bundle_is_an_initrd_or_a_module() {
    let module = patched(PI_4, b"linux,initrd-end\0", b"linux,initrd-xxx\0");
    assert_eq!(Facts::from_tree(&module).unwrap().bundle, Some(region(0xa00_0000, 0x2000)));
    // One that does not say what it is, as GRUB's xen_module; a kernel is none, nor is what is no module.
    let plain = patched(&module, b"multiboot,ramdisk\0", b"multiboot,ramdixx\0");
    assert_eq!(Facts::from_tree(&plain).unwrap().bundle, Some(region(0xa00_0000, 0x2000)));
    let kernel = patched(&module, b"multiboot,ramdisk\0", b"multiboot,kernel\0\0");
    assert_eq!(Facts::from_tree(&kernel).unwrap().bundle, None);
    let none = patched(&plain, b"multiboot,module\0multiboot,ramdixx\0", b"multiboot,modulx\0multiboot,ramdixx\0");
    assert_eq!(Facts::from_tree(&none).unwrap().bundle, None);
    let empty = patched(PI_4, &0x0812_3456u32.to_be_bytes(), &0x0800_0000u32.to_be_bytes());
    assert_eq!(Facts::from_tree(&empty).unwrap().bundle, Some(region(0xa00_0000, 0x2000)));
    let reversed = patched(PI_4, &0x0812_3456u32.to_be_bytes(), &0x07ff_ffffu32.to_be_bytes());
    assert_eq!(complaint(&reversed), ("node /chosen", "linux,initrd-end"));
}

#[test]
fn what_is_not_there_is_named() {
    let memory = patched(VIRT_V3, b"memory\0", b"memorx\0");
    assert_eq!(complaint(&memory), ("memory", ""));
    let memory = cells(&[0, 0x4000_0000, 0, 0x800_0000]);
    assert_eq!(complaint(&patched(VIRT_V3, &memory, &cells(&[0, 0x4000_0000, 0, 0]))), ("memory", ""));
    assert_eq!(complaint(&patched(VIRT_V3, b"cpus\0", b"cpux\0")), ("core", ""));
    assert_eq!(complaint(&patched(VIRT_V3, b"arm,gic-v3\0", b"arm,gic-v9\0")), ("interrupt controller", ""));
    assert_eq!(complaint(&patched(VIRT_V3, b"arm,armv8-timer\0", b"arm,armv0-timer\0")), ("timer", ""));
    // Spins without an address to write to.
    let release = patched(PI_4, b"cpu-release-addr\0", b"cpu-releaxx-addr\0");
    assert_eq!(complaint(&release), ("cpu node", "cpu-release-addr"));
    assert_eq!(complaint(&patched(VIRT_V3, b"method\0", b"methox\0")), ("PSCI node", "method"));
    // The distributor alone.
    let regions = patched(VIRT_V3, b"#redistributor-regions\0", b"#xxdistributor-regions\0");
    assert!(Facts::from_tree(&regions).is_ok());
    let one = cells(&[0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0xf6_0000]);
    let far = cells(&[0, 0x800_0000, 0, 0x1_0000, u32::MAX, u32::MAX, 1, 0]);
    assert_eq!(complaint(&patched(VIRT_V3, &one, &far)), ("interrupt controller", "reg"));
    // A GICv2 without a virtual CPU interface, and a timer wired to another controller.
    let virtual_interface = cells(&[0x4004_6000]);
    assert_eq!(complaint(&patched(PI_4, &virtual_interface, &cells(&[0]))), ("interrupt controller", "reg"));
    assert_eq!(complaint(&patched(PI_4, &cells(&[1, 9, 0xf04]), &cells(&[9, 9, 4]))).1, "interrupts");
    assert_eq!(complaint(&patched(PI_4, &cells(&[1, 11, 0xf08]), &cells(&[1, 16, 8]))), ("timer", "interrupts"));
}

#[test]
fn every_truncation_is_an_error() {
    for tree in [VIRT_V3, VIRT_V2, PI_4] {
        for length in 0..tree.len() {
            assert!(Facts::from_tree(&tree[..length]).is_err(), "{length} bytes");
        }
        let mut longer = tree.to_vec();
        longer.extend([0xa5; 4096]);
        assert_eq!(Facts::from_tree(&longer), Facts::from_tree(tree));
    }
}

/// Flips every byte; `masks` says how. There must be an answer, not a panic, and both answers must occur.
fn flip(tree: &[u8], masks: impl Fn(usize) -> Vec<u8>) {
    let mut data = tree.to_vec();
    let (mut right, mut wrong) = (0, 0);
    for at in 0..data.len() {
        for mask in masks(at) {
            data[at] ^= mask;
            match Facts::from_tree(&data) {
                Ok(_) => right += 1,
                Err(error) => {
                    wrong += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
            data[at] ^= mask;
        }
    }
    assert!(right > 0 && wrong > 0);
}

#[test]
fn no_flip_panics_in_a_tree_of_many_buses() {
    flip(PI_4, |_| vec![0xff, 1, 2]);
}

#[test]
fn no_flip_panics_in_a_tree_of_qemu() {
    flip(VIRT_V3, |at| vec![if at % 2 == 0 { 0xff } else { 1 << (at / 2 % 8) }]);
}
