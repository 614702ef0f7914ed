//! What holds on cores that there are, and what holds on all.

use portcullis_abi::function::{ARCH_WORKAROUND_1, ARCH_WORKAROUND_3};
use portcullis_arch::hardening::Hardening;

use super::Answer::{Needed, NotNeeded, Unknown};
use super::*;

/// No EL3 that could be asked.
const NOBODY: Answers = Answers { workaround_1: Unknown, workaround_2: Unknown, workaround_3: Unknown };
/// TF-A on a core that needs it: it keeps stores in order from the reset on.
const TF_A: Answers = Answers { workaround_1: Needed, workaround_2: NotNeeded, workaround_3: Needed };
/// TF-A on a core that it has no workaround for, as CSV2 or a loop does it.
const TF_A_NOT_NEEDED: Answers = Answers { workaround_1: NotNeeded, workaround_2: NotNeeded, workaround_3: NotNeeded };

const CSV2: u64 = 1 << 56;
const CSV3: u64 = 1 << 60;
const SSBS: u64 = 2 << 4;

/// A core with MIDR_EL1, ID_AA64PFR0_EL1's CSV2 and CSV3, ID_AA64PFR1_EL1's SSBS.
const fn core(midr: u64, pfr0: u64, pfr1: u64) -> Identity {
    Identity { midr, pfr0, pfr1, mmfr1: 0, isar1: 0, isar2: 0 }
}

const A53: Identity = core(0x410f_d034, 0, 0);
const A55: Identity = core(0x412f_d050, 0, SSBS);
const A57: Identity = core(0x411f_d070, 0, 0);
const A72: Identity = core(0x410f_d083, 0, 0);
const A73: Identity = core(0x410f_d092, 0, 0);
const A75: Identity = core(0x410f_d0a0, 0, 0);
const A76: Identity = core(0x414f_d0b1, CSV2 | CSV3, SSBS);
const A77: Identity = core(0x411f_d0d0, CSV2 | CSV3, SSBS);
const A78: Identity = core(0x411f_d410, CSV2 | CSV3, SSBS);
const N1: Identity = core(0x414f_d0c1, CSV2 | CSV3, SSBS);
const N2: Identity = core(0x410f_d493, CSV2 | CSV3, SSBS);
const V1: Identity = core(0x411f_d402, CSV2 | CSV3, SSBS);
const X1: Identity = core(0x411f_d440, CSV2 | CSV3, SSBS);
const A710: Identity = core(0x412f_d471, 2 << 56 | CSV3, SSBS);
/// QEMU's `max`: CSV2_3, ECBHB, and SPECRES beside it.
const MAX: Identity =
    Identity { midr: 0x000f_0510, pfr0: 3 << 56 | CSV3, pfr1: SSBS, mmfr1: 1 << 60, isar1: 1 << 40, isar2: 0 };

