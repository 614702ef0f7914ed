//! The management calls, which only the control VM has, and what each function requires.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

#[allow(dead_code, reason = "this test reads the oracle's table, not its answers")]
mod oracle;

use portcullis_abi::manage;
use portcullis_gate::{
    Call, Conduit, Conduits, Filter, FunctionId, Profile, RangeRequest, Register, Row, Service, Support, Verdict,
    decide, requirement,
};

fn call(id: u32) -> Call {
    Call::new(Conduit::Smc, [id.into(), 0, 0, 0])
}

#[test]
fn the_control_vm_has_them_all_and_others_none() {
    let (control, other) = (Row::new(), Row::new());
    control.create_control(&Support::FULL, Conduits::BOTH);
    other.create(&Support::FULL, Conduits::BOTH);
    for id in manage::BASE..manage::BASE + manage::COUNT {
        assert_eq!(decide(control.profile(), None, &call(id)), Verdict::Serve(Service::Management(id)));
        assert_eq!(decide(other.profile(), None, &call(id)), Verdict::Deny);
    }
    for id in [manage::BASE - 1, manage::BASE + manage::COUNT, manage::BASE & !(1 << 30), manage::BASE & !(1 << 31)] {
        assert_eq!(decide(control.profile(), None, &call(id)), Verdict::Deny, "{id:#x}");
    }
}

#[test]
fn no_write_of_a_register_makes_a_vm_the_control_vm_or_ends_it() {
    for control in [false, true] {
        let row = Row::new();
        if control {
            row.create_control(&Support::FULL, Conduits::BOTH);
        } else {
            row.create(&Support::FULL, Conduits::BOTH);
        }
        for register in Register::ALL {
            row.set(register, Support::FULL.limit(register), &Support::FULL).unwrap();
            assert_eq!(row.profile().is_control(), control);
        }
        row.clear_all().unwrap();
        row.freeze(None);
        assert_eq!(row.profile().is_control(), control);
    }
}

#[test]
fn a_filter_stands_before_the_management_calls_too() {
    let mut filter = Filter::new();
    let request = RangeRequest { base: manage::STOP, count: 1, action: 1, reserved: [0; 15] };
    filter.insert(&request, Profile(0), false).unwrap();
    let profile = Profile::created(&Support::FULL, Conduits::BOTH).with_control();
    assert_eq!(decide(profile, Some(&filter), &call(manage::STOP)), Verdict::Deny);
    assert_eq!(
        decide(profile, Some(&filter), &call(manage::START)),
        Verdict::Serve(Service::Management(manage::START))
    );
}

/// With what a function requires it is offered, with anything less it is not.
#[test]
fn a_requirement_is_enough_and_no_more() {
    let conduits = Profile::created(&Support { psci: 0, ..Support::NONE }, Conduits::BOTH);
    let offered = |word: u64, id| decide(Profile(conduits.0 | word), None, &call(id)) != Verdict::Deny;
    for entry in oracle::TABLE.iter().filter(|entry| entry.gate != oracle::Gate::Never) {
        let needed = requirement(FunctionId(entry.id)).unwrap();
        assert!(offered(needed.0, entry.id), "{}", entry.name);
        if needed.may_suspend() {
            let without = Profile(0).with(Register::PsciVersion, needed.register(Register::PsciVersion));
            assert!(!offered(without.0, entry.id), "{}", entry.name);
        }
        let psci = needed.register(Register::PsciVersion);
        if psci > 2 {
            let less = needed.with(Register::PsciVersion, if psci > 0x1_0000 { 0x1_0000 } else { 2 });
            assert!(!offered(less.0, entry.id), "{}", entry.name);
        } else if psci == 0 {
            for bit in (0..64).filter(|bit| needed.0 >> bit & 1 != 0) {
                assert!(!offered(needed.0 & !(1 << bit), entry.id), "{}", entry.name);
            }
        }
    }
    assert_eq!(requirement(FunctionId(0xc600_0000)), None);
    assert_eq!(requirement(FunctionId(0x8401_0050)), None);
}

#[test]
fn everything_is_everything() {
    let profile = Profile::everything(&Support::FULL, Conduits::HVC);
    assert!(profile.is_frozen() && !profile.is_control() && !profile.may_suspend());
    for register in Register::ALL {
        assert_eq!(profile.register(register), Support::FULL.limit(register), "{register}");
    }
    assert_eq!(profile.conduits(), Conduits::HVC);
}
