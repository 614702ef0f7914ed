//! The tests with the firmware of `guest-images/firmware` at EL3, which answers as a test needs it.

use firmware::mode::{Mode, Setting};

use super::super::expectation::Expectation::{self, All, AtMost, Cases, Line, Never, NoGuest, OnlyCalls, Sequence};
use super::case::{CONFORMANCE, Case, LINUX};
use crate::el3::El3;

/// Nothing that the test firmware took for a mistake of the hypervisor's.
const NO_MISTAKE: Expectation = Never("el3: failed");

const fn test(mode: Mode) -> El3 {
    El3::Test(Setting { mode, start: 0 })
}

const fn garbage(start: u32) -> Case {
    Case {
        manifest: "el3-garbage.toml",
        el3: El3::Test(Setting { mode: Mode::Garbage, start }),
        cores: 1,
        expectations: &[NO_MISTAKE, Line("portcullis: firmware"), Cases("guest")],
        ..LINUX
    }
}

const HONEST: Case = Case { el3: test(Mode::Honest), ..LINUX };
/// One VM on one core that calls every service.
const SERVICES: Case = Case { manifest: "el3-services.toml", cores: 1, ..LINUX };

/// Every one of them.
pub const CASES: &[Case] = &[
    // Whatever was left in EL2's registers and in the GIC, on every core.
    Case { name: "el3-leftovers", el3: test(Mode::Leftovers), ..CONFORMANCE },
    Case {
        name: "el3-leftovers-cortex-a72",
        manifest: "conformance-no-entropy.toml",
        el3: test(Mode::Leftovers),
        cpu: Some("cortex-a72"),
        ..CONFORMANCE
    },
    Case {
        name: "entered-at-el3",
        manifest: "words.toml",
        el3: test(Mode::Stays),
        halts: Some("nothing was started"),
        expectations: &[Line("the image was entered at EL3, and EL2 is needed"), NoGuest],
        ..LINUX
    },
    Case {
        name: "el3-no-interrupts",
        manifest: "words.toml",
        el3: test(Mode::Deaf),
        expectations: &[
            NO_MISTAKE,
            Line("core 0: no interrupt reaches it, not even an SGI that it sends to itself: it is not used"),
            Line("core 0, on which this was started, cannot be used, as a line above says: nothing was started"),
            NoGuest,
        ],
        ..LINUX
    },
    Case {
        name: "el3-forward",
        manifest: "el3-forward.toml",
        expectations: &[NO_MISTAKE, Cases("both"), Cases("smc"), Line("el3: 0xc2000001 called 3006 times, w7 = 1 2")],
        ..HONEST
    },
    Case {
        name: "el3-forward-narrow",
        manifest: "el3-forward-narrow.toml",
        el3: test(Mode::SmcccOneOne),
        expectations: &[NO_MISTAKE, Cases("both"), Cases("smc")],
        ..LINUX
    },
    Case {
        name: "el3-soc",
        manifest: "el3-soc.toml",
        expectations: &[
            NO_MISTAKE,
            Line("portcullis: firmware SOC_ID: 0x043b0102, revision 0x3"),
            Cases("el3"),
            Cases("own"),
            Cases("old"),
        ],
        ..HONEST
    },
    Case {
        name: "el3-soc-smccc-1.1",
        manifest: "el3-soc-none.toml",
        el3: test(Mode::SmcccOneOne),
        cores: 1,
        expectations: &[NO_MISTAKE, Never("firmware SOC_ID"), Cases("none")],
        ..LINUX
    },
    // As new, and yet without a name for its SoC.
    Case {
        name: "el3-soc-unknown",
        manifest: "el3-soc-none.toml",
        el3: test(Mode::Nameless),
        cores: 1,
        expectations: &[
            NO_MISTAKE,
            Line("portcullis: firmware: PSCI 1.1, SMCCC 1.2"),
            Never("firmware SOC_ID"),
            // It was asked whether it has the call, and not for what it has not.
            Line("el3: 0x80000001 called"),
            Never("el3: 0x80000002 called"),
            Cases("none"),
        ],
        ..LINUX
    },
    Case {
        name: "el3-audit",
        manifest: "el3-audit.toml",
        expectations: &[
            NO_MISTAKE,
            Cases("both"),
            Cases("draws"),
            Sequence(&[
                "[ops] ops> audit both",
                "[vm.firmware]",
                "[[vm.firmware.filter]]",
                "[ops] base = 0x82000000",
                "[ops] count = 0x100",
                "[ops] action = \"forward\"",
                "[[vm.firmware.filter]]",
                "[ops] base = 0xc2000000",
                "[ops] ops> audit draws",
                "[[vm.firmware.filter]]",
                "[ops] base = 0xc4000053",
            ]),
            Never("base = 0xb2000000"),
            Never("base = 0x84000053"),
        ],
        ..HONEST
    },
    Case {
        name: "el3-matrix",
        manifest: "el3-matrix.toml",
        cores: 8,
        expectations: &[
            NO_MISTAKE,
            Cases("open"),
            Cases("trng-all"),
            Cases("trng-one"),
            Cases("trng-some"),
            Cases("trng-query"),
            Cases("sip"),
            Cases("mixed"),
            Cases("closed"),
        ],
        ..HONEST
    },
    Case {
        name: "el3-reach",
        manifest: "el3-reach.toml",
        cores: 2,
        expectations: &[
            NO_MISTAKE,
            Cases("closed"),
            Cases("open"),
            // What the hypervisor itself asks at boot and in the end, and nothing else.
            OnlyCalls(&[
                0x8400_0000,
                0x8400_000a,
                0x8000_0000,
                0x8000_0001,
                0x8000_0002,
                0x8400_0050,
                0x8400_0051,
                0x8400_0052,
                0xc400_0053,
                0x8600_ff01,
                0x8000_0001,
                0xc400_0003,
                0x8400_0008,
            ]),
            Line("el3: 0xc4000053 called 2 times, w7 = 0"),
        ],
        ..HONEST
    },
    Case {
        name: "el3-draws",
        manifest: "el3-draws.toml",
        cores: 3,
        // Two at boot, a thousand for each VM: as many calls as draws, so no word went to two of them.
        expectations: &[
            NO_MISTAKE,
            Cases("a"),
            Cases("b"),
            Cases("forwarded"),
            Line("el3: 0xc4000053 called 3002 times, w7 = 0 3"),
        ],
        ..HONEST
    },
    Case {
        name: "el3-scarce",
        manifest: "el3-scarce.toml",
        el3: test(Mode::SlowEntropy),
        cores: 2,
        expectations: &[NO_MISTAKE, Cases("greedy"), Cases("modest")],
        ..LINUX
    },
    Case {
        name: "el3-dry",
        manifest: "el3-dry.toml",
        el3: test(Mode::NoEntropy),
        cores: 2,
        expectations: &[NO_MISTAKE, Line("which has no bits yet"), Cases("dry"), Cases("neighbour")],
        ..LINUX
    },
    Case {
        name: "el3-trng-two",
        el3: test(Mode::TrngTwo),
        expectations: &[
            NO_MISTAKE,
            Line("firmware TRNG: not used: it says version 2.0, and only 1.x is known"),
            Line("entropy: RNDRRS"),
            Cases("all"),
        ],
        ..SERVICES
    },
    Case {
        name: "el3-trng-liar",
        el3: test(Mode::TrngLiar),
        expectations: &[
            NO_MISTAKE,
            Line("firmware TRNG: not used: its TRNG_RND64 returns -1"),
            Line("entropy: RNDRRS"),
            Cases("all"),
        ],
        ..SERVICES
    },
    Case {
        name: "el3-trng-liar-cortex-a72",
        manifest: "el3-no-trng.toml",
        cpu: Some("cortex-a72"),
        el3: test(Mode::TrngLiar),
        expectations: &[NO_MISTAKE, Line("entropy: none, TRNG is not offered"), Cases("all")],
        ..SERVICES
    },
    Case {
        name: "el3-ptp",
        el3: test(Mode::Ptp),
        expectations: &[
            NO_MISTAKE,
            All(&[Line("firmware PTP: Linux KVM's"), Line("time of day: the firmware's PTP")]),
            Cases("all"),
        ],
        ..SERVICES
    },
    Case {
        name: "el3-ptp-liar",
        el3: test(Mode::PtpLiar),
        expectations: &[
            NO_MISTAKE,
            All(&[Line("firmware PTP: not used: its counter is not ours"), Line("time of day: PL031 and counter")]),
            Cases("all"),
        ],
        ..SERVICES
    },
    Case {
        name: "el3-old",
        el3: test(Mode::Old),
        expectations: &[
            NO_MISTAKE,
            Line("portcullis: firmware: PSCI 0.2, no SMCCC 1.1: nothing is forwarded"),
            Cases("all"),
            OnlyCalls(&[0x8400_0000, 0x8400_0008]),
        ],
        ..SERVICES
    },
    Case {
        name: "el3-no-smccc",
        el3: test(Mode::SmcccOne),
        expectations: &[
            NO_MISTAKE,
            Line("portcullis: firmware: PSCI 1.0, no SMCCC 1.1: nothing is forwarded"),
            Cases("all"),
        ],
        ..SERVICES
    },
    // A filter that forwards, and nobody to forward to.
    Case {
        name: "el3-nowhere",
        manifest: "el3-forward.toml",
        el3: test(Mode::Old),
        expectations: &[
            NO_MISTAKE,
            Line("portcullis: both: filter range 0x82000000: there is no firmware at EL3 to forward to"),
            NoGuest,
        ],
        ..LINUX
    },
    // The time is that of the instructions. The core that waits has nothing else to do, and the other one answers in the end.
    Case {
        name: "el3-deaf",
        manifest: "el3-deaf.toml",
        cores: 2,
        arguments: &["-icount", "shift=4,sleep=off"],
        expectations: &[
            NO_MISTAKE,
            Cases("boss"),
            Sequence(&[
                "portcullis: boss switches the machine off",
                "portcullis: boss: off",
                "portcullis: core 1 has not answered for 1 s: late vcpu 0 was asked to stop",
                "portcullis: late: off",
                "portcullis: all VMs are off: power off",
            ]),
            AtMost(1, "has not answered for 1 s"),
        ],
        ..HONEST
    },
    // PSCI says that the core was started.
    Case {
        name: "el3-silent",
        manifest: "el3-deaf.toml",
        el3: test(Mode::Silent),
        cores: 2,
        expectations: &[
            NO_MISTAKE,
            Line("late has core 1, which was started and has not come within 10 s; give late other cores"),
            NoGuest,
        ],
        ..LINUX
    },
    Case { name: "el3-garbage-0", ..garbage(0) },
    Case { name: "el3-garbage-2", ..garbage(2) },
    Case { name: "el3-garbage-11", ..garbage(11) },
    Case { name: "el3-garbage-17", ..garbage(17) },
    Case { name: "el3-garbage-18", ..garbage(18) },
    Case { name: "el3-garbage-20", ..garbage(20) },
    Case { name: "el3-garbage-23", ..garbage(23) },
    Case { name: "el3-garbage-28", ..garbage(28) },
    Case {
        name: "machine-off",
        manifest: "machine-off.toml",
        cores: 3,
        expectations: &[
            Cases("boss"),
            Sequence(&[
                "portcullis: boss switches the machine off",
                "portcullis: boss: off",
                "portcullis: first: off",
                "portcullis: last: off",
                "portcullis: all VMs are off: power off",
            ]),
        ],
        ..LINUX
    },
    Case {
        name: "machine-reset",
        manifest: "machine-reset.toml",
        cores: 3,
        expectations: &[
            NO_MISTAKE,
            Cases("boss"),
            Cases("self"),
            Sequence(&[
                "portcullis: self: off",
                "portcullis: boss resets the machine",
                "portcullis: boss: off",
                "portcullis: other: off",
                "portcullis: all VMs are off: reset",
                "el3: 0x84000009 called 1 times, w7 = 0",
            ]),
            Never("el3: 0x84000008"),
        ],
        ..HONEST
    },
];
