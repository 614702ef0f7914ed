//! Bundles that are damaged, or not for this board: what is wrong is named, and no guest says a word.

use super::super::damage::{Damage, Field};
use super::super::expectation::Expectation::{self, Line, NoGuest};
use super::case::{Case, LINUX};

/// A damaged bundle: it is named, and no guest says a word.
const NOTHING_STARTS: &[Expectation] = &[Line("portcullis: bundle"), NoGuest];
const DAMAGED: Case = Case { manifest: "conformance.toml", expectations: NOTHING_STARTS, ..LINUX };

pub const CASES: &[Case] = &[
    Case { name: "damaged-cut", damage: Some(Damage::CutInHalf), ..DAMAGED },
    Case { name: "damaged-bit", damage: Some(Damage::OneBit), ..DAMAGED },
    Case { name: "damaged-zeros", damage: Some(Damage::Zeros), ..DAMAGED },
    Case {
        name: "pages-that-the-cores-lack",
        manifest: "conformance-no-entropy.toml",
        damage: Some(Damage::Pages),
        cpu: Some("cortex-a72"),
        expectations: &[Line("its kernel has pages of 16 KiB, which core 0 lacks; take one with"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-magic",
        damage: Some(Damage::Header(Field::Magic)),
        expectations: &[Line("bundle: it starts with 0x504f5254484f4c45; a bundle starts with"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-old",
        damage: Some(Damage::Header(Field::Old)),
        expectations: &[Line("bundle: it starts with 0xd00dfeed, as bundles of version 1 did; take"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-version",
        damage: Some(Damage::Header(Field::Version)),
        expectations: &[Line("bundle: its format is version 4; this hypervisor reads version 3: take"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-checksum",
        damage: Some(Damage::Header(Field::Checksum)),
        expectations: &[Line("bundle: it is damaged: its checksum is"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-size",
        damage: Some(Damage::Header(Field::Size)),
        expectations: &[Line("bundle: its header tells"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-images",
        damage: Some(Damage::Header(Field::Images)),
        expectations: &[Line("bundle: its header places the images at"), NoGuest],
        ..DAMAGED
    },
];
