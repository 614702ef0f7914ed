//! The rules for writing firmware registers: the peers' cases and what they leave out.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

use portcullis_gate::{Conduits, Filter, Profile, Register, Row, Rule, SetError, Support};

const BITMAPS: [Register; 5] =
    [Register::Std, Register::StdHyp, Register::VendorHyp, Register::VendorHyp2, Register::Sip];
/// Every supported bit of the bitmaps.
const ALL_BITS: [u64; 5] = [0x1, 0x1, 0x3, 0x3, 0x1];

fn created(rule: Rule) -> Row {
    let row = Row::new();
    row.create(&Support::FULL, Conduits::BOTH);
    row.set_rule(rule).unwrap();
    row
}

fn bitmaps(row: &Row) -> [u64; 5] {
    BITMAPS.map(|register| row.get(register))
}

fn set(row: &Row, register: Register, value: u64) -> Result<(), SetError> {
    row.set(register, value, &Support::FULL)
}

fn is_unsupported(outcome: Result<(), SetError>) -> bool {
    matches!(outcome, Err(SetError::Unsupported { .. }))
}

#[test]
fn h1_initial_values() {
    let row = created(Rule::Clear);
    assert_eq!(bitmaps(&row), [0x1, 0x1, 0x3, 0x0, 0x1]);
    assert_eq!(row.get(Register::PsciVersion), 0x1_0003);
    assert_eq!(row.get(Register::SmcccVersion), 0x1_0001, "as KVM shows");
    assert_eq!([Register::Workaround1, Register::Workaround2, Register::Workaround3].map(|w| row.get(w)), [2, 3, 2]);
    let profile = row.profile();
    assert!(!profile.is_frozen() && !profile.is_written() && !profile.is_filtered());
    assert_eq!((profile.rule(), profile.conduits()), (Rule::Clear, Conduits::BOTH));
}

#[test]
fn h2_h3_any_subset_can_be_set_and_read_back() {
    let row = created(Rule::Keep);
    for register in [Register::Std, Register::StdHyp, Register::VendorHyp, Register::Sip] {
        set(&row, register, 0).unwrap();
        assert_eq!(row.get(register), 0);
    }
    set(&row, Register::VendorHyp2, 0x3).unwrap();
    assert_eq!(bitmaps(&row), [0, 0, 0, 0x3, 0]);
    set(&row, Register::VendorHyp2, 0).unwrap();
    assert_eq!(bitmaps(&row), [0; 5]);
    // A cleared bit is not lost.
    for (register, bits) in BITMAPS.into_iter().zip(ALL_BITS) {
        for value in 0..=bits {
            set(&row, register, value).unwrap();
            assert_eq!(row.get(register), value);
        }
    }
    assert_eq!(bitmaps(&row), ALL_BITS);
}

#[test]
fn h4_every_unsupported_bit_is_refused() {
    let row = created(Rule::Clear);
    let before = row.profile();
    for (register, bits) in BITMAPS.into_iter().zip(ALL_BITS) {
        for bit in (0..64).map(|bit| 1 << bit).filter(|bit| bit & bits == 0) {
            let refused = SetError::Unsupported { register, value: bit | 1, supported: bits };
            assert_eq!(set(&row, register, bit | 1), Err(refused));
        }
    }
    assert_eq!(row.profile(), before, "a refused SET is not the first write");
}

#[test]
fn h5_h6_after_the_start_only_the_same_value() {
    let row = created(Rule::Keep);
    for register in [Register::Std, Register::StdHyp, Register::VendorHyp, Register::Sip] {
        set(&row, register, 0).unwrap();
    }
    let frozen = row.freeze(None);
    assert_eq!(bitmaps(&row), [0; 5]);
    for (register, bits) in BITMAPS.into_iter().zip(ALL_BITS) {
        assert_eq!(set(&row, register, bits), Err(SetError::Frozen));
        assert_eq!(set(&row, register, 0), Ok(()), "the same value");
        assert!(is_unsupported(set(&row, register, bits + 1)), "a bad bit is reported before the freeze");
    }
    for (register, other) in [
        (Register::PsciVersion, 0x1_0000),
        (Register::Workaround1, 1),
        (Register::Workaround2, 0),
        (Register::SmcccVersion, 0x1_0002),
    ] {
        assert_eq!(set(&row, register, other), Err(SetError::Frozen));
        assert_eq!(set(&row, register, row.get(register)), Ok(()));
    }
    assert!(is_unsupported(set(&row, Register::PsciVersion, 0x1)));
    assert_eq!(row.set_rule(Rule::Clear), Err(SetError::Frozen));
    assert_eq!(row.set_rule(Rule::Keep), Ok(()));
    assert_eq!(row.clear_all(), Ok(()), "nothing left to clear");
    assert_eq!((row.profile(), row.freeze(None)), (frozen, frozen));
}

