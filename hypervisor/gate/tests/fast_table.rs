//! The table that the vectors read against the gate in Rust: every function of every owner, every service combination.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

use portcullis_abi::function::{PSCI_FEATURES, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32, TRNG_RND64, TRNG_VERSION};
use portcullis_gate::KNOWN;
use portcullis_gate::fast_table::{Answers, Beyond, LINES, Resolution, asks_gate, line};
use portcullis_gate::forwards::Forwards;
use portcullis_gate::{
    Call, Conduit, Conduits, Filter, Group, Profile, RangeRequest, Ranges, Register, Return, Row, Support, Verdict,
    decide,
};

fn agrees(answers: &Answers, profile: Profile, conduit: Conduit, x0: u64, x1: u64) {
    _ = agrees_filtered(answers, profile, None, conduit, x0, x1);
}

fn agrees_filtered(
    answers: &Answers,
    profile: Profile,
    filter: Option<&Filter>,
    conduit: Conduit,
    x0: u64,
    x1: u64,
) -> Verdict {
    let forwards = Forwards::new();
    let by_table = match filter {
        Some(filter) => {
            forwards.build(filter);
            answers.resolve(x0, x1, if asks_gate(profile) { Beyond::Gate } else { Beyond::Search(&forwards) })
        }
        None => answers.resolve(x0, x1, if asks_gate(profile) { Beyond::Gate } else { Beyond::Refuse }),
    };
    let has_line = answers.resolve(x0, x1, Beyond::Refuse) == answers.resolve(x0, x1, Beyond::Gate);
    let by_gate = decide(profile, filter.map(|filter| -> &dyn Ranges { filter }), &Call::new(conduit, [x0, x1, 0, 0]));
    let same = match (by_table, by_gate) {
        (Resolution::Forward, Verdict::Forward) => true,
        // The gate decides then, so they cannot differ.
        (Resolution::Slow, _) => {
            let tells = asks_gate(profile) && x0 as u32 == PSCI_FEATURES;
            !has_line || tells || x0 as u32 == TRNG_FEATURES && filter.is_some_and(Filter::forwards)
        }
        (Resolution::Answer(a), Verdict::Answer(b)) => a == b,
        (Resolution::Deny, Verdict::Deny) => true,
        (Resolution::Serve(a), Verdict::Serve(b)) => a == b,
        _ => false,
    };
    assert!(same, "{x0:#x}({x1:#x}) {conduit:?} {profile:?}: table {by_table:?}, gate {by_gate:?}");
    by_gate
}

fn profiles() -> impl Iterator<Item = Profile> {
    (0..96u64).map(|n| {
        let row = Row::new();
        let conduits = [Conduits::BOTH, Conduits::HVC, Conduits::SMC][(n % 3) as usize];
        row.create(&Support::FULL, conduits);
        if n % 4 == 3 {
            row.permit_suspend();
        }
        row.set(Register::Std, n & 1, &Support::FULL).unwrap();
        row.set(Register::StdHyp, n >> 1 & 1, &Support::FULL).unwrap();
        row.set(Register::VendorHyp, n >> 2 & 3, &Support::FULL).unwrap();
        row.set(Register::VendorHyp2, n >> 4 & 3, &Support::FULL).unwrap();
        row.set(Register::Sip, n >> 3 & 1, &Support::FULL).unwrap();
        row.set(
            Register::PsciVersion,
            [2, 0x1_0000, 0x1_0001, 0x1_0002, 0x1_0003][(n / 7 % 5) as usize],
            &Support::FULL,
        )
        .unwrap();
        row.set(Register::SmcccVersion, 0x1_0001 + n / 11 % 2, &Support::FULL).unwrap();
        row.set(Register::Workaround1, n / 5 % 3, &Support::FULL).unwrap();
        row.freeze(None)
    })
}

fn build(answers: &Answers, profile: Profile, conduit: Conduit) {
    answers.build(profile, None, conduit, |group, outcome| group as u16 * 3 + outcome as u16);
}

