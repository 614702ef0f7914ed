//! What guests are told about speculation on cores that there are, and what EL3 is asked to do there.

use firmware::mode::{Mode, Setting};

use super::super::expectation::Expectation::{self, All, CalledAtLeast, Cases, Line, Never, Says};
use super::case::{Case, LINUX};
use crate::el3::El3;

/// Levels as SMCCC_ARCH_FEATURES gives them, the same by both conduits and in all VMs.
macro_rules! told {
    ($text:literal) => {
        All(&[
            Cases("alone"),
            Cases("shares"),
            Cases("shares-too"),
            Says("alone", concat!("speculation by hvc: ", $text)),
            Says("alone", concat!("speculation by smc: ", $text)),
            Says("shares-too", concat!("speculation by hvc: ", $text)),
        ])
    };
}

/// A core that needs nothing, of which nothing is said.
const NOTHING_SAID: Expectation = All(&[Never("branch targets: "), Never("NOT MITIGATED")]);
/// The calls of one workaround that three guests make, by both conduits.
const OWN_CALLS: u64 = 3 * 2 * 1000;

const SPECULATION: Case = Case { manifest: "speculation.toml", cores: 2, ..LINUX };

const fn test(mode: Mode) -> El3 {
    El3::Test(Setting { mode, start: 0 })
}

/// Every one of them.
pub const CASES: &[Case] = &[
    Case {
        name: "speculation-cortex-a53",
        cpu: Some("cortex-a53"),
        expectations: &[told!("workarounds 1 -2 1, CSV2 1, CSV3 1, SSBS 0"), NOTHING_SAID],
        ..SPECULATION
    },
    Case {
        name: "speculation-cortex-a55",
        cpu: Some("cortex-a55"),
        expectations: &[told!("workarounds 1 -2 1, CSV2 1, CSV3 1, SSBS 1"), NOTHING_SAID],
        ..SPECULATION
    },
    // As on a Raspberry Pi 4 with its own stub.
    Case {
        name: "speculation-cortex-a72",
        cpu: Some("cortex-a72"),
        expectations: &[
            told!("workarounds -1 -1 -1, CSV2 0, CSV3 1, SSBS 0"),
            Line(
                "cores [0, 1]: Cortex-A72: branch targets: NOT MITIGATED, EL3 has no workaround; \
                 branch history: a loop of 8 at exits; store bypass: NOT MITIGATED, EL3 has no workaround",
            ),
            Line("cores [0, 1]: let no VMs share them that do not trust each other"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-cortex-a76",
        cpu: Some("cortex-a76"),
        expectations: &[
            told!("workarounds 1 -1 0, CSV2 1, CSV3 1, SSBS 1"),
            Line("Cortex-A76: branch targets: kept apart (CSV2); branch history: a loop of 24 at exits"),
            Never("NOT MITIGATED"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-neoverse-n1",
        cpu: Some("neoverse-n1"),
        expectations: &[
            told!("workarounds 1 -1 0, CSV2 1, CSV3 1, SSBS 2"),
            Line("Neoverse-N1: branch targets: kept apart (CSV2); branch history: a loop of 24 at exits"),
            Never("NOT MITIGATED"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-neoverse-n2",
        cpu: Some("neoverse-n2"),
        expectations: &[
            told!("workarounds 1 -1 0, CSV2 1, CSV3 1, SSBS 2"),
            Line("Neoverse-N2: branch targets: kept apart (CSV2); branch history: a loop of 32 at exits"),
            Never("NOT MITIGATED"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-max",
        expectations: &[told!("workarounds 1 -1 1, CSV2 1, CSV3 1, SSBS 2"), NOTHING_SAID],
        ..SPECULATION
    },
    Case {
        name: "speculation-tf-a-cortex-a53",
        cpu: Some("cortex-a53"),
        el3: El3::TfA,
        expectations: &[told!("workarounds 1 -2 1, CSV2 1, CSV3 1, SSBS 0"), NOTHING_SAID],
        ..SPECULATION
    },
    Case {
        name: "speculation-tf-a-cortex-a55",
        cpu: Some("cortex-a55"),
        el3: El3::TfA,
        expectations: &[told!("workarounds 1 -2 1, CSV2 1, CSV3 1, SSBS 1"), NOTHING_SAID],
        ..SPECULATION
    },
    Case {
        name: "speculation-tf-a-max",
        el3: El3::TfA,
        expectations: &[told!("workarounds 1 -1 1, CSV2 1, CSV3 1, SSBS 2"), NOTHING_SAID],
        ..SPECULATION
    },
    Case {
        name: "speculation-tf-a-cortex-a76",
        cpu: Some("cortex-a76"),
        el3: El3::TfA,
        expectations: &[
            told!("workarounds 1 -1 0, CSV2 1, CSV3 1, SSBS 1"),
            Line("Cortex-A76: branch targets: kept apart (CSV2); branch history: a loop of 24 at exits"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-tf-a-cortex-a72",
        cpu: Some("cortex-a72"),
        el3: El3::TfA,
        expectations: &[
            told!("workarounds 0 -2 0, CSV2 0, CSV3 1, SSBS 0"),
            Line("Cortex-A72: branch targets: EL3's WORKAROUND_3 at exits"),
            Never("NOT MITIGATED"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-tf-a-neoverse-n1",
        cpu: Some("neoverse-n1"),
        el3: El3::TfA,
        expectations: &[
            told!("workarounds 1 -1 0, CSV2 1, CSV3 1, SSBS 2"),
            Line("Neoverse-N1: branch targets: kept apart (CSV2); branch history: a loop of 24 at exits"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-el3-cortex-a72",
        cpu: Some("cortex-a72"),
        el3: test(Mode::Workarounds),
        expectations: &[
            Never("el3: failed"),
            told!("workarounds 0 -2 0, CSV2 0, CSV3 1, SSBS 0"),
            CalledAtLeast(0x8000_3fff, 2 * OWN_CALLS),
            Never("el3: 0x80008000 called"),
            // Once on each core.
            Line("el3: 0x80007fff called 2 times, w7 = 0"),
        ],
        ..SPECULATION
    },
    Case {
        name: "speculation-el3-first-cortex-a72",
        cpu: Some("cortex-a72"),
        el3: test(Mode::FirstWorkaround),
        expectations: &[
            Never("el3: failed"),
            told!("workarounds 0 -1 -1, CSV2 0, CSV3 1, SSBS 0"),
            // The calls that are refused come out of the guest, too.
            CalledAtLeast(0x8000_8000, 2 * OWN_CALLS),
            Never("el3: 0x80003fff called"),
            Never("el3: 0x80007fff called"),
        ],
        ..SPECULATION
    },
    // A core that needs nothing of EL3's does not ask for it.
    Case {
        name: "speculation-el3-cortex-a76",
        cpu: Some("cortex-a76"),
        el3: test(Mode::Workarounds),
        expectations: &[
            told!("workarounds 1 -1 0, CSV2 1, CSV3 1, SSBS 1"),
            Never("el3: 0x80008000 called"),
            Never("el3: 0x80007fff called"),
            Never("el3: 0x80003fff called"),
        ],
        ..SPECULATION
    },
];
