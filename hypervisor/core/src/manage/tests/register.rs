//! Firmware registers: the peers' cases H1 to H6 and G1, the order of the checks, the rules for the first write.

use portcullis_abi::firmware::{self, *};
use portcullis_abi::manage::*;
use portcullis_gate::Verdict;

use super::Bench;
use super::bench::{A, B, OPS, VMS};

const BITMAPS: [u64; 4] = [STD, STD_HYP, VENDOR_HYP, VENDOR_HYP_2];

#[test]
fn g1_the_list_is_complete_and_in_order() {
    let bench = Bench::new();
    let expected = [0x1_0001, 2, 3, 2, 1, 1, 1, 0, 0x1_0001, 0];
    let limits = [0x1_0001, 2, 3, 2, 1, 1, 1, 3, 0x1_0002, 0];
    for (index, id) in firmware::ALL.into_iter().enumerate() {
        assert_eq!(bench.ok(REGISTER_LIST, [A, index as u64, 0]), [id, expected[index], limits[index]]);
        assert_eq!(bench.get(A, id), expected[index]);
    }
    bench.fails(REGISTER_LIST, [A, firmware::ALL.len() as u64, 0], NO_ITEM);
    bench.fails(REGISTER_LIST, [A, u64::MAX, 0], NO_ITEM);
    bench.fails(REGISTER_LIST, [A, 1 << 32, 0], NO_ITEM);
}

#[test]
fn h1_to_h6_defaults_writes_and_the_freeze() {
    let bench = Bench::new();
    assert_eq!(BITMAPS.map(|register| bench.get(A, register)), [1, 1, 1, 0], "H1");
    for (register, value) in [(STD, 0), (STD_HYP, 0), (VENDOR_HYP, 0), (VENDOR_HYP_2, 3), (VENDOR_HYP_2, 0)] {
        bench.ok(REGISTER_SET, [A, register, value]);
        assert_eq!(bench.get(A, register), value, "H2, H3");
    }
    for (register, value) in [(STD, 2), (STD_HYP, 2), (VENDOR_HYP, 4), (VENDOR_HYP_2, 4)] {
        bench.fails(REGISTER_SET, [A, register, value], UNSUPPORTED);
        assert_eq!(bench.get(A, register), 0, "H4");
    }
    bench.run(A);
    assert_eq!(BITMAPS.map(|register| bench.get(A, register)), [0; 4], "H5");
    for (register, all) in [(STD, 1), (STD_HYP, 1), (VENDOR_HYP, 1), (VENDOR_HYP_2, 3)] {
        bench.fails(REGISTER_SET, [A, register, all], FROZEN);
        // The same value, and a bit that is not supported: neither is EBUSY.
        bench.ok(REGISTER_SET, [A, register, 0]);
        bench.fails(REGISTER_SET, [A, register, 1 << 63], UNSUPPORTED);
    }
    bench.fails(RULE_SET, [A, RULE_KEEP, 0], FROZEN);
    bench.ok(RULE_SET, [A, RULE_CLEAR, 0]);
    bench.ok(REGISTER_CLEAR, [A, 0, 0]);
}

