//! Random operations on a row against a plain model of it.

use fastrand::Rng;
use portcullis_gate::{Register, Rule, SetError, Support};

use super::{bitmaps, created};

/// A random walk against a plain model: fields in variables, no packing, no atomics.
#[test]
fn random_operations_match_a_plain_model() {
    struct Model {
        bits: [u64; 5],
        psci: u64,
        smccc: u64,
        written: bool,
        keep: bool,
        frozen: bool,
    }
    let mut random = Rng::with_seed(0x9e37_79b9_7f4a_7c15);
    for _ in 0..if cfg!(miri) { 4 } else { 400 } {
        let row = created(Rule::Clear);
        let mut model = Model {
            bits: [1, 1, 3, 0, 1],
            psci: 0x1_0003,
            smccc: 0x1_0001,
            written: false,
            keep: false,
            frozen: false,
        };
        for _ in 0..40 {
            match random.usize(..16) {
                0 => {
                    row.freeze(None);
                    model.frozen |= true;
                }
                1 => {
                    let keep = random.usize(..2) == 1;
                    let outcome = row.set_rule(if keep { Rule::Keep } else { Rule::Clear });
                    assert_eq!(outcome.is_ok(), !model.frozen || keep == model.keep);
                    model.keep = if model.frozen { model.keep } else { keep };
                }
                2 => {
                    assert_eq!(row.clear_all().is_ok(), !model.frozen || model.bits == [0; 5]);
                    if !model.frozen {
                        (model.bits, model.written) = ([0; 5], true);
                    }
                }
                3 => {
                    let value = [0x1, 0x2, 0x1_0000, 0x1_0001, 0x1_0002, 0x1_0003][random.usize(..6)];
                    let outcome = set(&row, Register::PsciVersion, value);
                    if value == 0x1 {
                        assert!(is_unsupported(outcome));
                    } else if model.frozen {
                        assert_eq!(outcome.is_ok(), value == model.psci);
                    } else {
                        outcome.unwrap();
                        if !model.written && !model.keep {
                            model.bits = [0; 5];
                        }
                        (model.psci, model.written) = (value, true);
                    }
                }
                4 => {
                    let value = 0x1_0000 + random.usize(..5) as u64;
                    let outcome = set(&row, Register::SmcccVersion, value);
                    if ![0x1_0001, 0x1_0002].contains(&value) {
                        assert!(is_unsupported(outcome));
                    } else if model.frozen {
                        assert_eq!(outcome.is_ok(), value == model.smccc);
                    } else {
                        outcome.unwrap();
                        if !model.written && !model.keep {
                            model.bits = [0; 5];
                        }
                        (model.smccc, model.written) = (value, true);
                    }
                }
                _ => {
                    let index = random.usize(..5);
                    let value = random.usize(..5) as u64;
                    let outcome = set(&row, BITMAPS[index], value);
                    if value & !ALL_BITS[index] != 0 {
                        assert!(is_unsupported(outcome));
                    } else if model.frozen {
                        assert_eq!(outcome.is_ok(), value == model.bits[index]);
                    } else {
                        outcome.unwrap();
                        if !model.written && !model.keep {
                            model.bits = [0; 5];
                        }
                        model.bits[index] = value;
                        model.written = true;
                    }
                }
            }
            let profile = row.profile();
            let versions = [Register::PsciVersion, Register::SmcccVersion].map(|register| row.get(register));
            assert_eq!((bitmaps(&row), versions), (model.bits, [model.psci, model.smccc]));
            assert_eq!((profile.is_written(), profile.is_frozen()), (model.written, model.frozen));
            assert_eq!(profile.rule() == Rule::Keep, model.keep);
        }
    }
}
