//! The claims of the lock-free table, checked by loom on the shipped `Row`: every order of the threads' accesses that
//! loom tells apart, with the values that the memory orderings let each load see. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p portcullis-gate --release loom`.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use portcullis_gate::{
    Action, Call, Conduit, Conduits, Filter, Profile, Published, RangeRequest, Register, Return, Row, Rule, SetError,
    Support, Verdict, decide,
};

const SUPPORT: Support = Support::FULL;
const BITMAPS: [Register; 4] = [Register::Std, Register::StdHyp, Register::VendorHyp, Register::VendorHyp2];

/// Checks `body` twice: with this thread ahead of those it starts, and behind them. loom backtracks from the last
/// access to an atomic alone, so a thread that loads a word before it exchanges it hides that load's other orders.
fn model(body: impl Fn(fn()) + Sync + Send + Copy + 'static) {
    loom::model(move || body(|| ()));
    loom::model(move || body(thread::yield_now));
}

fn created() -> Arc<Row> {
    let row = Row::new();
    row.create(&SUPPORT, Conduits::BOTH);
    Arc::new(row)
}

fn bitmaps(profile: Profile) -> [u64; 4] {
    BITMAPS.map(|register| profile.register(register))
}

/// What the fast path sees must be what every later GET says.
fn assert_final(row: &Row, seen: Profile) {
    assert!(seen.is_frozen());
    for register in Register::ALL {
        assert_eq!(row.get(register), seen.register(register), "GET contradicts the guest's view of {register}");
    }
    assert_eq!(row.profile(), seen);
}

/// A value of each register that another than the created one is, the SMCCC version's among them.
fn other_value(register: Register) -> u64 {
    match register {
        Register::PsciVersion => 0x1_0000,
        Register::SmcccVersion => 0x1_0002,
        Register::Workaround1 | Register::Workaround2 | Register::Workaround3 => 0,
        Register::VendorHyp | Register::VendorHyp2 => 1,
        Register::Std | Register::StdHyp | Register::Sip => 0,
    }
}

/// No SET lands after the freeze, of whatever register: one that succeeded is in the frozen word with all that it changes, one
/// that failed is not.
#[test]
fn loom_set_lands_before_the_freeze_or_not_at_all() {
    for register in Register::ALL {
        let value = other_value(register);
        model(move |wait| {
            let row = created();
            let before = row.profile();
            let manager = {
                let row = Arc::clone(&row);
                thread::spawn(move || row.set(register, value, &SUPPORT))
            };
            wait();
            let frozen = row.freeze(None);
            let outcome = manager.join().unwrap();
            // The same with nobody beside.
            let alone = created();
            match outcome {
                Ok(()) => alone.set(register, value, &SUPPORT).unwrap(),
                Err(SetError::Frozen) => {}
                Err(other) => panic!("{register}: {other}"),
            }
            assert_eq!(alone.profile() != before, outcome.is_ok(), "{register}");
            assert_eq!(frozen, alone.freeze(None), "{register}");
            assert_final(&row, frozen);
        });
    }
}

/// A guest that reads the word while managers write and another core freezes it: once frozen, its view is final, and
/// before that it sees the created word or the first write whole.
#[test]
fn loom_reader_sees_whole_words_and_a_frozen_one_for_good() {
    model(|wait| {
        let row = created();
        let manager = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.set(Register::VendorHyp, 1, &SUPPORT).is_ok())
        };
        let starter = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.freeze(None))
        };
        wait();
        let seen = row.profile();
        assert!([[1, 1, 3, 0], [0, 0, 1, 0]].contains(&bitmaps(seen)), "torn: {seen:?}");
        assert_eq!(seen.is_written(), bitmaps(seen) == [0, 0, 1, 0], "the mark and the clearing are one change");
        if seen.is_frozen() {
            assert_final(&row, seen);
        }
        let frozen = starter.join().unwrap();
        let landed = manager.join().unwrap();
        assert_eq!(frozen.is_written(), landed);
        if seen.is_frozen() {
            assert_eq!(seen, frozen);
        }
        assert_final(&row, frozen);
    });
}

