//! Every function identifier against the oracle: all owners, both widths, every state of the registers, both conduits.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

mod oracle;

use core::ops::RangeInclusive;

use fastrand::Rng;
use oracle::{Expect, Gate, Speaker, TABLE, Vm, Way, find};
use portcullis_gate::{
    Action, Call, Conduit, Conduits, Filter, NAMES, Profile, Published, RangeRequest, Ranges, Register, Return,
    Support, Verdict, decide,
};

const BITMAPS: [Register; 5] =
    [Register::Std, Register::StdHyp, Register::VendorHyp, Register::VendorHyp2, Register::Sip];
const LEVELS: [Register; 3] = [Register::Workaround1, Register::Workaround2, Register::Workaround3];
const CONDUITS: [Conduit; 2] = [Conduit::Hvc, Conduit::Smc];

/// Of what takes long Miri gets one state in so many.
const FEWER: usize = if cfg!(miri) { 400 } else { 1 };
/// Questions about each function behind a filter.
const ASKED: usize = if cfg!(miri) { 3 } else { 8 };

/// The discovery calls, and the identifiers without bits 31:30 for which each must speak.
const SPEAKERS: [(u32, RangeInclusive<u32>); 4] = [
    (0x8000_0001, 0x0000_0000..=0x0000_ffff),
    (0x8400_000a, 0x0400_0000..=0x0400_001f),
    (0x8400_0051, 0x0400_0050..=0x0400_0053),
    (0xc500_0020, 0x0500_0020..=0x0500_0021),
];

fn vm(bitmaps: [u64; 5], psci: u64, levels: [u64; 3]) -> Vm {
    Vm { bitmaps, psci, smccc: 0x1_0001, soc: false, suspend: false, levels, denied: Vec::new(), forwarded: Vec::new() }
}

/// The same VM as the gate has it.
fn profile(vm: &Vm) -> Profile {
    let created = Profile::created(&Support { soc: vm.soc, ..Support::NONE }, Conduits::BOTH)
        .with(Register::PsciVersion, vm.psci)
        .with(Register::SmcccVersion, vm.smccc);
    let bits = BITMAPS.into_iter().zip(vm.bitmaps);
    let profile = bits
        .chain(LEVELS.into_iter().zip(vm.levels))
        .fold(created, |profile, (register, value)| profile.with(register, value));
    if vm.suspend { profile.with_suspend() } else { profile }
}

/// The VM's filter as managers write it, and as its vCPUs read it.
fn filter(vm: &Vm) -> (Filter, Published) {
    let (mut filter, published) = (Filter::new(), Published::new());
    let denied = vm.denied.iter().map(|&ends| (ends, Action::Deny));
    for ((first, last), action) in denied.chain(vm.forwarded.iter().map(|&ends| (ends, Action::Forward))) {
        let request = RangeRequest { base: first, count: last - first + 1, action: action as u8, reserved: [0; 15] };
        filter.insert(&request, Profile(0), true).unwrap();
    }
    published.publish(&filter);
    (filter, published)
}

/// Every state of the first four bitmaps, and each state of the last one with half of them: no function needs two.
fn bitmap_states() -> impl Iterator<Item = [u64; 5]> {
    (0..64_u64)
        .map(|state| [state & 1, state >> 1 & 1, state >> 2 & 3, state >> 4 & 3, u64::from(state.count_ones()) & 1])
}

/// Every state of all registers.
fn states() -> impl Iterator<Item = Vm> {
    bitmap_states().flat_map(|bitmaps| {
        [0x2, 0x1_0000, 0x1_0001, 0x1_0003].into_iter().flat_map(move |psci| {
            (0..18).map(move |levels| {
                // Each version of SMCCC comes with and without a SoC, and with some of the levels.
                let (smccc, soc) = (0x1_0001 + levels % 2, levels & 2 == 0);
                Vm {
                    smccc,
                    soc,
                    suspend: levels % 3 == 1,
                    ..vm(bitmaps, psci, [levels % 3, [0, 3][levels as usize / 3 % 2], levels / 6])
                }
            })
        })
    })
}