#[test]
fn h7_h8_what_the_guest_gets_follows_and_recreation_brings_it_back() {
    let bench = Bench::new();
    let calls = [
        0x8400_0050,
        0x8400_0051,
        0x8400_0052,
        0x8400_0053,
        0xc400_0053,
        0xc500_0020,
        0xc500_0021,
        0x8600_0000,
        0x8600_ff01,
    ];
    bench.ok(REGISTER_CLEAR, [A, 0, 0]);
    bench.run(A);
    assert!(calls.iter().all(|&call| bench.verdict(A, call) == Verdict::Deny), "H7");
    bench.ok(STOP, [A, 0, 0]);
    bench.settle(A);
    bench.ok(RECREATE, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(BITMAPS.map(|register| bench.get(A, register)), [1, 1, 1, 0]);
    bench.run(A);
    assert!(calls.iter().all(|&call| bench.verdict(A, call) != Verdict::Deny), "H8");
}

#[test]
fn the_first_failing_check_is_reported() {
    let bench = Bench::new();
    bench.run(A);
    for vm in [VMS, 1 << 32, u64::MAX, A | 1 << 63] {
        bench.fails(REGISTER_SET, [vm, 7, u64::MAX], UNKNOWN_VM);
        bench.fails(REGISTER_GET, [vm, STD, 0], UNKNOWN_VM);
    }
    for id in [
        SMCCC_VERSION + 1,
        SMCCC_VERSION | 0x1_0000,
        SMCCC_VERSION ^ 0x10 << 56,
        0,
        STD + 4,
        PSCI_VERSION + 4,
        STD | 1 << 32,
        STD ^ 1 << 60,
        STD | 1 << 28,
        u64::MAX,
    ] {
        bench.fails(REGISTER_SET, [A, id, u64::MAX], UNKNOWN_REGISTER);
        bench.fails(REGISTER_GET, [A, id, 0], UNKNOWN_REGISTER);
    }
    bench.fails(REGISTER_SET, [A, STD, 3], UNSUPPORTED);
    bench.fails(REGISTER_SET, [A, PSCI_VERSION, 0x1_0002], UNSUPPORTED);
    bench.fails(REGISTER_SET, [A, SMCCC_VERSION, 0x1_0003], UNSUPPORTED);
    bench.fails(REGISTER_SET, [A, SMCCC_VERSION, 0x1_0002], FROZEN);
    bench.ok(REGISTER_SET, [A, SMCCC_VERSION, 0x1_0001]);
    bench.fails(REGISTER_SET, [A, PSCI_VERSION, 0x2], FROZEN);
    bench.fails(REGISTER_SET, [A, WORKAROUND_1, 0], FROZEN);
    bench.ok(REGISTER_SET, [A, PSCI_VERSION, 0x1_0001]);
    bench.fails(RULE_SET, [A, 2, 0], BAD_ARGUMENT);
}

#[test]
fn the_first_write_clears_unless_it_is_told_to_keep() {
    let bench = Bench::new();
    bench.ok(REGISTER_SET, [A, STD, 1]);
    assert_eq!(BITMAPS.map(|register| bench.get(A, register)), [1, 0, 0, 0]);
    assert_eq!(bench.ok(RULE_GET, [A, 0, 0]), [RULE_CLEAR, 1, 0]);
    bench.ok(REGISTER_SET, [A, STD_HYP, 1]);
    assert_eq!(BITMAPS.map(|register| bench.get(A, register)), [1, 1, 0, 0], "only the first one clears");

    assert_eq!(bench.ok(RULE_GET, [B, 0, 0]), [RULE_CLEAR, 0, 0]);
    bench.ok(RULE_SET, [B, RULE_KEEP, 0]);
    bench.ok(REGISTER_SET, [B, STD, 0]);
    assert_eq!(BITMAPS.map(|register| bench.get(B, register)), [0, 1, 1, 0]);
    assert_eq!(bench.get(B, PSCI_VERSION), 0x1_0001);
    bench.ok(REGISTER_CLEAR, [B, 0, 0]);
    assert_eq!(BITMAPS.map(|register| bench.get(B, register)), [0; 4]);
    bench.run(B);
    assert!(bench.profile(B).is_frozen());
}

#[test]
fn a_failed_write_is_no_first_write() {
    let bench = Bench::new();
    bench.fails(REGISTER_SET, [A, STD, 2], UNSUPPORTED);
    assert_eq!(bench.ok(RULE_GET, [A, 0, 0]), [RULE_CLEAR, 0, 0]);
    assert_eq!(BITMAPS.map(|register| bench.get(A, register)), [1, 1, 1, 0]);
}

#[test]
fn to_others_the_calls_do_not_exist() {
    let bench = Bench::new();
    bench.run(A);
    for id in BASE..BASE + COUNT {
        assert_eq!(bench.call_from(A, id, [0; 3]), [u64::MAX, 0, 0, 0]);
    }
    assert!(bench.profile(OPS).is_control());
}

#[test]
fn every_other_identifier_of_the_range_is_an_unknown_call() {
    let bench = Bench::new();
    for id in (BASE..BASE + COUNT).filter(|id| portcullis_abi::manage::ALL.iter().all(|(_, known)| known != id)) {
        bench.fails(id, [0; 3], UNKNOWN_CALL);
    }
}

/// Two managers that write at once: each of their bits is there afterwards.
#[test]
fn two_managers_lose_nothing() {
    let bench = Bench::new();
    for _ in 0..500 {
        bench.ok(REGISTER_CLEAR, [B, 0, 0]);
        std::thread::scope(|scope| {
            for (register, value) in [(STD, 1), (STD_HYP, 1), (VENDOR_HYP, 1)] {
                let bench = &bench;
                scope.spawn(move || bench.ok(REGISTER_SET, [B, register, value]));
            }
        });
        assert_eq!(BITMAPS.map(|register| bench.get(B, register)), [1, 1, 1, 0]);
    }
}
