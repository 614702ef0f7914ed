//! The peers' guest-side cases: what their selftests call, by both conduits, with the answers they expect.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

use portcullis_gate::{
    Action, Call, Conduit, Conduits, Filter, RangeRequest, Register, Return, Row, Rule, Support, Verdict, decide,
};

const MINUS_ONE: u64 = u64::MAX;
const BOTH: [Conduit; 2] = [Conduit::Hvc, Conduit::Smc];

/// The eleven calls of the hypercalls selftest: identifier and first argument.
const CALLS: [(u64, u64); 11] = [
    (0x8400_0050, 0),
    (0x8400_0051, 0xc400_0053),
    (0x8400_0052, 0),
    (0x8400_0053, 0),
    (0xc400_0053, 0),
    (0x8000_0001, 0xc500_0020),
    (0xc500_0020, 0xc500_0021),
    (0xc500_0021, 0),
    (0x8600_0000, 0x8600_0001),
    (0x8600_ff01, 0),
    (0x8600_0001, 0),
];

fn created() -> Row {
    let row = Row::new();
    row.create(&Support::FULL, Conduits::BOTH);
    row
}

/// x0 of a call that needs no service; `None` if a service has the answer.
fn x0(row: &Row, filter: &Filter, conduit: Conduit, (id, x1): (u64, u64)) -> Option<u64> {
    match decide(row.profile(), Some(filter), &Call::new(conduit, [id, x1, 0, 0])) {
        Verdict::Answer(Return([x0, ..])) => Some(x0),
        Verdict::Deny => Some(Return::NOT_SUPPORTED.0[0]),
        Verdict::Serve(_) => None,
        Verdict::Forward => panic!("nothing is forwarded here"),
    }
}

#[test]
fn h7_with_all_bitmaps_clear_every_call_is_minus_one() {
    let row = created();
    row.clear_all().unwrap();
    row.freeze(None);
    for conduit in BOTH {
        for call in CALLS {
            assert_eq!(x0(&row, &Filter::new(), conduit, call), Some(MINUS_ONE), "{call:x?} by {conduit:?}");
        }
        // PSCI and the version are no bitmap's business.
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8400_0000, 0)), Some(0x1_0003));
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8000_0000, 0)), Some(0x1_0001));
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8400_000a, 0x8000_0000)), Some(0));
    }
}

#[test]
fn h8_with_the_defaults_no_call_is_minus_one() {
    let row = created();
    row.freeze(None);
    for conduit in BOTH {
        for call in CALLS {
            assert_ne!(x0(&row, &Filter::new(), conduit, call), Some(MINUS_ONE), "{call:x?} by {conduit:?}");
        }
    }
}

#[test]
fn h9_discovery_calls_know_their_own_functions_only() {
    let row = created();
    for conduit in BOTH {
        for call in [(0x8400_0051, 0x8600_0001), (0x8000_0001, 0xc400_0053), (0xc500_0020, 0xc400_0053)] {
            assert_eq!(x0(&row, &Filter::new(), conduit, call), Some(MINUS_ONE), "{call:x?} by {conduit:?}");
        }
    }
}

#[test]
fn mixed_vendor_bits_are_independent() {
    let row = created();
    row.set(Register::VendorHyp, 0b10, &Support::FULL).unwrap();
    for conduit in BOTH {
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8600_ff01, 0)), Some(MINUS_ONE));
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8600_0000, 0)), Some(MINUS_ONE));
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8600_0001, 0)), None, "PTP is served");
    }
    row.set(Register::VendorHyp, 0b01, &Support::FULL).unwrap();
    for conduit in BOTH {
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8600_ff01, 0)), Some(0xb66f_b428));
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8600_0000, 0)), Some(0b01));
        assert_eq!(x0(&row, &Filter::new(), conduit, (0x8600_0001, 0)), Some(MINUS_ONE));
    }
}

fn one(base: u32, action: Action) -> RangeRequest {
    RangeRequest { base, count: 1, action: action as u8, ..RangeRequest::default() }
}

#[test]
fn f8_a_denied_function_is_minus_one_by_both_conduits() {
    for conduit in BOTH {
        let (row, mut filter) = (created(), Filter::new());
        filter.insert(&one(0x8400_0000, Action::Deny), row.profile(), false).unwrap();
        assert!(row.freeze(Some(&filter)).is_filtered());
        assert_eq!(x0(&row, &filter, conduit, (0x8400_0000, 0)), Some(MINUS_ONE));
        // The others are as before, but discovery knows.
        assert_eq!(x0(&row, &filter, conduit, (0x8400_000a, 0x8400_0000)), Some(MINUS_ONE));
        assert_eq!(x0(&row, &filter, conduit, (0x8400_000a, 0x8400_0008)), Some(0));
    }
}

