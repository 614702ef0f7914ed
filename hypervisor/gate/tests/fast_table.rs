//! The table that the vectors read against the gate in Rust: every function of every owner, every service combination.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

use portcullis_abi::function::{
    ARCH_FEATURES, PSCI_FEATURES, PSCI_SYSTEM_SUSPEND, PV_TIME_FEATURES, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32,
    TRNG_RND64, TRNG_VERSION, WATCHDOG,
};
use portcullis_gate::KNOWN;
use portcullis_gate::fast_table::{Answers, LINES, Resolution, line};
use portcullis_gate::forwards::Forwards;
use portcullis_gate::{
    Call, Conduit, Conduits, Filter, Group, Profile, RangeRequest, Ranges, Register, Return, Row, Support, Verdict,
    decide,
};

/// Whether the gate in Rust is asked although the vectors could know: about the two functions that share a line with another one,
/// where the VM is `served` what it calls or asks about, and by TRNG_FEATURES in a VM that forwards anything.
fn may_ask(served: impl Fn(u64) -> bool, forwards: bool, x0: u64, x1: u64) -> bool {
    let (function, asked) = (x0 as u32, x1 as u32);
    let asks = [ARCH_FEATURES, PSCI_FEATURES, TRNG_FEATURES, PV_TIME_FEATURES].contains(&function);
    let without_line = [WATCHDOG, PSCI_SYSTEM_SUSPEND].contains(&function) && served(x0);
    without_line || asks && asked == PSCI_SYSTEM_SUSPEND && served(x1) || function == TRNG_FEATURES && forwards
}

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
    if let Some(filter) = filter {
        forwards.build(filter);
    }
    let by_table = answers.resolve(x0, x1, &forwards);
    let ranges = filter.map(|filter| -> &dyn Ranges { filter });
    let gate = |x0, x1| decide(profile, ranges, &Call::new(conduit, [x0, x1, 0, 0]));
    let by_gate = gate(x0, x1);
    let served = |function| matches!(gate(function, 0), Verdict::Serve(_));
    let same = match (by_table, by_gate) {
        (Resolution::Forward, Verdict::Forward) => true,
        // The gate decides then, so they cannot differ.
        (Resolution::Slow, _) => may_ask(served, filter.is_some_and(Filter::forwards), x0, x1),
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
        // In VMs that may suspend themselves, too.
        if round % 2 == 1 {
            let request = RangeRequest { base: PSCI_SYSTEM_SUSPEND, count: 1, action: 1, ..RangeRequest::default() };
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
    let answers = Answers::new();
    let mut forwarded = 0;
    for (profile, filter) in profiles().chain(profiles()).chain(profiles()).zip(filters()) {
        for conduit in [Conduit::Hvc, Conduit::Smc] {
            answers.build(profile, Some(&filter), conduit, |group, outcome| group as u16 * 3 + outcome as u16);
            let ends = filter.ranges().iter().flat_map(|range| [range.first, range.last]);
            let near = ends.flat_map(|end| [end.wrapping_sub(1), end, end.wrapping_add(1)]);
            let forms = near.chain(KNOWN).chain([0, u32::MAX, 0xff00_ffff]);
            let ids = forms.flat_map(|id| [id, id ^ 1 << 16, id ^ 1 << 23, id ^ 1 << 30, id ^ 1 << 31]);
            for id in ids.step_by(if cfg!(miri) { 53 } else { 1 }) {
                for asked in [0, TRNG_FEATURES, TRNG_RND64, PSCI_SYSTEM_SUSPEND, id] {
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

/// A VM with a watchdog that may suspend differs from one without in nothing but these two functions: every function of the owners
/// that have any, called and asked about, behind a filter that forwards.
#[test]
fn a_watchdog_and_suspend_cost_nobody_else_the_fast_path() {
    let mut filter = Filter::new();
    for base in [0x8200_0100, 0xc200_0000] {
        let range = RangeRequest { base, count: 0x100, action: 2, ..RangeRequest::default() };
        filter.insert(&range, Profile(0), true).unwrap();
    }
    let forwards = Forwards::new();
    forwards.build(&filter);
    let [with, without] = [true, false].map(|has| {
        let (row, answers) = (Row::new(), Box::new(Answers::new()));
        row.create(&Support::FULL, Conduits::BOTH);
        for register in [Register::Std, Register::StdHyp, Register::VendorHyp, Register::VendorHyp2] {
            row.set(register, 1, &Support::FULL).unwrap();
        }
        row.set(Register::Sip, u64::from(has), &Support::FULL).unwrap();
        if has {
            row.permit_suspend();
        }
        answers.build(row.freeze(Some(&filter)), Some(&filter), Conduit::Smc, |group, outcome| {
            group as u16 * 3 + outcome as u16
        });
        answers
    });
    let own = [WATCHDOG, PSCI_SYSTEM_SUSPEND, PSCI_SYSTEM_SUSPEND | 1 << 30];
    let (mut forwarded, mut asked) = (0, 0);
    // Those of Arm, the silicon's, the standard services' and the hypervisors' owners, of both widths.
    let owners = [0x80, 0x82, 0x84, 0x85, 0x86, 0xc2, 0xc4, 0xc6];
    let all = owners.into_iter().flat_map(|owner| (0..0x1_0000).map(move |number: u32| owner << 24 | number));
    for function in all.step_by(if cfg!(miri) { 0x3_ffff } else { 1 }).filter(|function| !own.contains(function)) {
        let (a, b) = (with.resolve(function.into(), 0, &forwards), without.resolve(function.into(), 0, &forwards));
        assert_eq!(a, b, "{function:#x}");
        forwarded += usize::from(a == Resolution::Forward);
        // The calls that ask about a function, about every other one.
        let about = with.resolve(PSCI_FEATURES.into(), function.into(), &forwards);
        assert_eq!(about, without.resolve(PSCI_FEATURES.into(), function.into(), &forwards), "about {function:#x}");
        asked += usize::from(about == Resolution::Answer(Return::code(0)));
    }
    assert!(cfg!(miri) || (forwarded, asked) == (0x200, 15), "{forwarded} are forwarded, {asked} told of");
    for function in [WATCHDOG, PSCI_SYSTEM_SUSPEND] {
        assert_eq!(with.resolve(function.into(), 0, &forwards), Resolution::Slow, "{function:#x}");
        assert_eq!(without.resolve(function.into(), 0, &forwards), Resolution::Deny, "{function:#x}");
    }
    assert_eq!(with.resolve(PSCI_FEATURES.into(), PSCI_SYSTEM_SUSPEND.into(), &forwards), Resolution::Slow);
    let wide = u64::from(PSCI_SYSTEM_SUSPEND | 1 << 30);
    assert!(matches!(with.resolve(wide, 0, &forwards), Resolution::Serve(_)));
    assert_eq!(with.resolve(PSCI_FEATURES.into(), wide, &forwards), Resolution::Answer(Return::code(0)));
}

/// The gate is asked about everything without a line by whoever has management calls, through a conduit that is closed, too: it
/// refuses that.
#[test]
fn the_control_vm_asks_about_what_has_no_line() {
    let row = Row::new();
    row.create_control(&Support::NONE, Conduits::HVC);
    let (answers, forwards) = (Box::new(Answers::new()), Forwards::new());
    build(&answers, row.freeze(None), Conduit::Hvc);
    for function in [0xc600_1000, 0x8600_beef, 0, WATCHDOG] {
        assert_eq!(answers.resolve(function.into(), 0, &forwards), Resolution::Slow, "{function:#x}");
    }
    assert_ne!(answers.resolve(0x8400_0000, 0, &forwards), Resolution::Slow);
    let closed = Box::new(Answers::new());
    build(&closed, row.freeze(None), Conduit::Smc);
    for function in [0xc600_1000, 0x8600_beef, 0, WATCHDOG, 0x8400_0000] {
        assert_eq!(closed.resolve(function.into(), 0, &forwards), Resolution::Slow, "{function:#x}");
        let call = Call::new(Conduit::Smc, [function.into(), 0, 0, 0]);
        assert_eq!(decide(row.freeze(None), None, &call), Verdict::Deny, "{function:#x}");
    }
}

#[test]
fn a_closed_table_knows_nothing() {
    let (answers, forwards) = (Answers::new(), Forwards::new());
    for (asks, resolution) in [(false, Resolution::Deny), (true, Resolution::Slow)] {
        answers.close(asks);
        for function in KNOWN.into_iter().chain(0..if cfg!(miri) { 50 } else { 1000 }) {
            assert_eq!(answers.resolve(u64::from(function), 0, &forwards), resolution);
        }
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

#[test]
fn a_table_is_the_same_however_many_parts_it_is_worked_out_in() {
    let counter = |group: Group, outcome| group as u16 * 8 + outcome as u16 + 3;
    for profile in profiles().step_by(if cfg!(miri) { 64 } else { 1 }) {
        for conduit in [Conduit::Hvc, Conduit::Smc] {
            let (whole, parts) = (Box::new(Answers::new()), Box::new(Answers::new()));
            // What a VM had before is gone.
            parts.build(Profile(u64::MAX), None, conduit, |_, _| 1);
            whole.build(Profile(u64::MAX), None, conduit, |_, _| 1);
            whole.build(profile, None, conduit, counter);
            for ends in [0, 1, 20, 21, KNOWN.len()].windows(2) {
                parts.build_part(profile, None, conduit, counter, ends[0]..ends[1]);
            }
            assert_eq!(format!("{parts:?}"), format!("{whole:?}"), "{profile:?}");
        }
    }
}