/// Filters from none to full, of every action, with ranges of one function and of many.
fn filters() -> impl Iterator<Item = Filter> {
    let mut state = 7_u32;
    let mut random = move |bound: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % bound
    };
    (0..200).step_by(if cfg!(miri) { 67 } else { 1 }).map(move |round| {
        let mut filter = Filter::new();
        let trng = [TRNG_VERSION, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32, TRNG_RND64];
        for id in trng.into_iter().filter(|_| round % 3 > 0) {
            let request = RangeRequest { base: id, count: 1, action: random(3) as u8, ..RangeRequest::default() };
            filter.insert(&request, Profile(0), true).unwrap();
        }
        for _ in 0..round % 32 {
            let owner = [1, 2, 3, 7, 47, 48, 50, 63][random(8) as usize];
            let base = 0x8000_0000 | random(2) << 30 | owner << 24 | random(0x40) << random(11);
            let count = [1, 2, 0x100, 0x10_0000][random(4) as usize];
            let request = RangeRequest { base, count, action: random(3) as u8, ..RangeRequest::default() };
            // Those that overlap an earlier one are left out.
            _ = filter.insert(&request, Profile(0), true);
        }
        filter
    })
}

/// The search for a range against the gate: at the ends of every range, next to them, and malformed.
#[test]
fn filters_agree() {
    // A closed conduit has no search: `a_closed_table_knows_nothing`.
    let answers = Answers::new();
    let mut forwarded = 0;
    for (profile, filter) in profiles().chain(profiles()).chain(profiles()).zip(filters()) {
        for conduit in [Conduit::Hvc, Conduit::Smc].into_iter().filter(|&conduit| profile.conduits().contains(conduit))
        {
            answers.build(profile, Some(&filter), conduit, |group, outcome| group as u16 * 3 + outcome as u16);
            let ends = filter.ranges().iter().flat_map(|range| [range.first, range.last]);
            let near = ends.flat_map(|end| [end.wrapping_sub(1), end, end.wrapping_add(1)]);
            let forms = near.chain(KNOWN).chain([0, u32::MAX, 0xff00_ffff]);
            let ids = forms.flat_map(|id| [id, id ^ 1 << 16, id ^ 1 << 23, id ^ 1 << 30, id ^ 1 << 31]);
            for id in ids.step_by(if cfg!(miri) { 53 } else { 1 }) {
                for asked in [0, TRNG_FEATURES, TRNG_RND64, id] {
                    let (x0, x1) = (1 << 40 | u64::from(id), u64::from(asked));
                    let verdict = agrees_filtered(&answers, profile, Some(&filter), conduit, x0, x1);
                    forwarded += usize::from(verdict == Verdict::Forward);
                }
            }
        }
    }
    assert!(forwarded > if cfg!(miri) { 0 } else { 1000 }, "{forwarded}");
}

#[test]
fn known_functions_agree_for_every_profile_and_question() {
    let answers = Answers::new();
    for profile in profiles().step_by(if cfg!(miri) { 50 } else { 1 }) {
        for conduit in [Conduit::Hvc, Conduit::Smc] {
            build(&answers, profile, conduit);
            for function in KNOWN.into_iter().step_by(if cfg!(miri) { 3 } else { 1 }) {
                let asked = KNOWN.iter().chain(&[0, 1, 2, u32::MAX, 0xc400_0000, 0x8400_0013]);
                for asked in asked.step_by(if cfg!(miri) { 23 } else { 1 }) {
                    agrees(&answers, profile, conduit, u64::from(function), u64::from(*asked));
                    agrees(
                        &answers,
                        profile,
                        conduit,
                        0xdead_0000_0000_0000 | u64::from(function),
                        1 << 63 | u64::from(*asked),
                    );
                }
            }
        }
    }
}

#[test]
fn every_function_of_every_owner_agrees() {
    let answers = Answers::new();
    let profile = profiles().nth(63).unwrap();
    build(&answers, profile, Conduit::Hvc);
    for owner in 0..64u64 {
        for number in (0..0x1_0000u64).step_by(if cfg!(miri) { 0x6aaa } else { 1 }) {
            for kind in [0x8000_0000, 0xc000_0000] {
                agrees(&answers, profile, Conduit::Hvc, kind | owner << 24 | number, 0x8400_0001);
            }
        }
    }
}

#[test]
fn malformed_functions_agree() {
    let answers = Answers::new();
    for profile in profiles().step_by(if cfg!(miri) { 96 } else { 11 }) {
        build(&answers, profile, Conduit::Smc);
        for function in KNOWN {
            for bit in (0..32).step_by(if cfg!(miri) { 7 } else { 1 }) {
                agrees(&answers, profile, Conduit::Smc, u64::from(function ^ 1 << bit), 0);
            }
        }
        for function in 0..LINES as u64 {
            agrees(&answers, profile, Conduit::Smc, function, 0);
        }
    }
}

