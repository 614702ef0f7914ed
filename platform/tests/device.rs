//! Devices that are looked up by path in real boards' device trees.

use portcullis_board::Range;
use portcullis_board::device::Interrupt;
use portcullis_platform::assemble::is_taken;
use portcullis_platform::facts::Facts;
use portcullis_platform::facts::device::{DeviceError, Devices, NO_MASTERS};
use portcullis_tree::Tree;

const VIRT: &[u8] = include_bytes!("data/qemu-virt-gicv3.dtb");
const PI_4: &[u8] = include_bytes!("data/raspberry-pi-4.dtb");

fn devices(tree: &'static [u8]) -> Devices {
    Devices::new(Tree::new(tree).unwrap())
}

#[test]
fn a_gpio_block_of_qemu_s_virt_machine() {
    let gpio = devices(VIRT).find("/pl061@9030000", |_| false).unwrap();
    assert_eq!(gpio.name, b"pl061@9030000");
    assert_eq!(gpio.compatible, b"arm,pl061\0arm,primecell\0");
    assert_eq!(gpio.registers, [Range::sized(0x903_0000, 0x1000)]);
    assert_eq!(gpio.interrupts, [Interrupt { physical: 39, edge: false }]);
    assert_eq!((gpio.clock, gpio.masters), (Some(24_000_000), false));
    assert_eq!(gpio.clock_names, b"apb_pclk\0");
    assert!(gpio.kept.contains(&("gpio-controller", b"")), "{:?}", gpio.kept);
    devices(VIRT).alone(&gpio, |_| false).unwrap();
}

#[test]
fn what_may_master_the_bus_is_said_to() {
    let devices = devices(VIRT);
    let virtio = devices.find("/virtio_mmio@a003e00", |_| false).unwrap();
    assert!(virtio.masters);
    assert_eq!(virtio.interrupts, [Interrupt { physical: 79, edge: true }]);
    // Eight of them share a page.
    let shared = devices.alone(&virtio, |_| false).unwrap_err();
    assert!(matches!(&shared, DeviceError::Shared { with, .. } if with.starts_with("/virtio_mmio@a00")), "{shared}");
    assert!(shared.to_string().contains("its page at 0xa003000 also has /virtio_mmio@a00"), "{shared}");
    devices.alone(&virtio, |path| path.starts_with("/virtio_mmio@a003")).unwrap();
}

#[test]
fn devices_of_the_raspberry_pi_behind_its_bus() {
    let devices = devices(PI_4);
    let uart = devices.find("/soc/serial@7e215040", |_| false).unwrap();
    assert_eq!(uart.registers, [Range::sized(0xfe21_5040, 0x40)]);
    assert_eq!(uart.interrupts, [Interrupt { physical: 125, edge: false }]);
    assert!(!uart.masters);
    let shared = devices.alone(&uart, |_| false).unwrap_err();
    assert!(shared.to_string().contains("its page at 0xfe215000 also has /soc/aux@7e215000"), "{shared}");
    devices.alone(&uart, |path| path == "/soc/aux@7e215000").unwrap();
}

#[test]
fn what_cannot_be_given_is_named() {
    let devices = devices(VIRT);
    let error = |path, taken: bool| devices.find(path, |_| taken).unwrap_err();
    assert_eq!(error("/pl061@9030001", false), DeviceError::NoNode);
    assert_eq!(error("/pl061", false), DeviceError::NoNode);
    assert_eq!(error("/", false), DeviceError::NoNode);
    assert_eq!(error("/apb-pclk", false), DeviceError::NoRegisters);
    assert_eq!(error("/cpus/cpu@0", false), DeviceError::NoRegisters);
    assert_eq!(error("/timer", false), DeviceError::NoRegisters);
    assert_eq!(error("/pcie@10000000", false), DeviceError::Bus);
    assert!(matches!(error("/pl061@9030000", true), DeviceError::Hypervisor(page) if page.start == 0x903_0000));
}

#[test]
fn what_the_hypervisor_has_is_taken() {
    let taken = |tree, address| is_taken(&Facts::from_tree(tree).unwrap(), &Range::sized(address, 0x1000));
    // UART, clock, distributor, RAM; GPIO.
    assert_eq!(
        [0x900_0000, 0x901_0000, 0x800_0000, 0x4000_0000, 0x903_0000].map(|at| taken(VIRT, at)),
        [true, true, true, true, false]
    );
    // What guests get as their CPU interface, watchdog, system timer; GPIO.
    assert_eq!(
        [0xff84_6000, 0xfe10_0000, 0xfe00_3000, 0xfe20_0000].map(|at| taken(PI_4, at)),
        [true, true, true, false]
    );
}

#[test]
fn the_documentation_lists_what_has_no_dma() {
    let text = include_str!("../../docs/devices.md");
    let (_, table) = text.split_once("| compatible | is |").unwrap();
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: Vec<&[u8]> = rows.map(|(name, _)| name.as_bytes()).collect();
    assert_eq!(listed, NO_MASTERS);
}