#[test]
fn the_first_write_clears_the_other_bitmaps() {
    // By any register, a bitmap or not, and also when it writes the value that is there.
    for (register, value, expected) in [
        (Register::Std, 0x1, [0x1, 0, 0, 0, 0]),
        (Register::StdHyp, 0x0, [0; 5]),
        (Register::VendorHyp, 0x2, [0, 0, 0x2, 0, 0]),
        (Register::VendorHyp2, 0x1, [0, 0, 0, 0x1, 0]),
        (Register::Sip, 0x1, [0, 0, 0, 0, 0x1]),
        (Register::PsciVersion, 0x1_0000, [0; 5]),
        (Register::Workaround1, 1, [0; 5]),
        (Register::SmcccVersion, 0x1_0002, [0; 5]),
    ] {
        let row = created(Rule::Clear);
        set(&row, register, value).unwrap();
        assert_eq!(bitmaps(&row), expected, "first write of {register}");
        assert_eq!(row.get(register), value);
        // Versions and workarounds stay.
        for other in [Register::PsciVersion, Register::Workaround1, Register::Workaround2, Register::Workaround3] {
            if other != register {
                assert_eq!(row.get(other), Support::FULL.limit(other), "{other} after the first write of {register}");
            }
        }
        if register != Register::SmcccVersion {
            assert_eq!(row.get(Register::SmcccVersion), 0x1_0001, "after the first write of {register}");
        }
        // The second write clears nothing.
        set(&row, Register::VendorHyp2, 0x2).unwrap();
        let second = bitmaps(&row);
        assert_eq!((&second[..3], second[4]), (&expected[..3], expected[4]));
        assert_eq!(second[3], 0x2);
    }
}

#[test]
fn keep_leaves_the_other_bitmaps() {
    let row = created(Rule::Keep);
    set(&row, Register::Std, 0).unwrap();
    assert_eq!(bitmaps(&row), [0, 0x1, 0x3, 0, 0x1]);
    assert!(row.profile().is_written());
    // Going back to the default after the first write clears nothing any more.
    row.set_rule(Rule::Clear).unwrap();
    set(&row, Register::Std, 1).unwrap();
    assert_eq!(bitmaps(&row), [0x1, 0x1, 0x3, 0, 0x1]);
}

#[test]
fn clear_all_clears_the_bitmaps_alone_and_counts_as_a_write() {
    let row = created(Rule::Clear);
    row.clear_all().unwrap();
    assert_eq!(bitmaps(&row), [0; 5]);
    assert_eq!((row.get(Register::PsciVersion), row.get(Register::Workaround2)), (0x1_0003, 3));
    assert!(row.profile().is_written());
    set(&row, Register::VendorHyp, 0x3).unwrap();
    row.freeze(None);
    assert_eq!(row.clear_all(), Err(SetError::Frozen));
    assert_eq!(bitmaps(&row), [0, 0, 0x3, 0, 0]);
}

#[test]
fn a_pending_first_write_does_not_clear_a_frozen_row() {
    let row = created(Rule::Clear);
    let frozen = row.freeze(None);
    set(&row, Register::Std, 0x1).unwrap();
    assert_eq!(row.profile(), frozen);
    assert_eq!(set(&row, Register::Std, 0), Err(SetError::Frozen));
}

#[test]
fn recreate_returns_to_the_created_state() {
    let row = created(Rule::Clear);
    let fresh = row.profile();
    row.set_rule(Rule::Keep).unwrap();
    set(&row, Register::VendorHyp, 0x1).unwrap();
    set(&row, Register::PsciVersion, 0x2).unwrap();
    row.freeze(Some(&Filter::new()));
    row.create(&Support::FULL, Conduits::BOTH);
    assert_eq!(row.profile(), fresh);
    set(&row, Register::Std, 0).unwrap();
    row.remove();
    assert_eq!(row.profile(), Profile::ABSENT);
}

#[test]
fn an_absent_vm_holds_nothing() {
    let row = Row::new();
    assert_eq!(Register::ALL.map(|register| row.get(register)), [0, 0, 0, 0, 0, 0, 0, 0, 0x1_0001, 0]);
    assert_eq!(set(&row, Register::Std, 1), Err(SetError::Frozen));
    assert_eq!(row.profile().conduits(), Conduits::NONE);
    assert_eq!((align_of::<Row>(), size_of::<Row>(), Row::WORD_OFFSET), (64, 64, 0));
}

#[test]
fn psci_version_takes_known_versions_up_to_ours() {
    let row = created(Rule::Keep);
    for good in [0x2, 0x1_0000, 0x1_0001, 0x1_0002, 0x1_0003] {
        set(&row, Register::PsciVersion, good).unwrap();
        assert_eq!(row.get(Register::PsciVersion), good);
    }
    for bad in [0, 0x1, 0x3, 0xffff, 0x1_0004, 0x1_000f, 0x2_0000, 0x1_0000_0002, u64::MAX] {
        assert!(is_unsupported(set(&row, Register::PsciVersion, bad)), "{bad:#x}");
    }
    let old = Support { psci: 0x1_0000, ..Support::FULL };
    assert!(is_unsupported(row.set(Register::PsciVersion, 0x1_0001, &old)));
    row.set(Register::PsciVersion, 0x1_0000, &old).unwrap();
}

