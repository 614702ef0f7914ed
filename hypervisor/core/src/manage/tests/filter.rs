//! The range filter: the peers' cases F1 to F9.

use portcullis_abi::manage::*;
use portcullis_gate::Verdict;

use super::Bench;
use super::bench::A;

fn range(base: u32, count: u32) -> u64 {
    u64::from(base) | u64::from(count) << 32
}

#[test]
fn f1_to_f7_every_refusal_has_its_status() {
    let bench = Bench::new();
    for bit in 8..64 {
        bench.fails(FILTER_ADD, [A, range(0x8400_0000, 1), FILTER_DENY | 1 << bit], RESERVED);
    }
    bench.fails(FILTER_ADD, [A, range(0xc400_0003, 0), FILTER_DENY], EMPTY);
    bench.fails(FILTER_ADD, [A, range(0, 0), FILTER_DENY], EMPTY);
    bench.fails(FILTER_ADD, [A, range(0xffff_ffff, 0xffff_ffff), FILTER_DENY], WRAPS);
    bench.fails(FILTER_ADD, [A, range(0xc400_0003, 1), 0xff], BAD_ARGUMENT);
    bench.fails(FILTER_ADD, [A, range(0xc400_0000, 1), FILTER_FORWARD], FORWARD_REFUSED);
    bench.fails(FILTER_ADD, [A, range(0xc200_0000, 1), FILTER_FORWARD], NO_FIRMWARE);
    bench.fails(FILTER_ADD, [A, range(0x8000_8000, 1), FILTER_DENY], OVERLAPS);
    bench.fails(FILTER_ADD, [A, range(0xc000_0000, 1), FILTER_DENY], OVERLAPS);
    bench.fails(FILTER_LIST, [A, 0, 0], NO_ITEM);
    bench.ok(FILTER_ADD, [A, range(0xc400_0003, 1), FILTER_DENY]);
    bench.fails(FILTER_ADD, [A, range(0xc400_0003, 1), FILTER_DENY], OVERLAPS);
    assert_eq!(bench.ok(FILTER_LIST, [A, 0, 0]), [range(0xc400_0003, 1), FILTER_DENY, 0]);
    bench.fails(FILTER_LIST, [A, 1, 0], NO_ITEM);
    bench.fails(FILTER_LIST, [A, u64::MAX, 0], NO_ITEM);
}

#[test]
fn f8_a_denied_function_is_denied_once_the_vm_runs() {
    let bench = Bench::new();
    bench.ok(FILTER_ADD, [A, range(0x8400_0000, 1), FILTER_DENY]);
    bench.run(A);
    assert_eq!(bench.verdict(A, 0x8400_0000), Verdict::Deny);
    assert_ne!(bench.verdict(A, 0x8400_000a), Verdict::Deny);
    bench.fails(FILTER_ADD, [A, range(0x8400_0001, 1), FILTER_DENY], FROZEN);
    bench.fails(FILTER_ADD, [A, range(0x8400_0000, 1), FILTER_DENY], FROZEN);
    bench.fails(FILTER_ADD, [A, range(0x8400_0001, 0), FILTER_DENY], EMPTY);
    assert_eq!(bench.ok(FILTER_LIST, [A, 0, 0])[0], range(0x8400_0000, 1));
}

#[test]
fn a_restart_keeps_it_and_a_recreation_empties_it() {
    let bench = Bench::new();
    bench.ok(FILTER_ADD, [A, range(0x8400_0050, 4), FILTER_DENY]);
    bench.run(A);
    bench.ok(RESTART, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(bench.verdict(A, 0x8400_0050), Verdict::Deny);
    bench.ok(STOP, [A, 0, 0]);
    bench.settle(A);
    bench.ok(RECREATE, [A, 0, 0]);
    bench.settle(A);
    bench.fails(FILTER_LIST, [A, 0, 0], NO_ITEM);
    bench.run(A);
    assert_ne!(bench.verdict(A, 0x8400_0050), Verdict::Deny);
}

#[test]
fn thirty_two_ranges_fit() {
    let bench = Bench::new();
    for index in (0..32).rev() {
        bench.ok(FILTER_ADD, [A, range(0x8200_0000 + 2 * index, 1), FILTER_HANDLE]);
    }
    bench.fails(FILTER_ADD, [A, range(0x8300_0000, 1), FILTER_DENY], FULL);
    for index in 0..32u32 {
        let listed = bench.ok(FILTER_LIST, [A, index.into(), 0]);
        assert_eq!(listed, [range(0x8200_0000 + 2 * index, 1), FILTER_HANDLE, 0], "in ascending order");
    }
}