#[test]
fn f9_forward_stands_before_the_bits_and_is_refused_without_an_el3() {
    let row = created();
    row.clear_all().unwrap();
    let mut filter = Filter::new();
    assert!(filter.insert(&one(0x8400_0000, Action::Forward), row.profile(), false).is_err());
    assert!(filter.insert(&one(0x8400_0000, Action::Forward), row.profile(), true).is_err(), "never PSCI");
    filter.insert(&one(0x8400_0052, Action::Forward), row.profile(), true).unwrap();
    row.freeze(Some(&filter));
    for conduit in BOTH {
        let verdict = decide(row.profile(), Some(&filter), &Call::new(conduit, [0x8400_0052, 0, 0, 0]));
        assert_eq!(verdict, Verdict::Forward);
        assert_eq!(x0(&row, &filter, conduit, (0x8400_0050, 0)), Some(MINUS_ONE));
    }
}

#[test]
fn nothing_malformed_is_forwarded() {
    let (row, mut filter) = (created(), Filter::new());
    for base in [0x8200_0000, 0xc200_0000] {
        let range = RangeRequest { base, count: 0x100_0000, action: Action::Forward as u8, ..RangeRequest::default() };
        filter.insert(&range, row.profile(), true).unwrap();
    }
    let run = |call: Call| decide(row.profile(), Some(&filter), &call);
    for conduit in BOTH {
        let call = |id: u64| Call::new(conduit, [id, 0, 0, 0]);
        for id in [0x8200_0000, 0x8200_ffff, 0xc200_1234] {
            assert_eq!(run(call(id)), Verdict::Forward, "{id:#x}");
            assert_eq!(run(call(id & !0x8000_0000)), Verdict::Deny, "{id:#x} as a yielding call");
            for bit in 16..24 {
                assert_eq!(run(call(id | 1 << bit)), Verdict::Deny, "{id:#x} with bit {bit}");
            }
            assert_eq!(run(Call { immediate: 1, ..call(id) }), Verdict::Deny);
            let expected = if id & 0x4000_0000 == 0 { Verdict::Forward } else { Verdict::Deny };
            assert_eq!(run(Call { aarch32: true, ..call(id) }), expected, "{id:#x} from AArch32");
        }
    }
}

#[test]
fn handle_does_not_set_a_cleared_bit_again() {
    let (row, mut filter) = (created(), Filter::new());
    row.set_rule(Rule::Keep).unwrap();
    row.set(Register::Std, 0, &Support::FULL).unwrap();
    filter.insert(&one(0x8400_0050, Action::Handle), row.profile(), false).unwrap();
    for conduit in BOTH {
        assert_eq!(x0(&row, &filter, conduit, (0x8400_0050, 0)), Some(MINUS_ONE));
    }
}

#[test]
fn a_filtered_ptp_is_not_in_the_feature_word() {
    let (row, mut filter) = (created(), Filter::new());
    row.set_rule(Rule::Keep).unwrap();
    row.set(Register::VendorHyp2, 0x3, &Support::FULL).unwrap();
    let words = |filter: &Filter| decide(row.profile(), Some(filter), &Call::new(Conduit::Hvc, [0x8600_0000, 0, 0, 0]));
    assert_eq!(words(&filter), Verdict::Answer(Return([0x3, 0, 0x3, 0])));
    filter.insert(&one(0x8600_0001, Action::Deny), row.profile(), false).unwrap();
    filter.insert(&one(0xc600_0040, Action::Deny), row.profile(), false).unwrap();
    assert_eq!(words(&filter), Verdict::Answer(Return([0x1, 0, 0x2, 0])));
    assert_eq!(row.get(Register::VendorHyp), 0x3, "the filter does not alter the register");
}

#[test]
fn s3_pv_time_is_discovered_in_three_ways() {
    let row = created();
    for conduit in BOTH {
        for call in [(0x8000_0001, 0xc500_0020), (0xc500_0020, 0xc500_0020), (0xc500_0020, 0xc500_0021)] {
            assert_eq!(x0(&row, &Filter::new(), conduit, call), Some(0), "{call:x?} by {conduit:?}");
        }
    }
}

#[test]
fn a_refusal_is_minus_one_over_64_bits_and_three_zeros() {
    assert_eq!(Return::NOT_SUPPORTED.0, [0xffff_ffff_ffff_ffff, 0, 0, 0]);
    assert_eq!(Return::code(-2).0, [0xffff_ffff_ffff_fffe, 0, 0, 0]);
    assert_eq!(Return::words([0xb66f_b428, 0xe911_c52e, 1, 0x8000_0000]).0, [0xb66f_b428, 0xe911_c52e, 1, 0x8000_0000]);
}