/// The known identifiers and each of their neighbours at a distance of one bit.
fn near_known() -> Vec<u32> {
    let mut ids: Vec<u32> = TABLE.iter().flat_map(|entry| (0..32).map(|bit| entry.id ^ 1 << bit)).collect();
    ids.extend(TABLE.iter().map(|entry| entry.id));
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Numbers 0 to 0xffff below each of the highest bytes `tops`, in ascending order; under Miri a few of them, and the known ones.
fn identifiers(tops: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let below =
        |top: u32| (0..=0xffff_u32).step_by(if cfg!(miri) { 0x6aaa } else { 1 }).map(move |number| top << 24 | number);
    let mut ids: Vec<u32> = tops.into_iter().flat_map(below).collect();
    if cfg!(miri) {
        ids.extend(TABLE.iter().map(|entry| entry.id));
        ids.sort_unstable();
        ids.dedup();
    }
    ids
}

fn expected(vm: &Vm, call: &Call) -> Verdict {
    let (id, asked) = (call.x[0] as u32, call.x[1] as u32);
    let way = vm.way(id, call.aarch32);
    if call.immediate != 0 || way == Way::Refused {
        return Verdict::Deny;
    }
    let entry = find(id).filter(|entry| vm.offers(entry, call.aarch32));
    // Who has a TRNG function answers the question about it too.
    if id == 0x8400_0051 && (way == Way::El3 || entry.is_some()) {
        return match vm.way(asked, call.aarch32) {
            Way::El3 => Verdict::Forward,
            _ => Verdict::Answer(Return([vm.discovery(Speaker::Trng, asked, call.aarch32), 0, 0, 0])),
        };
    }
    if way == Way::El3 {
        return Verdict::Forward;
    }
    let Some(entry) = entry else { return Verdict::Deny };
    Verdict::Answer(Return(match entry.expect {
        Expect::Serve(service) => return Verdict::Serve(service),
        Expect::Value(value) => value,
        Expect::PsciVersion => [vm.psci, 0, 0, 0],
        Expect::SmcccVersion => [vm.smccc, 0, 0, 0],
        Expect::Speaks(speaker) => [vm.discovery(speaker, asked, call.aarch32), 0, 0, 0],
        Expect::VendorWords => vm.vendor_words(call.aarch32),
    }))
}

fn check(vm: &Vm, profile: Profile, filter: Option<&dyn Ranges>, call: &Call) {
    let verdict = decide(profile, filter, call);
    assert_eq!(verdict, expected(vm, call), "{:?} with x1 = {:#x} in {vm:?}", call.function(), call.x[1]);
}

/// The gate's names are the oracle's, which also has those that nobody is offered.
#[test]
fn every_function_has_its_name() {
    let mut names = NAMES.to_vec();
    names.sort_by_key(|&(_, id)| id);
    let known = TABLE.iter().filter(|entry| names.iter().any(|&(_, id)| id == entry.id));
    assert!(known.map(|entry| (entry.name, entry.id)).eq(names.iter().copied()));
    assert!(TABLE.iter().all(|entry| entry.gate == Gate::Never || names.contains(&(entry.name, entry.id))));
}

/// 0 to 0xffff of all 64 owners, fast and yielding, both widths: exactly the identifiers of the table are not denied.
#[test]
fn every_identifier_of_every_owner() {
    let ids = identifiers(0..256);
    for vm in [vm([1, 1, 3, 3, 1], 0x1_0001, [2, 3, 2]), vm([0; 5], 0x2, [0; 3])] {
        let profile = profile(&vm);
        let mut table = TABLE.iter().map(|entry| entry.id).peekable();
        let mut passed = 0;
        for &id in &ids {
            let call = Call::new(CONDUITS[id as usize & 1], [id.into(), 0, 0, 0]);
            if table.next_if_eq(&id).is_some() {
                check(&vm, profile, None, &call);
                passed += 1;
            } else if decide(profile, None, &call) != Verdict::Deny {
                panic!("{:?} is not in the table and not denied", call.function());
            }
        }
        assert_eq!((passed, table.next()), (TABLE.len(), None));
    }
}

/// The same for the owners with services under every state of the bitmaps.
#[test]
fn every_identifier_of_the_served_owners_in_every_bitmap_state() {
    let ids = identifiers([0x80, 0x84, 0x85, 0x86, 0xc0, 0xc4, 0xc5, 0xc6]);
    for bitmaps in bitmap_states().step_by(if cfg!(miri) { 21 } else { 1 }) {
        let vm = vm(bitmaps, 0x1_0001, [1, 3, 1]);
        let profile = profile(&vm);
        for &id in &ids {
            let call = Call::new(CONDUITS[(id as usize >> 1) & 1], [id.into(), 0, 0, 0]);
            // Most are unknown: the table is only searched for those that pass, and below for those in it.
            if decide(profile, None, &call) != Verdict::Deny {
                check(&vm, profile, None, &call);
            }
        }
        for entry in TABLE {
            check(&vm, profile, None, &Call::new(Conduit::Hvc, [entry.id.into(), 0, 0, 0]));
        }
    }
}

/// Bits 23:16, all 255 values that are not zero, make any known identifier unknown.
#[test]
fn reserved_bits_and_the_sve_hint_are_refused() {
    let profile = profile(&vm([1, 1, 3, 3, 1], 0x1_0001, [2, 3, 2]));
    for entry in TABLE {
        for bits in (1..=0xff_u32).step_by(if cfg!(miri) { 127 } else { 1 }) {
            let call = Call::new(Conduit::Hvc, [(entry.id ^ bits << 16).into(), 0, 0, 0]);
            assert_eq!(decide(profile, None, &call), Verdict::Deny, "{:?}", call.function());
        }
    }
}

/// Every state of all registers, the known identifiers and their neighbours, conduits, immediates and states mixed.
#[test]
fn known_identifiers_and_neighbours_in_every_state() {
    let ids = near_known();
    let mut random = Rng::with_seed(0x2545_f491_4f6c_dd1d);
    for vm in states().step_by(FEWER) {
        let profile = profile(&vm);
        for &id in ids.iter().step_by(if cfg!(miri) { 13 } else { 1 }) {
            let dice = random.u64(..);
            check(&vm, profile, None, &mixed(dice, id, ids[random.usize(..ids.len())]));
        }
    }
}

/// What the discovery calls say about every known identifier and its neighbours.
#[test]
fn discovery_about_every_known_identifier_and_neighbour() {
    let ids = near_known();
    let mut random = Rng::with_seed(0x853c_49e6_748f_ea9b);
    for vm in states().step_by(7 * FEWER) {
        let profile = profile(&vm);
        for asker in [0x8000_0001, 0x8400_000a, 0x8400_0051, 0xc500_0020, 0x8600_0000_u32] {
            for &asked in ids.iter().step_by(if cfg!(miri) { 101 } else { 1 }) {
                check(&vm, profile, None, &mixed(random.u64(..) | 0xff00, asker, asked));
            }
        }
    }
}

/// Random deny ranges: calls and discovery follow together.
#[test]
fn filters_show_in_calls_and_in_discovery() {
    let ids = near_known();
    let mut random = Rng::with_seed(0xda94_2042_e4dd_58b5);
    for mut vm in states().step_by(11 * FEWER) {
        let mut known: Vec<u32> = TABLE.iter().map(|entry| entry.id).filter(|id| id >> 16 & 0x3fff != 0).collect();
        for _ in 0..random.usize(..12) {
            let first = known.swap_remove(random.usize(..known.len()));
            let last = first + random.usize(..3) as u32;
            if !vm.denied.iter().any(|&(other, end)| first <= end && other <= last) {
                vm.denied.push((first, last));
            }
        }
        let (profile, (filter, published)) = (profile(&vm), filter(&vm));
        for entry in TABLE {
            for _ in 0..ASKED {
                let asked = if random.usize(..4) == 0 {
                    ids[random.usize(..ids.len())]
                } else {
                    TABLE[random.usize(..TABLE.len())].id
                };
                let call = mixed(random.u64(..) | 0xff00, entry.id, asked);
                check(&vm, profile, Some(&filter), &call);
                check(&vm, profile, Some(&published), &call);
            }
        }
    }
}

/// A filter with every action over some of the functions, and over identifiers that have no name here.
fn any_filter(vm: &mut Vm, random: &mut Rng) {
    const NAMELESS: [u32; 6] = [0x8100_0000, 0x8200_0000, 0xc200_ff00, 0x8300_0010, 0x8400_ff01, 0xb200_0000];
    let mut free: Vec<u32> = TABLE.iter().map(|entry| entry.id).filter(|id| id >> 16 & 0x3fff != 0).collect();
    free.extend(NAMELESS);
    for _ in 0..random.usize(..14) {
        let id = free.swap_remove(random.usize(..free.len()));
        // Only TRNG, and what has no name, can go to EL3.
        let can_go = id & 0xbfff_fff0 == 0x8400_0050 || NAMELESS.contains(&id);
        match random.usize(..if can_go { 3 } else { 2 }) {
            0 => {}
            1 => vm.denied.push((id, id)),
            _ => vm.forwarded.push((id, id)),
        }
    }
}

/// Every call of the matrix: state of the bits, a filter of every action, conduit, width and state of the caller, and for
/// the discovery calls the function that they are asked about.
#[test]
fn forwarding_shows_in_calls_and_in_discovery() {
    let ids = near_known();
    let mut random = Rng::with_seed(0x9e37_79b9_7f4a_7c15);
    let mut forwarded = 0;
    for mut vm in states().step_by(if cfg!(miri) { 500 } else { 5 }) {
        any_filter(&mut vm, &mut random);
        let (profile, (filter, published)) = (profile(&vm), filter(&vm));
        let nameless = vm.forwarded.iter().chain(&vm.denied).map(|&(first, _)| first);
        let calls: Vec<u32> = TABLE.iter().map(|entry| entry.id).chain(nameless).collect();
        for &id in &calls {
            for _ in 0..ASKED {
                let among = if random.usize(..4) == 0 { &ids } else { &calls };
                let call = mixed(random.u64(..) | 0xff00, id, among[random.usize(..among.len())]);
                check(&vm, profile, Some(&filter), &call);
                check(&vm, profile, Some(&published), &call);
                forwarded += usize::from(decide(profile, Some(&filter), &call) == Verdict::Forward);
            }
        }
        for &(id, _) in &vm.forwarded {
            // The same identifier in any other form stays here, and is refused.
            for other in (16..32).map(|bit| id ^ 1 << bit).filter(|other| !calls.contains(other)) {
                let call = Call::new(Conduit::Smc, [other.into(), 0, 0, 0]);
                assert_eq!(decide(profile, Some(&filter), &call), Verdict::Deny, "{:?}", call.function());
            }
        }
    }
    assert!(forwarded > if cfg!(miri) { 0 } else { 1000 }, "{forwarded}");
}

/// Nothing that discovery says differs from what the call does: read off the gate alone, without the oracle.
#[test]
fn discovery_agrees_with_the_calls() {
    let mut random = Rng::with_seed(0x1234_5678_9abc_def1);
    for mut vm in states().step_by(if cfg!(miri) { 10 * FEWER } else { 1 }) {
        let entry = &TABLE[random.usize(..TABLE.len())];
        if entry.id >> 16 & 0x3fff != 0 {
            vm.denied.push((entry.id, entry.id));
        }
        let (profile, (filter, _)) = (profile(&vm), filter(&vm));
        for conduit in CONDUITS {
            let run =
                |id: u32, x1: u32| decide(profile, Some(&filter), &Call::new(conduit, [id.into(), x1.into(), 0, 0]));
            for (asker, speaks_for) in SPEAKERS {
                for entry in TABLE {
                    let Verdict::Answer(Return([x0, 0, 0, 0])) = run(asker, entry.id) else { continue };
                    let (says, callable) = (x0.cast_signed() >= 0, run(entry.id, 0) != Verdict::Deny);
                    assert!(callable || !says, "{asker:#x} claims {} in {vm:?}", entry.name);
                    let hidden = callable && !says && speaks_for.contains(&(entry.id & 0x3fff_ffff));
                    assert!(!hidden, "{asker:#x} hides {} in {vm:?}", entry.name);
                }
            }
        }
    }
}

#[test]
fn closed_conduits_and_immediates_are_refused() {
    let open = profile(&vm([1, 1, 3, 3, 1], 0x1_0001, [2, 3, 2]));
    for (conduits, hvc, smc) in [(0, false, false), (1, true, false), (2, false, true), (3, true, true)] {
        let support = Support::FULL;
        let profile = Profile::created(&support, Conduits::from_bits(conduits).unwrap());
        let passes = |conduit| decide(profile, None, &Call::new(conduit, [0x8000_0000, 0, 0, 0])) != Verdict::Deny;
        assert_eq!((passes(Conduit::Hvc), passes(Conduit::Smc)), (hvc, smc));
    }
    for entry in TABLE {
        for conduit in CONDUITS {
            for immediate in (0..16).map(|bit| 1 << bit).chain([u16::MAX]) {
                let call = Call { immediate, ..Call::new(conduit, [entry.id.into(), 0, 0, 0]) };
                assert_eq!(decide(open, None, &call), Verdict::Deny, "{} with immediate {immediate}", entry.name);
            }
        }
    }
}

#[test]
fn upper_halves_of_identifiers_are_ignored() {
    let profile = profile(&vm([1, 1, 3, 3, 1], 0x1_0001, [2, 3, 2]));
    for entry in TABLE {
        let plain = decide(profile, None, &Call::new(Conduit::Hvc, [entry.id.into(), 0x8400_0050, 0, 0]));
        let dirty = [0xdead_beef_0000_0000 | u64::from(entry.id), 0xffff_ffff_8400_0050, !0, !0];
        assert_eq!(decide(profile, None, &Call::new(Conduit::Hvc, dirty)), plain, "{}", entry.name);
    }
}

/// A call with conduit, immediate, caller's state and upper halves by `dice`. One immediate in eight is not zero.
fn mixed(dice: u64, id: u32, asked: u32) -> Call {
    let upper = dice >> 32 << 32;
    Call {
        x: [upper | u64::from(id), upper.rotate_left(3) >> 32 << 32 | u64::from(asked), dice, !dice],
        conduit: CONDUITS[dice as usize & 1],
        immediate: if dice >> 8 & 7 == 0 { 1 << (dice >> 16 & 15) } else { 0 },
        aarch32: dice >> 1 & 3 == 0,
    }
}
