//! What a machine lacks is named, the first thing of it.

use portcullis_abi::state::{Cpu, FilterRange, Firmware, FlashNeeds, Implementations, Needs, Unfit};
use portcullis_gate::{Conduits, Register};
use portcullis_gate::{Filter, Row, SetError, Support};
use portcullis_stream::needs::{Lack, check_cpu, check_firmware, check_flash, check_shape};

const SHAPE: Needs = Needs {
    version: 1,
    vcpus: 2,
    memory: 256 << 20,
    ram: 0x4000_0000,
    pv_time: 0x09f0_0000,
    gic: 3,
    list_registers: 3,
    frequency: 62_500_000,
    devices: Needs::UART | Needs::RTC,
    transports: 0b101,
    ports: 2,
    name: *b"linux-a\0\0\0\0\0\0\0\0\0",
};

/// A Cortex-A72 as QEMU has it, as far as guests see it.
fn a72() -> Cpu {
    let mut features = [0; 56];
    features[24] = 0x0000_0012;
    features[32] = 0x1030_5006;
    features[40] = 0x0001_1120;
    features[48] = 0x0000_1121;
    Cpu { version: 1, reserved: 0, implementation: [0x410f_d083, 0, 0], cache_type: 0x8444_c004, zeroing: 4, features }
}

#[test]
fn a_vm_fits_where_everything_is_as_it_was_or_more() {
    assert_eq!(check_shape(&SHAPE, &SHAPE), Ok(()));
    let more = Needs { list_registers: 16, devices: 0x7, transports: 0xff, name: *b"another-name-16b", ..SHAPE };
    assert_eq!(check_shape(&SHAPE, &more), Ok(()));
}

#[test]
fn the_shape_is_compared_field_by_field() {
    let other = |what, saved: u64, here: u64| Lack::Other { what, saved, here };
    type Case = (fn(&mut Needs), Lack);
    let cases: [Case; 11] = [
        (|here| here.vcpus = 3, other("vCPUs", 2, 3)),
        (|here| here.memory >>= 1, other("bytes of memory", 256 << 20, 128 << 20)),
        (|here| here.ram = 0, other("as the address of its memory", 0x4000_0000, 0)),
        (|here| here.pv_time = 0, other("as the address of its PV time structures", 0x09f0_0000, 0)),
        (|here| here.gic = 2, other("as the version of its GIC", 3, 2)),
        (|here| here.list_registers = 2, Lack::Less { what: "list registers", saved: 3, here: 2 }),
        (|here| here.frequency = 24_000_000, other("Hz of its counter", 62_500_000, 24_000_000)),
        (|here| here.devices = Needs::UART, Lack::Device("PL031")),
        (|here| here.devices = Needs::RTC, Lack::Device("PL011")),
        (|here| here.transports = 1, Lack::Transport(2)),
        (|here| here.ports = 3, other("ports of its console", 2, 3)),
    ];
    for (number, (change, lack)) in cases.into_iter().enumerate() {
        let mut here = SHAPE;
        change(&mut here);
        assert_eq!(check_shape(&SHAPE, &here), Err(lack), "case {number}");
    }
    let flash = Needs { devices: SHAPE.devices | Needs::FLASH, ..SHAPE };
    assert_eq!(check_shape(&flash, &flash), Ok(()));
    let (less, more) = (check_shape(&flash, &SHAPE).unwrap_err(), check_shape(&SHAPE, &flash).unwrap_err());
    assert_eq!((less, more), (Lack::Device("CFI flash"), Lack::NoDevice("CFI flash")));
    assert_eq!(less.to_string(), "the saved VM has a CFI flash; this one must have one too");
    assert_eq!(more.to_string(), "the saved VM has no CFI flash; this one must have none either");
    let newer = Needs { devices: 1 << 31, ..SHAPE };
    assert!(matches!(check_shape(&newer, &SHAPE), Err(Lack::Device(_))));
    assert_eq!(
        check_shape(&SHAPE, &Needs { gic: 2, ..SHAPE }).unwrap_err().to_string(),
        "the saved VM has 3 (0x3) as the version of its GIC, this one 2 (0x2): they must be the same"
    );
}

#[test]
fn flash_has_the_firmware_that_it_had() {
    const SAVED: FlashNeeds = FlashNeeds { version: 1, sum: 77, first: 2 << 20, second: 64 << 20 };
    assert_eq!(check_flash(&SAVED, Some(&SAVED)), Ok(()));
    let cases = [
        (FlashNeeds { first: 1 << 20, ..SAVED }, "2097152 (0x200000) bytes of firmware in its flash, this one 1048576"),
        (FlashNeeds { sum: 78, ..SAVED }, "77 (0x4d) as the CRC-32C of the firmware in its flash, this one 78"),
        (FlashNeeds { second: 0, ..SAVED }, "67108864 (0x4000000) bytes in the second bank of its flash, this one 0"),
    ];
    for (here, says) in cases {
        let said = check_flash(&SAVED, Some(&here)).unwrap_err().to_string();
        assert!(said.starts_with(&format!("the saved VM has {says}")), "{said}");
    }
    assert_eq!(check_flash(&SAVED, None), Err(Lack::Device("CFI flash")));
    let newer = FlashNeeds { version: 2, ..SAVED };
    assert_eq!(check_flash(&newer, Some(&SAVED)), Err(Lack::Unfit(Unfit::Version { saved: 2, known: 1 })));
}

