//! Devices that are looked up by path in real boards' device trees.

use portcullis_core::flat_tree::Tree;
use portcullis_core::image::Region;
use portcullis_core::passthrough::Interrupt;
use portcullis_platform::facts::device::{DeviceError, Devices};

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
    assert_eq!(gpio.registers, [Region { address: 0x903_0000, size: 0x1000 }]);
    assert_eq!(gpio.interrupts, [Interrupt { physical: 39, edge: false }]);
    assert_eq!((gpio.clock, gpio.masters), (Some(24_000_000), false));
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
    assert_eq!(uart.registers, [Region { address: 0xfe21_5040, size: 0x40 }]);
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
    assert!(matches!(error("/pl061@9030000", true), DeviceError::Hypervisor(page) if page.start == 0x903_0000));
}