/// Two first writes race: exactly one clears, and neither loses the other's value.
#[test]
fn loom_racing_sets_lose_nothing() {
    model(|wait| {
        let row = created();
        let other = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.set(Register::Std, 1, &SUPPORT))
        };
        wait();
        row.set(Register::VendorHyp, 2, &SUPPORT).unwrap();
        other.join().unwrap().unwrap();
        assert_eq!(bitmaps(row.profile()), [1, 0, 2, 0]);
    });
}

/// Two writers and a freeze: the frozen word holds exactly the writes that succeeded.
#[test]
fn loom_racing_sets_and_freeze_agree() {
    model(|wait| {
        let row = created();
        let other = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.set(Register::Std, 1, &SUPPORT).is_ok())
        };
        let starter = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.freeze(None))
        };
        wait();
        let vendor = row.set(Register::VendorHyp, 2, &SUPPORT).is_ok();
        let frozen = starter.join().unwrap();
        // Against the frozen word STD = 1 succeeds without landing, when it is what the word holds anyway.
        let std = other.join().unwrap();
        match bitmaps(frozen) {
            [1, 1, 3, 0] => assert!(std && !vendor),
            [1, 0, 0, 0] => assert!(std && !vendor),
            [0, 0, 2, 0] => assert!(!std && vendor),
            [1, 0, 2, 0] => assert!(std && vendor),
            torn => panic!("{torn:?}"),
        }
        assert_final(&row, frozen);
    });
}

/// The rule and the first write race: the clearing happens or not, as the order of the two says, and wholly.
#[test]
fn loom_rule_and_first_write_are_ordered() {
    model(|wait| {
        let row = created();
        let other = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.set_rule(Rule::Keep).unwrap())
        };
        wait();
        row.set(Register::VendorHyp, 1, &SUPPORT).unwrap();
        other.join().unwrap();
        let profile = row.profile();
        assert_eq!(profile.rule(), Rule::Keep);
        assert!([[0, 0, 1, 0], [1, 1, 1, 0]].contains(&bitmaps(profile)), "{profile:?}");
    });
}

/// "Clear all" against SET: the value survives if SET came second, and nothing else does.
#[test]
fn loom_clear_all_is_whole() {
    model(|wait| {
        let row = created();
        row.set_rule(Rule::Keep).unwrap();
        let other = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.clear_all().unwrap())
        };
        wait();
        row.set(Register::VendorHyp, 1, &SUPPORT).unwrap();
        other.join().unwrap();
        assert!([[0, 0, 0, 0], [0, 0, 1, 0]].contains(&bitmaps(row.profile())));
    });
}

/// The freeze publishes the filter: who reads the frozen word is answered by what was written before the freeze, also through
/// a manager's SET in between.
#[test]
fn loom_freeze_publishes_the_filter() {
    fn assert_filtered(profile: Profile, published: &Published) {
        assert!(profile.is_filtered());
        let call = Call::new(Conduit::Hvc, [0x8400_0050, 0, 0, 0]);
        assert_eq!(decide(profile, Some(published), &call), Verdict::Deny);
    }
    model(|wait| {
        let row = created();
        let published = Arc::new(Published::new());
        let starter = {
            let (row, published) = (Arc::clone(&row), Arc::clone(&published));
            thread::spawn(move || {
                let mut filter = Filter::new();
                let deny = RangeRequest { base: 0x8400_0050, count: 1, action: 1, ..Default::default() };
                filter.insert(&deny, row.profile(), false).unwrap();
                published.publish(&filter);
                row.freeze(Some(&filter));
            })
        };
        let second = {
            let (row, published) = (Arc::clone(&row), Arc::clone(&published));
            thread::spawn(move || {
                // A second starter that finds the row frozen sees it too, or froze it itself.
                let before = row.profile();
                let _ = row.set(Register::PsciVersion, 0x2, &SUPPORT);
                if before.is_frozen() {
                    assert_filtered(before, &published);
                }
            })
        };
        wait();
        let profile = row.profile();
        if profile.is_frozen() {
            assert_filtered(profile, &published);
        }
        starter.join().unwrap();
        second.join().unwrap();
    });
}

