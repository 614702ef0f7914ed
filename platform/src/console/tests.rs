//! The choice of the console.

use super::*;
use crate::drivers::{bcm2835_aux_uart, pl011};

const PI_4: &[u8] = include_bytes!("../../tests/data/raspberry-pi-4.dtb");
const PL011: u64 = 0xfe20_1000;
const MINI: u64 = 0xfe21_5040;

/// Pins that lead to one port, and what is not there.
#[derive(Default)]
struct Fake {
    wired: Option<u64>,
    absent: Vec<u64>,
}

impl Hardware for Fake {
    fn wired(&self, _facts: &Facts, _told: u64) -> Option<u64> {
        self.wired
    }
    fn answers(&self, port: &DrivenDevice) -> bool {
        !self.absent.contains(&port.registers.start)
    }
}

/// The tree of a Raspberry Pi 4 with these aliases, and the ports that are enabled.
fn board(stdout: &str, serial0: &str, enabled: [bool; 2]) -> (Facts, Ports) {
    let mut tree = portcullis_tree::Writer::new(4096);
    tree.begin("");
    tree.bytes("compatible", b"raspberrypi,4-model-b\0brcm,bcm2711\0");
    tree.cells("#address-cells", &[1]);
    tree.cells("#size-cells", &[1]);
    tree.cells("interrupt-parent", &[1]);
    tree.begin("aliases");
    let [mini, pl011] = ["/soc/serial@7e215040", "/soc/serial@7e201000"];
    let (first, second) = if serial0 == "mini" { (mini, pl011) } else { (pl011, mini) };
    tree.string("serial0", first);
    tree.string("serial1", second);
    tree.end();
    tree.begin("chosen");
    tree.string("stdout-path", stdout);
    tree.end();
    tree.begin("memory@0");
    tree.string("device_type", "memory");
    tree.cells("reg", &[0, 0x3b40_0000]);
    tree.end();
    tree.begin("cpus");
    tree.cells("#address-cells", &[1]);
    tree.cells("#size-cells", &[0]);
    tree.begin("cpu@0");
    tree.string("device_type", "cpu");
    tree.cells("reg", &[0]);
    tree.end();
    tree.end();
    tree.begin("soc");
    tree.cells("#address-cells", &[1]);
    tree.cells("#size-cells", &[1]);
    tree.cells("ranges", &[0x7e00_0000, 0xfe00_0000, 0x180_0000]);
    for (name, compatible, reg, interrupt, enabled) in [
        ("serial@7e201000", "arm,pl011", [0x7e20_1000, 0x200], 121, enabled[0]),
        ("serial@7e215040", "brcm,bcm2835-aux-uart", [0x7e21_5040, 0x40], 93, enabled[1]),
    ] {
        tree.begin(name);
        tree.string("compatible", compatible);
        tree.cells("reg", &reg);
        tree.cells("interrupts", &[0, interrupt, 4]);
        tree.string("status", if enabled { "okay" } else { "disabled" });
        tree.end();
    }
    tree.end();
    tree.begin("interrupt-controller@ff841000");
    tree.string("compatible", "arm,gic-400");
    tree.cells("#interrupt-cells", &[3]);
    tree.cells("phandle", &[1]);
    tree.cells("reg", &[0xff84_1000, 0x1000, 0xff84_2000, 0x2000, 0xff84_4000, 0x2000, 0xff84_6000, 0x2000]);
    tree.cells("interrupts", &[1, 9, 0xf04]);
    tree.end();
    tree.begin("timer");
    tree.string("compatible", "arm,armv8-timer");
    tree.cells("interrupts", &[1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]);
    tree.end();
    tree.end();
    read(&tree.finish())
}

fn read(tree: &[u8]) -> (Facts, Ports) {
    let mut ports = Ports::default();
    let facts = Facts::read(tree, |_| (), |port| assert!(ports.push(Some(port)))).unwrap();
    (facts, ports)
}

/// Where the console is, and its interrupt.
fn console(facts: &Facts) -> Option<(u64, Option<u32>)> {
    facts.uart.map(|uart| (uart.registers.start, uart.intid))
}