#[test]
fn workaround_levels_are_at_most_the_boards() {
    for register in [Register::Workaround1, Register::Workaround3] {
        for board in 0..=2 {
            let support = Support { workaround_1: board, workaround_3: board, ..Support::FULL };
            for value in (0..64).chain([1 << 32, u64::MAX]) {
                let row = created(Rule::Keep);
                let outcome = row.set(register, value, &support);
                if value <= board {
                    assert_eq!((outcome, row.get(register)), (Ok(()), value));
                } else {
                    assert!(is_unsupported(outcome), "{register} {value:#x} on a board with {board}");
                }
            }
        }
    }
}

/// A VM's cores are known after its registers: the levels come down, and nothing else changes, the first write included.
#[test]
fn cores_limit_the_workarounds() {
    let cores = Support { workaround_1: 1, workaround_2: 0, workaround_3: 0, ..Support::FULL };
    let levels = |row: &Row| {
        [Register::Workaround1, Register::Workaround2, Register::Workaround3].map(|register| row.get(register))
    };
    let row = created(Rule::Clear);
    let before = row.profile();
    row.limit_workarounds(&Support::FULL);
    assert_eq!(row.profile(), before);
    row.limit_workarounds(&cores);
    assert_eq!(levels(&row), [1, 0, 0]);
    assert!(!row.profile().is_written());
    assert_eq!(row.get(Register::Std), before.register(Register::Std));
    row.limit_workarounds(&Support::FULL);
    assert_eq!(levels(&row), [1, 0, 0], "it only lowers");
    let frozen = created(Rule::Clear);
    frozen.freeze(None);
    frozen.limit_workarounds(&cores);
    assert_eq!(levels(&frozen), [2, 3, 2], "what a guest has seen stays");
}

#[test]
fn workaround_2_knows_two_levels() {
    // Value, and what it means: 0 not available, 3 not required.
    let good = [(0, 0), (1, 0), (2, 3), (3, 3), (0x12, 3)];
    for (value, stored) in good {
        let row = created(Rule::Keep);
        set(&row, Register::Workaround2, value).unwrap();
        assert_eq!(row.get(Register::Workaround2), stored);
        row.freeze(None);
        assert_eq!(set(&row, Register::Workaround2, value), Ok(()), "the same meaning is the same value");
        let exposed = Support { workaround_2: 0, ..Support::FULL };
        assert_eq!(exposed.check(Register::Workaround2, value).is_ok(), stored == 0);
    }
    for value in (0..64).chain([0x22, 1 << 40, u64::MAX]) {
        if !good.iter().any(|(known, _)| *known == value) {
            assert!(is_unsupported(set(&created(Rule::Keep), Register::Workaround2, value)), "{value:#x}");
        }
    }
}

#[test]
fn a_board_without_a_backend_lacks_the_bit() {
    let support = Support { std: 0, vendor_hyp: 0x1, ..Support::FULL };
    let row = Row::new();
    row.create(&support, Conduits::HVC);
    assert_eq!(bitmaps(&row), [0, 0x1, 0x1, 0, 1]);
    assert!(is_unsupported(row.set(Register::Std, 0x1, &support)));
    assert!(is_unsupported(row.set(Register::VendorHyp, 0x3, &support)));
    assert_eq!(row.get(Register::StdHyp), 0x1, "a refused SET is not the first write");
    // Bits and versions that the gate does not know never come in through a board.
    let boastful = Support {
        std: !0,
        std_hyp: !0,
        vendor_hyp: !0,
        vendor_hyp_2: !0,
        soc: true,
        sip: !0,
        psci: 0x1_0004,
        workaround_1: 9,
        workaround_2: 9,
        workaround_3: 9,
    };
    for register in Register::ALL {
        assert_eq!(boastful.limit(register), Support::FULL.limit(register), "{register}");
    }
}

#[test]
fn errors_name_what_would_be_right() {
    let message = |register, value| Support::FULL.check(register, value).unwrap_err().to_string();
    assert_eq!(
        message(Register::VendorHyp, 0x14),
        "VENDOR_HYP: bits 0x14 are not supported here; the supported ones are 0x3"
    );
    assert!(message(Register::PsciVersion, 1).contains("0x10003"));
    assert!(message(Register::Workaround1, 3).contains("WORKAROUND_1"));
    assert_eq!(message(Register::SmcccVersion, 0x1_0003), "SMCCC_VERSION: 0x10003 is none of 0x10001, 0x10002");
    assert!(SetError::UnknownRegister { id: 7 }.to_string().contains("0x0000000000000007"));
    assert!(SetError::Frozen.to_string().contains("recreated"));
}
