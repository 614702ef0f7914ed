//! Numbers of a device tree that are used, and what becomes of those that cannot be.

use portcullis_board::Range;
use portcullis_platform::driver::Layout;
use portcullis_platform::facts::{Facts, FactsError, Gic, LeftOut, TimerError};
use portcullis_tree::Writer;

/// A board with a GICv3.
struct Board {
    cores: u32,
    memory: u64,
    reserved: u64,
    regions: Vec<u64>,
    stride: Option<u64>,
    /// PPIs of the secure, physical, virtual and hypervisor timer.
    timers: [u32; 4],
    /// Bytes from one range of RAM to the next.
    memory_step: u64,
    /// Shift and width of a serial port's registers.
    serial: Option<(u32, u32)>,
    /// `compatible` of a device that is disabled.
    disabled: Option<&'static str>,
}

impl Board {
    const fn new() -> Self {
        Self {
            cores: 1,
            memory: 1,
            reserved: 0,
            regions: Vec::new(),
            stride: None,
            timers: [13, 14, 11, 10],
            memory_step: 0x1000_0000,
            serial: None,
            disabled: None,
        }
    }

    fn facts(&self) -> Result<Facts, FactsError> {
        let mut tree = Writer::new(4096);
        tree.begin("");
        tree.cells("#address-cells", &[2]);
        tree.cells("#size-cells", &[2]);
        tree.cells("interrupt-parent", &[1]);
        for number in 0..self.memory {
            let start = 0x4000_0000 + number * self.memory_step;
            tree.begin(&format!("memory@{start:x}"));
            tree.string("device_type", "memory");
            tree.numbers("reg", &[start, 0x800_0000]);
            tree.end();
        }
        tree.begin("reserved-memory");
        tree.cells("#address-cells", &[2]);
        tree.cells("#size-cells", &[2]);
        tree.bytes("ranges", &[]);
        for number in 0..self.reserved {
            let start = 0x4000_0000 + number * 0x1_0000;
            tree.begin(&format!("kept@{start:x}"));
            tree.numbers("reg", &[start, 0x1000]);
            tree.end();
        }
        tree.end();
        tree.begin("cpus");
        tree.cells("#address-cells", &[1]);
        tree.cells("#size-cells", &[0]);
        for number in 0..self.cores {
            tree.begin(&format!("cpu@{number:x}"));
            tree.string("device_type", "cpu");
            tree.cells("reg", &[number]);
            tree.end();
        }
        tree.end();
        tree.begin("intc@8000000");
        tree.string("compatible", "arm,gic-v3");
        tree.cells("#interrupt-cells", &[3]);
        tree.cells("phandle", &[1]);
        tree.cells("interrupts", &[1, 9, 4]);
        let mut reg = vec![0x800_0000, 0x1_0000];
        reg.extend(self.regions.iter().flat_map(|start| [*start, 0x4_0000]));
        tree.numbers("reg", &reg);
        tree.cells("#redistributor-regions", &[self.regions.len() as u32]);
        if let Some(stride) = self.stride {
            tree.numbers("redistributor-stride", &[stride]);
        }
        tree.end();
        if let Some(compatible) = self.disabled {
            tree.begin("device@a000000");
            tree.string("compatible", compatible);
            tree.numbers("reg", &[0xa00_0000, 0x1000]);
            tree.string("status", "disabled");
            tree.end();
        }
        if let Some((shift, width)) = self.serial {
            tree.begin("serial@9000000");
            tree.string("compatible", "snps,dw-apb-uart");
            tree.numbers("reg", &[0x900_0000, 0x100]);
            tree.cells("interrupts", &[0, 4, 1]);
            tree.cells("reg-shift", &[shift]);
            tree.cells("reg-io-width", &[width]);
            tree.end();
        }
        tree.begin("timer");
        tree.string("compatible", "arm,armv8-timer");
        tree.cells("interrupts", &self.timers.map(|ppi| [1, ppi, 4]).concat());
        tree.end();
        tree.end();
        Facts::from_tree(&tree.finish())
    }
}

fn board() -> Board {
    Board { regions: vec![0x80a_0000], ..Board::new() }
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    assert_eq!(board().facts().unwrap().left_out, LeftOut::default());
    let facts = Board { cores: 19, memory: 18, ..board() }.facts().unwrap();
    assert_eq!(facts.left_out, LeftOut { memory: 2, cores: 3, serial: None });
    assert_eq!((facts.cores.len(), facts.memory.len()), (16, 16));
    let told = facts.left_out.to_string();
    assert!(told.contains("2 ranges of RAM and 3 cores are not used"), "{told}");
}