/// Who may not suspend has fast answers to all else; who may has them but for PSCI_FEATURES and what is unknown.
#[test]
fn only_a_vm_that_may_suspend_leaves_more_to_the_gate() {
    let row = Row::new();
    row.create(&Support::NONE, Conduits::BOTH);
    assert!(!asks_gate(row.profile()));
    row.permit_suspend();
    assert!(asks_gate(row.profile()));
    row.set(Register::PsciVersion, 2, &Support::NONE).unwrap();
    assert!(!asks_gate(row.profile()), "PSCI 0.2 has no such function");
    row.create(&Support::NONE, Conduits::BOTH);
    assert!(!asks_gate(row.profile()), "a permission is given anew");
}

#[test]
fn a_closed_table_knows_nothing() {
    let answers = Answers::new();
    answers.close();
    for function in KNOWN.into_iter().chain(0..if cfg!(miri) { 50 } else { 1000 }) {
        assert_eq!(answers.resolve(u64::from(function), 0, Beyond::Refuse), Resolution::Deny);
        assert_eq!(answers.resolve(u64::from(function), 0, Beyond::Gate), Resolution::Slow);
    }
}

#[test]
fn the_hash_is_that_of_the_instruction() {
    // CRC32X of zero with the function as accumulator, from the polynomial 0x04C11DB7 (Arm ARM, CRC32X): of the 96 bits that the
    // division begins with, the function is the highest.
    let long_division = |function: u32| {
        let mut register = u128::from(function.reverse_bits()) << 64;
        for bit in (32..96).rev() {
            if register >> bit & 1 != 0 {
                register ^= 0x1_04c1_1db7 << (bit - 32);
            }
        }
        (register as u32).reverse_bits()
    };
    for function in KNOWN {
        assert_eq!(line(function), long_division(function) as usize & 127, "{function:#x}");
    }
}

#[test]
fn the_code_of_ptp_is_that_of_ptp() {
    use portcullis_gate::Service;
    assert_eq!(Service::from_code(Service::PTP), Some(Service::Ptp));
    assert_eq!(Service::Ptp.code(), Some(Service::PTP));
    for code in 0..32 {
        let psci = matches!(Service::from_code(code), Some(Service::Psci(..)));
        assert_eq!(psci, (Service::PSCI..Service::PSCI_END).contains(&code), "{code}");
    }
    assert!(
        (0..).map_while(Service::from_code).all(|service| service.code().and_then(Service::from_code) == Some(service))
    );
}

#[test]
fn groups_name_the_service() {
    use portcullis_gate::FunctionId;
    for (function, group) in [
        (0x8000_0000, Group::Arch),
        (0xc400_0003, Group::Psci),
        (0xc400_0053, Group::Trng),
        (0xc500_0021, Group::PvTime),
        (0x8600_0000, Group::Vendor),
        (0x8600_0001, Group::Ptp),
        (0x8600_0002, Group::Unknown),
        (0x8200_3d06, Group::Watchdog),
        (0x8200_3d05, Group::Unknown),
    ] {
        assert_eq!(Group::of(FunctionId(function)), group, "{function:#x}");
    }
    assert_eq!(Return::NOT_SUPPORTED.0[0], u64::MAX);
}

#[test]
fn one_conduit_s_table_is_made_of_the_other_s() {
    let mut forwarding = Filter::new();
    let range = RangeRequest { base: 0xc200_0000, count: 0x100, action: 2, ..RangeRequest::default() };
    forwarding.insert(&range, Profile(0), true).unwrap();
    assert!(forwarding.forwards());
    let counter = |group: Group, outcome| group as u16 * 8 + outcome as u16 + 3;
    let both = profiles().filter(|profile| profile.conduits() == Conduits::BOTH);
    for profile in both.step_by(if cfg!(miri) { 64 } else { 1 }) {
        for filter in [None, Some(&forwarding)] {
            let [hvc, built, made] = [(); 3].map(|()| Box::new(Answers::new()));
            hvc.build(profile, filter, Conduit::Hvc, |_, _| 1);
            built.build(profile, filter, Conduit::Smc, counter);
            made.build_like(&hvc, counter);
            assert_eq!(format!("{made:?}"), format!("{built:?}"), "{profile:?}");
        }
    }
}