#[test]
fn the_cores_that_there_are() {
    use Hardening::{Call, Clear, Loop, None};
    let clears = |core| Identity { isar2: 1 << 28, ..core };
    let old_a76 = core(0x410f_d0b0, 0, SSBS);
    let only_1 = Answers { workaround_1: Needed, ..NOBODY };
    let switches = Answers { workaround_2: Needed, ..TF_A };
    for (name, core, el3, levels, at_exit, at_change) in [
        ("a53", A53, NOBODY, [2, 3, 2], None, AtChange::Nothing),
        ("a53, TF-A", A53, TF_A_NOT_NEEDED, [2, 3, 2], None, AtChange::Nothing),
        ("a55", A55, NOBODY, [2, 3, 2], None, AtChange::Nothing),
        ("a57", A57, NOBODY, [0, 0, 0], Loop(8), AtChange::Exposed),
        ("a57, TF-A", A57, TF_A, [1, 3, 1], Call(ARCH_WORKAROUND_3), AtChange::AtExit),
        ("a72", A72, NOBODY, [0, 0, 0], Loop(8), AtChange::Exposed),
        ("a72, TF-A", A72, TF_A, [1, 3, 1], Call(ARCH_WORKAROUND_3), AtChange::AtExit),
        ("a72, EL3 switches", A72, switches, [1, 3, 1], Call(ARCH_WORKAROUND_3), AtChange::AtExit),
        ("a72, old TF-A", A72, only_1, [1, 0, 0], Call(ARCH_WORKAROUND_1), AtChange::AtExit),
        ("a72 r1p0", core(0x411f_d080, CSV2, 0), NOBODY, [2, 0, 1], Loop(8), AtChange::Nothing),
        ("a73", A73, NOBODY, [0, 0, 0], None, AtChange::Exposed),
        ("a73, TF-A", A73, TF_A, [1, 3, 1], Call(ARCH_WORKAROUND_3), AtChange::AtExit),
        ("a73, unaffected", A73, TF_A_NOT_NEEDED, [2, 3, 2], None, AtChange::Nothing),
        ("a75", A75, NOBODY, [0, 0, 0], None, AtChange::Exposed),
        ("a75, TF-A", A75, TF_A, [1, 3, 1], Call(ARCH_WORKAROUND_3), AtChange::AtExit),
        ("a76", A76, NOBODY, [2, 0, 1], Loop(24), AtChange::Nothing),
        ("a76, TF-A", A76, TF_A_NOT_NEEDED, [2, 0, 1], Loop(24), AtChange::Nothing),
        ("a76 without CSV2", old_a76, NOBODY, [0, 0, 0], Loop(24), AtChange::Exposed),
        ("a77", A77, NOBODY, [2, 0, 1], Loop(24), AtChange::Nothing),
        ("a78", A78, NOBODY, [2, 0, 1], Loop(32), AtChange::Nothing),
        ("a78, CLRBHB", clears(A78), NOBODY, [2, 0, 1], Clear, AtChange::Nothing),
        ("n1", N1, NOBODY, [2, 0, 1], Loop(24), AtChange::Nothing),
        ("n1, TF-A", N1, TF_A_NOT_NEEDED, [2, 0, 1], Loop(24), AtChange::Nothing),
        ("n2", N2, NOBODY, [2, 0, 1], Loop(32), AtChange::Nothing),
        ("v1", V1, NOBODY, [2, 0, 1], Loop(32), AtChange::Nothing),
        ("x1", X1, NOBODY, [2, 0, 1], Loop(32), AtChange::Nothing),
        ("a710", A710, NOBODY, [2, 0, 1], Loop(32), AtChange::Nothing),
        ("max", MAX, NOBODY, [2, 0, 2], None, AtChange::Nothing),
        ("unknown", Identity::default(), NOBODY, [0, 0, 0], None, AtChange::Exposed),
        (
            "unknown, SPECRES",
            Identity { isar1: 1 << 40, ..Identity::default() },
            NOBODY,
            [0, 0, 0],
            None,
            AtChange::Restrict,
        ),
        ("unknown, CSV2", core(0, CSV2, 0), TF_A_NOT_NEEDED, [2, 3, 0], None, AtChange::Nothing),
    ] {
        let protection = Protection::of(&core, &el3);
        let Levels { workaround_1, workaround_2, workaround_3 } = protection.levels();
        let found = ([workaround_1, workaround_2, workaround_3], protection.at_exit(), protection.at_change());
        assert_eq!(found, (levels, at_exit, at_change), "{name}: {protection}");
    }
}

#[test]
fn tables_are_told_of_by_csv3_or_by_the_part() {
    let safe = |core| Protection::of(&core, &NOBODY).tables;
    assert!([A53, A55, A57, A72, A73, A76, N1, MAX].into_iter().all(safe));
    assert!(![A75, Identity::default()].into_iter().any(safe), "A75 is affected by CVE-2017-5754");
}

/// Every core of the lists, and some that are in none, with every combination of what the registers and EL3 can say.
fn all(mut check: impl FnMut(Identity, Answers, Protection)) {
    let parts = [A53, A57, A72, A73, A75, A76, N1, V1, A710].map(|core| core.midr);
    let answers = [Unknown, Needed, NotNeeded];
    for midr in parts.into_iter().chain([0, MAX.midr, 0x410f_fff0]) {
        for bits in 0..1u64 << 7 {
            let bit = |n: u32| bits >> n & 1;
            let core = Identity {
                midr,
                pfr0: (bits & 3) << 56 | bit(2) << 60,
                pfr1: bit(3) << 4,
                mmfr1: bit(4) << 60,
                isar1: bit(5) << 40,
                isar2: bit(6) << 28,
            };
            for (first, second, third) in
                answers.into_iter().flat_map(|a| answers.map(|b| (a, b))).flat_map(|(a, b)| answers.map(|c| (a, b, c)))
            {
                let el3 = Answers { workaround_1: first, workaround_2: second, workaround_3: third };
                check(core, el3, Protection::of(&core, &el3));
            }
        }
    }
}

