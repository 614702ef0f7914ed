//! How VMs are made, and what they are refused.

use portcullis_board::{Range, Regions};
use portcullis_bundle::{FirmwareConfig, Settings, VmConfig};
use portcullis_gate::{Register, Row, Support};

use crate::life::create::{CreateError, Stock, check_clock, create, set_filter};
use crate::links::Links;
use crate::tests::rig::{MEMORY, SETTINGS, vm};
use crate::vm::Vm;

/// What the board can serve: no time, so no PTP, and no PV time.
const SUPPORT: Support = Support { std_hyp: 0, vendor_hyp: 1, ..Support::FULL };

fn stock() -> Stock<'static> {
    let mut free = Regions::new();
    // Nothing is put there: a VM that is only made touches none of its RAM.
    free.add(Range::sized(1 << 32, 2 * MEMORY)).unwrap();
    Stock {
        support: &SUPPORT,
        interface: Some(Range::sized(0x800_0000, 0x2000)),
        assignments: Default::default(),
        wires: Vec::new(),
        shared: Vec::new(),
        free,
        links: Links::new(Default::default()),
    }
}

fn row() -> &'static Row {
    Box::leak(Box::new(Row::new()))
}

/// A VM of this kind, with its vCPUs, that is the only one of its machine.
pub(super) fn alone(config: VmConfig<'static>) -> &'static Vm {
    let vm: &'static Vm = Box::leak(Box::new(make(config, &mut stock())));
    vm.add_vcpus();
    vm
}

fn make(config: VmConfig<'static>, stock: &mut Stock<'_>) -> Vm {
    create(0, config, row(), false, stock).unwrap()
}

/// What a manifest may say of firmware registers.
fn firmware() -> FirmwareConfig<'static> {
    FirmwareConfig::default()
}

#[test]
fn a_vm_gets_its_ram_until_there_is_none() {
    let mut stock = stock();
    let first = make(vm("a", &[0]), &mut stock);
    let second = make(vm("b", &[0]), &mut stock);
    assert_eq!((first.memory.size(), second.memory.size()), (MEMORY, MEMORY));
    assert!(!first.memory.overlaps(&second.memory));
    let none = create(2, vm("c", &[0]), row(), false, &mut stock).err();
    let expected = CreateError::NoMemory { vm: "c", wanted: MEMORY, free: 0 };
    assert_eq!(none, Some(expected));
    assert_eq!(expected.to_string(), "c wants 2 MiB of memory in one piece; 0 MiB are free in all");
}

#[test]
fn registers_are_what_the_manifest_says() {
    let mut stock = stock();
    let by_default = make(vm("a", &[0]), &mut stock);
    assert_eq!(by_default.row.get(Register::Std), SUPPORT.std);
    let wanted = FirmwareConfig {
        // std-hyp, vendor-hyp, psci, smccc.
        registers: [None, None, Some(1), None, Some(0x1_0000), Some(0x1_0002)],
        ..firmware()
    };
    let named = make(VmConfig { firmware: Some(wanted), ..vm("b", &[0]) }, &mut stock);
    let got = [Register::Std, Register::StdHyp, Register::VendorHyp, Register::PsciVersion].map(|r| named.row.get(r));
    assert_eq!(got, [0, 0, 1, 0x1_0000], "what is not named is cleared");
    assert_eq!([by_default, named].map(|vm| vm.row.get(Register::SmcccVersion)), [0x1_0001, 0x1_0002]);
    let mut stock = self::stock();
    let kept = FirmwareConfig { keep: true, registers: [None, None, None, None, Some(2), None], ..firmware() };
    let kept = make(VmConfig { firmware: Some(kept), ..vm("c", &[0]) }, &mut stock);
    assert_eq!([Register::Std, Register::PsciVersion].map(|r| kept.row.get(r)), [SUPPORT.std, 2]);
}

