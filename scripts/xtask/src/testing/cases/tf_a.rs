//! The tests with TF-A at EL3.

use super::super::expectation::Expectation::{Cases, DiffersFrom, SameAs, Sequence};
use super::case::{CONFORMANCE, Case, LINUX};
use crate::board::Gic;
use crate::el3::El3;

const TF_A: Case = Case { el3: El3::TfA, ..LINUX };
/// One VM that shows its first random words, on one core.
const WORDS: Case = Case { manifest: "words.toml", cores: 1, expectations: &[Cases("words")], ..TF_A };

/// Every one of them.
pub const CASES: &[Case] = &[
    Case {
        name: "tf-a-conformance",
        manifest: "conformance-tf-a.toml",
        el3: El3::TfA,
        expectations: &[
            Sequence(&[
                "portcullis: firmware: PSCI 1.1, SMCCC 1.5",
                "portcullis: firmware TRNG: 1.0, 312da09c-661a-4839-89c9-a91ac4da3454",
                "portcullis: firmware PTP: none",
                "portcullis: entropy: EL3's TRNG; time of day: PL031 and counter",
            ]),
            Cases("all"),
            Cases("none"),
            Cases("uid"),
        ],
        ..CONFORMANCE
    },
    Case { name: "tf-a-linux", ..TF_A },
    Case { name: "tf-a-words-first", ..WORDS },
    Case {
        name: "tf-a-words-second",
        expectations: &[Cases("words"), DiffersFrom("tf-a-words-first", "[words] words: ")],
        ..WORDS
    },
    Case { name: "tf-a-words-seeded", arguments: &["-seed", "7"], ..WORDS },
    Case {
        name: "tf-a-words-seeded-again",
        arguments: &["-seed", "7"],
        expectations: &[Cases("words"), SameAs("tf-a-words-seeded", "[words] words: ")],
        ..WORDS
    },
    Case {
        name: "tf-a-gicv2",
        manifest: "conformance-gicv2-tf-a.toml",
        gic: Gic::V2,
        expectations: &[Sequence(&["NOTICE:  BL31: v2.12", "portcullis: firmware: PSCI 1.1, SMCCC 1.5"]), Cases("all")],
        ..TF_A
    },
];