#[test]
fn levels_are_those_that_there_are_and_what_exits_do_makes_them_true() {
    all(|core, el3, protection| {
        let (levels, at_exit) = (protection.levels(), protection.at_exit());
        let context = || format!("{core:x?} {el3:?}: {protection}");
        assert!(levels.workaround_1 <= 2 && levels.workaround_3 <= 2, "{}", context());
        assert!([0, 3].contains(&levels.workaround_2), "never 2: {}", context());
        // A call that is offered does something at EL2's exit, and WORKAROUND_1's work is done by EL3 alone.
        if levels.workaround_1 == 1 {
            assert!(matches!(at_exit, Hardening::Call(_)), "{}", context());
        }
        if levels.workaround_3 == 1 {
            assert!(at_exit != Hardening::None && at_exit != Hardening::Call(ARCH_WORKAROUND_1), "{}", context());
        }
        // Whoever needs nothing against both pays nothing.
        if (levels.workaround_1, levels.workaround_3) == (2, 2) {
            assert_eq!(at_exit, Hardening::None, "{}", context());
        }
        // WORKAROUND_3 does the work of WORKAROUND_1: it is not above it.
        assert!(levels.workaround_3 <= levels.workaround_1, "{}", context());
        // EL3 is not asked to do what it does not offer.
        if let Hardening::Call(function) = at_exit {
            let answer = if function == ARCH_WORKAROUND_3 { el3.workaround_3 } else { el3.workaround_1 };
            assert_eq!(answer, Needed, "{}", context());
        }
        assert_eq!(protection.keeps_targets(), levels.workaround_1 == 2, "CSV2 as told: {}", context());
        assert_eq!(protection.at_change() == AtChange::Nothing, levels.workaround_1 == 2, "{}", context());
    });
}

#[test]
fn a_store_bypass_that_el3_has_switched_off_hides_no_bit() {
    all(|core, el3, protection| match protection.stores {
        Stores::SwitchedOn => assert!(!core.has_ssbs() && el3.workaround_2 == Needed),
        Stores::Bit => assert_eq!((core.has_ssbs(), protection.levels().workaround_2), (true, 0)),
        _ => {}
    });
}

#[test]
fn more_from_el3_never_protects_less() {
    all(|core, el3, protection| {
        let alone = Protection::of(&core, &NOBODY).levels();
        let levels = protection.levels();
        // EL3 with WORKAROUND_1 alone does not have the loop's place taken in what is told of history.
        let fewer = [
            levels.workaround_1 < alone.workaround_1,
            levels.workaround_2 < alone.workaround_2,
            levels.workaround_3 < alone.workaround_3,
        ];
        assert_eq!(fewer, [false; 3], "{core:x?} {el3:?}");
    });
}

#[test]
fn the_worst_core_counts() {
    let levels = |core: Identity, el3: &Answers| Protection::of(&core, el3).levels();
    let (little, big) = (levels(A53, &NOBODY), levels(A72, &TF_A));
    assert_eq!(little.worse(big), Levels { workaround_1: 1, workaround_2: 3, workaround_3: 1 });
    assert_eq!(Levels::HIGHEST.worse(little), little);
    assert_eq!(little.worse(levels(A76, &NOBODY)), Levels { workaround_1: 2, workaround_2: 0, workaround_3: 1 });
}

#[test]
fn reasons_are_in_words() {
    assert_eq!(
        Protection::of(&A72, &NOBODY).to_string(),
        "Cortex-A72: branch targets: NOT MITIGATED, EL3 has no workaround; branch history: a loop of 8 at exits; \
         store bypass: NOT MITIGATED, EL3 has no workaround"
    );
    assert_eq!(
        Protection::of(&A72, &TF_A).to_string(),
        "Cortex-A72: branch targets: EL3's WORKAROUND_3 at exits; branch history: EL3's WORKAROUND_3 at exits; \
         store bypass: none, by EL3's word"
    );
    assert_eq!(
        Protection::of(&N1, &NOBODY).to_string(),
        "Neoverse-N1: branch targets: kept apart (CSV2); branch history: a loop of 24 at exits; store bypass: PSTATE.SSBS"
    );
}