#[test]
fn what_the_board_cannot_serve_of_them_is_refused() {
    const LACKS_MUCH: Support = Support { std: 0, ..SUPPORT };
    let refused = |registers, keep| {
        let asks = VmConfig { firmware: Some(FirmwareConfig { keep, registers, ..firmware() }), ..vm("a", &[0]) };
        let stock = &mut Stock { support: &LACKS_MUCH, ..stock() };
        let error = create(0, asks, row(), false, stock).err().expect("it is more than the board has");
        assert!(matches!(error, CreateError::Register { vm: "a", .. }), "{error:?}");
        error.to_string()
    };
    for keep in [false, true] {
        let cases = [
            ([Some(1), None, None, None, None, None], "a: [vm.firmware]: STD: bits 0x1 ", "no source of entropy"),
            ([None, Some(1), None, None, None, None], "a: [vm.firmware]: STD_HYP: bits 0x1 ", "ones are 0x0; leave"),
            ([None, None, Some(3), None, None, None], "a: [vm.firmware]: VENDOR_HYP: bits 0x2 ", "not know the time"),
            ([None, None, Some(4), None, None, None], "a: [vm.firmware]: VENDOR_HYP: bits 0x4 ", "ones are 0x1; leave"),
            (
                [None, None, None, Some(4), None, None],
                "a: [vm.firmware]: VENDOR_HYP_2: bits 0x4 ",
                "ones are 0x3; leave",
            ),
            ([None, None, None, None, Some(9), None], "a: [vm.firmware]: PSCI_VERSION: 0x9 is none of", "0x10003"),
            ([None, None, None, None, None, Some(1)], "a: [vm.firmware]: SMCCC_VERSION: 0x1 is none of", "0x10002"),
        ];
        for (registers, says, right) in cases {
            let said = refused(registers, keep);
            assert!(said.starts_with(says) && said.contains(right), "{said}");
        }
    }
}

#[test]
fn ram_beyond_the_tables_is_refused() {
    let mut stock = stock();
    let far = Range::sized(1 << 39, MEMORY);
    stock.free = Regions::new();
    stock.free.add(far).unwrap();
    // Its RAM is at its physical address, which stage 2 cannot name.
    let refused = create(
        0,
        VmConfig { settings: Settings { trust_dma: true, ..SETTINGS }, ..vm("a", &[0]) },
        row(),
        false,
        &mut stock,
    )
    .err();
    assert_eq!(refused, Some(CreateError::Unmappable(far)));
    assert!(refused.unwrap().to_string().contains("addresses up to 512 GiB can"));
}

#[test]
fn a_clock_needs_a_time() {
    let asks = VmConfig { settings: Settings { rtc: Some(true), autostart: false, ..SETTINGS }, ..vm("a", &[0]) };
    let asks = make(asks, &mut stock());
    let late =
        make(VmConfig { settings: Settings { autostart: true, ..asks.config.settings }, ..asks.config }, &mut stock());
    assert_eq!(check_clock(&make(vm("b", &[0]), &mut stock()), false, false), Ok(()), "it asks for none");
    assert_eq!(check_clock(&asks, true, false), Ok(()));
    assert_eq!(check_clock(&asks, false, true), Ok(()), "the control VM can set it before");
    assert_eq!(check_clock(&asks, false, false), Err(CreateError::NoTime("a")));
    assert_eq!(check_clock(&late, false, true), Err(CreateError::NoTime("a")));
    assert!(CreateError::NoTime("a").to_string().contains("leave rtc out"));
    assert!(CreateError::NoClock("a").to_string().contains("leave one out"));
}

#[test]
fn a_vm_without_ranges_has_no_filter() {
    let vm = make(VmConfig { firmware: Some(firmware()), ..vm("a", &[0]) }, &mut stock());
    assert_eq!(set_filter(&vm, false), Ok(()));
    assert_eq!(vm.manager_lock().unwrap().filter().ranges().len(), 0);
}