#[test]
fn ranges_of_ram_that_adjoin_are_one() {
    let facts = Board { memory: 40, memory_step: 0x800_0000, ..board() }.facts().unwrap();
    assert_eq!(*facts.memory, [Range::sized(0x4000_0000, 40 * 0x800_0000)]);
    assert_eq!(facts.left_out, LeftOut::default());
    // QEMU lists its nodes backwards; ranges that overlap are one, too.
    let overlapping = Board { memory: 3, memory_step: 0x400_0000, ..board() }.facts().unwrap();
    assert_eq!(*overlapping.memory, [Range::sized(0x4000_0000, 0x1000_0000)]);
}

#[test]
fn a_serial_port_has_registers_that_exist_or_is_left_out_with_a_line() {
    let uart = Board { serial: Some((2, 4)), ..board() }.facts().unwrap().uart.unwrap();
    assert_eq!((uart.layout, uart.intid, uart.edge), (Layout { shift: Some(2), width: Some(4) }, Some(36), true));
    for wrong in [(2, 3), (2, 0), (2, 8), (1, 4), (u32::MAX, u32::MAX)] {
        let facts = Board { serial: Some(wrong), ..board() }.facts().unwrap();
        assert_eq!((facts.uart, facts.left_out.serial.is_some()), (None, true), "{wrong:?}");
        let told = facts.left_out.to_string();
        let expected = format!("the serial port at 0x9000000 is not used: its registers have reg-shift {}", wrong.0);
        assert!(told.starts_with(&expected) && !told.contains("ranges of RAM"), "{told}");
    }
}

#[test]
fn of_what_is_disabled_only_a_clock_to_read_is_used() {
    let devices = |compatible| Board { disabled: Some(compatible), ..board() }.facts().unwrap();
    let timer = devices("brcm,bcm2835-system-timer");
    assert_eq!(timer.devices().map(|device| device.registers.start).collect::<Vec<_>>(), [0xa00_0000]);
    for other in ["arm,pl011", "arm,pl031", "brcm,bcm2835-pm-wdt", "brcm,bcm2711-rng200"] {
        let facts = devices(other);
        assert_eq!((facts.uart, facts.devices().count()), (None, 0), "{other}");
    }
}

#[test]
fn as_many_reserved_ranges_as_boards_have_are_kept_and_none_is_left_out() {
    assert_eq!(Board { reserved: 64, ..board() }.facts().unwrap().reserved.len(), 64);
    assert!(matches!(Board { reserved: 65, ..board() }.facts(), Err(FactsError::TooMany { limit: 64, .. })));
}

#[test]
fn regions_and_distance_of_redistributors_are_the_trees() {
    let regions = vec![0x80a_0000, 0x1000_0000];
    let facts = Board { regions, stride: Some(0x4_0000), ..Board::new() }.facts().unwrap();
    let Gic::V3 { redistributors, stride, .. } = facts.gic else { panic!("{:?}", facts.gic) };
    let expected = [0x80a_0000, 0x1000_0000].map(|start| Range::sized(start, 0x4_0000));
    assert_eq!((&*redistributors, stride), (&expected[..], Some(0x4_0000)));
    for wrong in [0, 1, 0x1_0000, 0x2_8000, u64::MAX] {
        let error = Board { stride: Some(wrong), ..board() }.facts().unwrap_err();
        assert!(matches!(error, FactsError::Property { property: "redistributor-stride", .. }), "{wrong:#x}: {error}");
    }
    for count in [0, 5] {
        let regions = (0..count).map(|number| 0x1000_0000 + number * 0x100_0000).collect();
        assert!(Board { regions, ..Board::new() }.facts().is_err(), "{count} regions");
    }
}

/// Each of the numbers in turn: nothing else is used silently in its place.
#[test]
fn a_timer_with_another_interrupt_is_refused() {
    assert_eq!(board().facts().unwrap().timer.check(62_500_000), Ok(()));
    for (index, told) in [(1, 16 + 5), (2, 16 + 5), (3, 16 + 5)] {
        let mut timers = Board::new().timers;
        timers[index] = 5;
        let facts = Board { timers, ..board() }.facts().unwrap();
        let error = facts.timer.check(62_500_000).unwrap_err();
        assert!(matches!(error, TimerError::Interrupt { told: wrong, .. } if wrong == told), "{error}");
    }
    // The secure one is nobody's here.
    assert_eq!(Board { timers: [5, 14, 11, 10], ..board() }.facts().unwrap().timer.check(1), Ok(()));
}