#[test]
fn another_cpu_is_refused_unless_the_vm_was_told_of_it() {
    let (here, saved) = (Cpu { implementation: [0x414f_d0b1, 0, 0], ..a72() }, a72());
    let refused = Lack::Implementation { vcpu: 1, register: "MIDR_EL1", saved: 0x410f_d083, here: 0x414f_d0b1 };
    let mut told = Implementations { version: 1, count: 2, list: [[0; 3]; 16] };
    told.list[0] = saved.implementation;
    told.list[1] = here.implementation;
    assert_eq!(check_cpu(1, &saved, &here, None, 3), Err(refused));
    assert_eq!(check_cpu(1, &saved, &here, Some(&told), 1), Err(refused), "it could not ask for the list");
    assert_eq!(check_cpu(1, &saved, &here, Some(&told), 3), Ok(()));
    told.count = 1;
    assert_eq!(check_cpu(1, &saved, &here, Some(&told), 3), Err(refused));
    let revision = Cpu { implementation: [0x410f_d083, 0x40, 0], ..a72() };
    assert!(matches!(
        check_cpu(0, &saved, &revision, None, 0),
        Err(Lack::Implementation { register: "REVIDR_EL1", .. })
    ));
}

#[test]
fn a_feature_that_is_missing_is_named_by_register_and_field() {
    let saved = a72();
    let mut here = a72();
    here.features[40] = 0x0001_1110;
    let lack = Lack::Feature { vcpu: 0, register: "ID_AA64ISAR0_EL1", bit: 4, saved: 2, here: 1 };
    assert_eq!(check_cpu(0, &saved, &here, None, 0), Err(lack));
    assert_eq!(check_cpu(0, &here, &saved, None, 0), Ok(()), "more is as good");
}

#[test]
fn each_field_has_its_rule() {
    type Case = (usize, u64, u64, bool);
    let cases: [Case; 14] = [
        // FP: none, and there.
        (24, 0xf << 16, 0, true),
        (24, 0, 0xf << 16, false),
        (24, 1 << 16, 0, false),
        // Breakpoints are counted from below, those of contexts from above.
        (32, 5 << 12, 6 << 12, false),
        (32, 5 << 28, 5 << 28, true),
        // TGran4 and TGran64: 0 is there.
        (48, 0, 0xf << 28, false),
        (48, 0xf << 28, 0, true),
        (48, 0, 1 << 28, true),
        // TGran16 is a plain one, as is PARange.
        (48, 1 << 20, 0, false),
        (48, 2, 1, false),
        (48, 1, 2, true),
        // CCIDX.
        (50, 0, 1 << 20, false),
        (50, 1 << 20, 0, false),
        // Whatever has no rule of its own.
        (43, 1, 0, false),
    ];
    for (number, (register, saved, here, fits)) in cases.into_iter().enumerate() {
        let [saved, here] = [saved, here].map(|value| {
            let mut cpu = a72();
            cpu.features = [0; 56];
            cpu.features[register] = value;
            cpu
        });
        assert_eq!(check_cpu(0, &saved, &here, None, 0).is_ok(), fits, "case {number}");
    }
}

#[test]
fn caches_may_have_longer_lines_and_need_no_more_maintenance() {
    type Case = (u64, u64, bool);
    // CTR_EL0.
    let cases: [Case; 13] = [
        (4, 5, true),
        (4, 3, false),
        (4 << 16, 3 << 16, false),
        (2 << 14, 3 << 14, true),
        (3 << 14, 2 << 14, false),
        (4 << 20, 5 << 20, false),
        (5 << 24, 4 << 24, true),
        (4 << 24, 0, false),
        (0, 4 << 24, true),
        (1 << 28, 0, false),
        (0, 1 << 28, true),
        (1 << 29, 0, false),
        (0, 1 << 29, true),
    ];
    for (number, (saved, here, fits)) in cases.into_iter().enumerate() {
        let [saved, here] = [saved, here].map(|value| Cpu { cache_type: value, ..a72() });
        assert_eq!(check_cpu(0, &saved, &here, None, 0).is_ok(), fits, "CTR_EL0 case {number}");
    }
    // DCZID_EL0.
    for (saved, here, fits) in [(4, 5, false), (4, 0x14, false), (0x14, 4, true), (4, 4, true)] {
        let [saved, here] = [saved, here].map(|value| Cpu { zeroing: value, ..a72() });
        assert_eq!(check_cpu(0, &saved, &here, None, 0).is_ok(), fits, "DCZID_EL0 {saved:?}");
    }
}

#[test]
fn a_firmware_bit_that_the_board_lacks_is_named() {
    let (row, filter) = (Row::new(), Filter::new());
    row.create(&Support::FULL, Conduits::BOTH);
    let saved = row.save(&filter);
    assert_eq!(check_firmware(&saved, &Support::FULL, false), Ok(()));
    let no_trng = Support { std: 0, ..Support::FULL };
    let lack = SetError::Unsupported { register: Register::Std, value: 1, supported: 0 };
    assert_eq!(check_firmware(&saved, &no_trng, true), Err(Lack::Register(lack)));
    let older = Support { psci: 0x1_0001, ..Support::FULL };
    let lack = check_firmware(&saved, &older, true).unwrap_err().to_string();
    assert_eq!(lack, "PSCI_VERSION: 0x10003 is none of 0x2, 0x10000, 0x10001");
}

#[test]
fn a_range_that_goes_to_el3_needs_el3() {
    let row = Row::new();
    row.create(&Support::FULL, Conduits::BOTH);
    let mut saved: Firmware = row.save(&Filter::new());
    saved.filter[0] = FilterRange { first: 0xc200_0000, count: 16, action: 2 };
    assert_eq!(check_firmware(&saved, &Support::FULL, false), Ok(()), "no range counts that is not there");
    saved.ranges = 1;
    assert_eq!(check_firmware(&saved, &Support::FULL, false), Err(Lack::Forward(0xc200_0000)));
    assert_eq!(check_firmware(&saved, &Support::FULL, true), Ok(()));
}
