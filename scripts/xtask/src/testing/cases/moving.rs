//! VMs that go from one machine to another and back.

use super::super::beside::{Kind, Second};
use super::super::expectation::Expectation::{self, All, Cases, Never, Says, Sequence};
use super::case::{Case, LINUX, NO_OOPS};

/// A stock Debian works, and is connected, while it goes from one machine to another and back: nothing of that notices.
const WORKS: Expectation = All(&[
    NO_OOPS,
    Sequence(&[
        "[here] travels-check: $ portcullis migrate travels --to ssh -o BatchMode=yes -o ServerAliveInterval=5 10.0.0.2 portcullis restore travels -",
        "portcullis: travels: given away",
        "[here] travels-check: travels runs there: ",
        "[here] travels-check: status=0",
        "portcullis: travels: restored with ",
        "[here] travels-check: taken status=0",
        "[here] travels-check: connection=lives",
        "[here] travels-check: $ portcullis migrate travels --to ssh -o BatchMode=yes -o ServerAliveInterval=5 10.0.0.2 portcullis restore travels -",
        "[here] travels-check: status=0",
        "[here] travels-check: taken status=0",
        "[here] travels-check: connection=lives",
        "[here] travels-check: done",
        "portcullis: travels: restored with ",
        "[there] travels-check: taken status=0",
        "[there] travels-check: travels runs there: ",
        "[there] travels-check: taken status=0",
        "[there] travels-check: travels runs there: ",
        "[there] travels-check: done",
    ]),
    Says("travels", " lost=0 wrong=0 undrawn=0"),
    Says("travels", "travels-check: connection=lives"),
    Says("travels", "travels-check: cpu=0 back=0 alike=yes stood=yes rounds=enough"),
    Says("travels", "travels-check: cpu=1 back=0 alike=yes stood=yes rounds=enough"),
    Never("travels-check: error: "),
]);
/// The same so often, of which each vCPU's clocks and the random words tell.
const TWICE: &[Expectation] =
    &[WORKS, Says("travels", "travels-check: moved=4 "), Says("travels", "travels-check: reseeded=4")];
const TEN_TIMES: &[Expectation] =
    &[WORKS, Says("travels", "travels-check: moved=20 "), Says("travels", "travels-check: reseeded=20")];

/// The same by a serial line, of a VM both of whose vCPUs compute without a pause.
const SERIAL: &[Expectation] = &[
    NO_OOPS,
    Sequence(&[
        "[here] controls-check: $ portcullis migrate travels --to exec socat - FILE:/dev/ttyAMA1",
        "portcullis: travels: given away",
        "[here] controls-check: travels runs there: ",
        "[here] controls-check: status=0",
        "portcullis: travels: restored with ",
        "[here] controls-check: taken status=0",
        "[here] controls-check: $ portcullis migrate travels --to exec socat - FILE:/dev/ttyAMA1",
        "[here] controls-check: status=0",
        "[here] controls-check: taken status=0",
        "[here] controls-check: done",
        "portcullis: travels: restored with ",
        "[there] controls-check: taken status=0",
        "[there] controls-check: travels runs there: ",
        "[there] controls-check: taken status=0",
        "[there] controls-check: travels runs there: ",
        "[there] controls-check: done",
    ]),
    Cases("travels"),
];

/// Over a network between two machines.
const OVER_NETWORK: Case = Case {
    name: "travels",
    manifest: "travels-here.toml",
    beside: Some(Second { manifest: "travels-there.toml", by: Kind::Network }),
    cores: 3,
    manager: true,
    expectations: TWICE,
    ..LINUX
};

pub const CASES: &[Case] = &[
    OVER_NETWORK,
    // What it takes is more than what a whole run has for one case.
    Case { name: "travels-ten", manifest: "travels-ten.toml", named: true, expectations: TEN_TIMES, ..OVER_NETWORK },
    Case {
        name: "serial-travels",
        manifest: "travels-serial-here.toml",
        beside: Some(Second { manifest: "travels-serial-there.toml", by: Kind::Serial }),
        cores: 3,
        manager: true,
        expectations: SERIAL,
        ..LINUX
    },
];