/// Raspberry Pi's own tree as its firmware hands it over, with each overlay that moves a port, and what GPFSEL1 says then (the
/// overlays' README: `disable-bt` and `miniuart-bt` put the PL011 on GPIO 14 and 15; else the mini UART is there). A tree of before
/// 2021 names the port that is Bluetooth's.
#[test]
fn the_pins_decide_between_the_ports_of_a_raspberry_pi_4() {
    for (what, stdout, serial0, enabled, pins, expected) in [
        ("no overlay", "serial0:115200n8", "mini", [true, true], MINI, (MINI, Some(125))),
        ("no overlay, a tree of before 2021", "serial1:115200n8", "mini", [true, true], MINI, (MINI, Some(125))),
        ("disable-bt", "serial0:115200n8", "pl011", [true, false], PL011, (PL011, Some(153))),
        ("disable-bt, aliases as they were", "serial0:115200n8", "mini", [true, false], PL011, (PL011, Some(153))),
        ("miniuart-bt", "serial0:115200n8", "pl011", [true, true], PL011, (PL011, Some(153))),
        ("miniuart-bt, aliases as they were", "serial0:115200n8", "mini", [true, true], PL011, (PL011, Some(153))),
        ("Debian's tree", "serial1:115200n8", "pl011", [true, true], MINI, (MINI, Some(125))),
    ] {
        let (mut facts, ports) = board(stdout, serial0, enabled);
        let hardware = Fake { wired: Some(pins), ..Fake::default() };
        assert_eq!(choose(&mut facts, &ports, None, &hardware), Ok(()), "{what}");
        assert_eq!(console(&facts), Some(expected), "{what}");
    }
}

#[test]
fn pins_that_say_nothing_or_lead_to_a_port_that_is_disabled_change_nothing() {
    for wired in [None, Some(MINI), Some(0xfe20_1400)] {
        let (mut facts, ports) = board("serial0", "pl011", [true, false]);
        let before = facts.clone();
        assert_eq!(choose(&mut facts, &ports, None, &Fake { wired, ..Fake::default() }), Ok(()));
        assert_eq!(facts, before, "{wired:x?}");
    }
}

#[test]
fn a_port_that_is_not_there_gives_way_and_is_named() {
    let (mut facts, ports) = board("serial0", "pl011", [true, true]);
    let error = choose(&mut facts, &ports, None, &Fake { absent: vec![PL011], ..Fake::default() });
    assert_eq!(error, Err(BoardError::Absent("a PL011", PL011)));
    assert_eq!(console(&facts), Some((MINI, Some(125))));
    // None is there: nobody is written to.
    let (mut facts, ports) = board("serial0", "pl011", [true, true]);
    assert!(choose(&mut facts, &ports, None, &Fake { absent: vec![PL011, MINI], ..Fake::default() }).is_err());
    assert_eq!(console(&facts), None);
}

#[test]
fn what_is_wanted_counts_more_than_the_tree() {
    let hardware = Fake { wired: Some(PL011), absent: vec![PL011, MINI] };
    let (mut facts, ports) = read(PI_4);
    let mini = DrivenDevice::at(&bcm2835_aux_uart::DRIVER, MINI, 0x40);
    assert_eq!(choose(&mut facts, &ports, Some(mini), &hardware), Ok(()));
    assert_eq!(console(&facts), Some((MINI, Some(125))), "its interrupt is the tree's to say");
    let elsewhere = DrivenDevice::at(&pl011::DRIVER, 0x900_0000, 0x1000);
    assert_eq!(choose(&mut facts, &ports, Some(elsewhere), &hardware), Ok(()));
    assert_eq!(console(&facts), Some((0x900_0000, None)));
}

#[test]
fn each_word_port_has_a_register_to_look_at() {
    let mut port = DrivenDevice::at(&pl011::DRIVER, 0x900_0000, 0x1000);
    assert_eq!(status_register(&port), Some(0x900_0018));
    port.driver = &crate::drivers::ns16550::PLAIN;
    assert_eq!(status_register(&port), None, "bytes");
    port.layout = crate::driver::Layout { shift: Some(2), width: Some(4) };
    assert_eq!(status_register(&port), Some(0x900_0014));
    port.driver = &crate::drivers::pl031::DRIVER;
    assert_eq!(status_register(&port), None, "no serial port");
}