/// A core that freezes second sees what the first one published, whether its load or its exchange finds that out.
#[test]
fn loom_second_freeze_sees_the_first() {
    model(|wait| {
        let row = created();
        let beside = Arc::new(AtomicU64::new(0));
        let done = Arc::new(AtomicU64::new(0));
        let mut filter = Filter::new();
        let deny = RangeRequest { base: 0x8400_0050, count: 1, action: Action::Deny as u8, ..Default::default() };
        filter.insert(&deny, row.profile(), false).unwrap();
        let first = {
            let (row, beside, done) = (Arc::clone(&row), Arc::clone(&beside), Arc::clone(&done));
            thread::spawn(move || {
                beside.store(1, Ordering::Relaxed);
                let frozen = row.freeze(Some(&filter));
                done.store(1, Ordering::Relaxed);
                frozen
            })
        };
        wait();
        // A relaxed flag orders nothing; it is here so that loom also starts this freeze behind the other.
        done.load(Ordering::Relaxed);
        let seen = row.freeze(None);
        if seen.is_filtered() {
            assert_eq!(beside.load(Ordering::Relaxed), 1);
        }
        // Whoever came first, both return the one frozen word.
        assert_eq!(first.join().unwrap(), seen);
        assert_final(&row, seen);
    });
}

/// A stopped VM is recreated while a manager writes: the write is refused, or lands on the created word whole.
#[test]
fn loom_set_against_recreate_is_whole() {
    model(|wait| {
        let row = created();
        row.set(Register::Std, 0, &SUPPORT).unwrap();
        row.freeze(None);
        let manager = {
            let row = Arc::clone(&row);
            thread::spawn(move || row.set(Register::VendorHyp, 2, &SUPPORT))
        };
        wait();
        row.create(&SUPPORT, Conduits::BOTH);
        let expected = match manager.join().unwrap() {
            Ok(()) => [0, 0, 2, 0],
            Err(SetError::Frozen) => [1, 1, 3, 0],
            Err(other) => panic!("{other}"),
        };
        assert_eq!(bitmaps(row.profile()), expected);
        assert!(!row.profile().is_frozen());
    });
}

/// The whole way: manager, start, guest's call. What the guest was answered is what GET says afterwards, of either version.
#[test]
fn loom_guest_call_agrees_with_get() {
    for (register, value, function) in
        [(Register::PsciVersion, 0x1_0000, 0x8400_0000), (Register::SmcccVersion, 0x1_0002, 0x8000_0000)]
    {
        model(move |wait| {
            let row = created();
            let manager = {
                let row = Arc::clone(&row);
                thread::spawn(move || {
                    let _ = row.set(register, value, &SUPPORT);
                    let _ = row.set(Register::VendorHyp, 3, &SUPPORT);
                })
            };
            let guest = {
                let row = Arc::clone(&row);
                thread::spawn(move || {
                    row.freeze(None);
                    let call = |id| decide(row.profile(), None, &Call::new(Conduit::Hvc, [id, 0, 0, 0]));
                    (call(function), call(0x8600_0000), call(function))
                })
            };
            wait();
            let (version, features, again) = guest.join().unwrap();
            manager.join().unwrap();
            assert_eq!(version, Verdict::Answer(Return([row.get(register), 0, 0, 0])));
            assert_eq!(version, again);
            let expected = match row.get(Register::VendorHyp) {
                0 => Verdict::Deny,
                word => Verdict::Answer(Return([word, 0, 0, 0])),
            };
            assert_eq!(features, expected);
        });
    }
}
