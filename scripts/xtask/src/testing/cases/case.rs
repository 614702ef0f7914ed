//! One run of a system in QEMU, and what many of them have in common.

use crate::board::{Board, Gic};
use crate::defect::Defect;
use crate::el3::El3;
use crate::loaders::Loader;
use crate::machine::script::Step;
use crate::testing::beside::Second;
use crate::testing::damage::Damage;
use crate::testing::expectation::Expectation::{
    self, All, Cases, Clock, Date, Entropy, Line, Never, Says, Sequence, Value,
};

/// One run of a system in QEMU.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name in the list of results.
    pub name: &'static str,
    /// The machine.
    pub board: Board,
    /// The manifest, in `scripts/manifests`.
    pub manifest: &'static str,
    /// CPU model; none for the board's default.
    pub cpu: Option<&'static str>,
    /// Physical cores.
    pub cores: u32,
    /// The board's interrupt controller.
    pub gic: Gic,
    /// What runs below the hypervisor.
    pub el3: El3,
    /// The boot loader that starts the image; none: QEMU does.
    pub loader: Option<Loader>,
    /// Further arguments of QEMU's.
    pub arguments: &'static [&'static str],
    /// What is typed.
    pub keys: &'static [Step],
    /// Whether the machine's RAM is full of what a boot loader left.
    pub soiled: bool,
    /// The serial port that the image itself names.
    pub early_console: Option<&'static str>,
    /// The symbol of the image behind whose first instruction there is one that does not exist.
    pub broken: Option<&'static str>,
    /// What is done to the bundle before the start.
    pub damage: Option<Damage>,
    /// What is wrong with the device tree.
    pub defect: Option<Defect>,
    /// The end of the machine's last line, if it then halts: nobody powers it off.
    pub halts: Option<&'static str>,
    /// A second machine, to which something leads. Its lines follow those of this one.
    pub beside: Option<Second>,
    /// Whether it runs only if it is asked for by the end of its name.
    pub named: bool,
    /// Whether a guest has the program `portcullis`, which not every compiler can build: without it the case is left out.
    pub manager: bool,
    /// What must be true of the console in the end.
    pub expectations: &'static [Expectation],
}

/// What a kernel says when it found vendor services: functions "features" and "PTP".
const SERVICES: Expectation =
    Line("smccc: KVM: hypervisor services detected (0x00000000 0x00000000 0x00000000 0x00000003)");
/// No Linux may see a fault of the kernel, or miss something in its device tree. Of a lock-up it is not for a host that is busy.
pub const NO_OOPS: Expectation = All(&[
    Never("Kernel panic"),
    Never("Internal error: "),
    Never("kernel BUG at "),
    Never("WARNING: CPU: "),
    Never("Unable to detect cache hierarchy"),
]);

/// What the kernels print of services that they found.
pub const FOUND: Expectation = All(&[SERVICES, Line("arm-pv: using stolen time PV")]);
/// linux-a has every service but, perhaps, TRNG.
pub const OPEN: Expectation = All(&[
    Value("linux-a", "cpus", "2"),
    Value("linux-a", "hypervisor", "portcullis,hypervisor"),
    Value("linux-a", "vendor", "yes"),
    Value("linux-a", "pv-time", "yes"),
    Value("linux-a", "ptp", "yes"),
    Clock("linux-a"),
]);
/// Both know what day it is, whatever else they are allowed.
const DATES: Expectation = All(&[
    Value("linux-a", "rtc_name", "rtc-pl031 9010000.pl031"),
    Value("linux-b", "rtc_name", "rtc-pl031 9010000.pl031"),
    Date("linux-a"),
    Date("linux-b"),
]);
/// A process of linux-a's that reads an address at which nothing is ends by SIGBUS (signal 7), as it would on a board: the VM
/// counts that and goes on.
pub const BUS_ERROR: Expectation = All(&[
    Value("linux-a", "stray-read", "SIGBUS"),
    Line("gets an abort: access outside memory and devices: pc 0x"),
    Never("stopped:"),
]);
/// linux-a has TRNG, and from its first instruction on random words in its device tree.
pub const RANDOM: Expectation =
    All(&[Value("linux-a", "trng", "yes"), Entropy("linux-a"), Says("linux-a", "KASLR enabled")]);
/// linux-b has no service, and no seed.
pub const CLOSED: Expectation = All(&[
    Says("linux-b", "KASLR disabled due to lack of seed"),
    Value("linux-b", "cpus", "2"),
    Value("linux-b", "vendor", "no"),
    Value("linux-b", "trng", "no"),
    Value("linux-b", "pv-time", "no"),
    Value("linux-b", "ptp", "no"),
]);

/// A VM with every service next to one with none.
pub const TWO_DOORS: &[Expectation] = &[
    NO_OOPS,
    FOUND,
    OPEN,
    DATES,
    RANDOM,
    BUS_ERROR,
    Value("linux-a", "psci", "1.3"),
    Value("linux-a", "smccc", "1.1"),
    Value("linux-a", "rng_current", "smccc_trng"),
    Value("linux-a", "name", "KVM virtual PTP"),
    CLOSED,
    Value("linux-b", "psci", "1.3"),
    Value("linux-b", "smccc", "1.1"),
    Value("linux-b", "rng_current", "none"),
    Value("linux-b", "name", ""),
];

/// The same on a CPU without an instruction for random numbers: nobody is offered TRNG, all else is as before.
pub const NO_ENTROPY_SOURCE: &[Expectation] =
    &[NO_OOPS, FOUND, OPEN, Value("linux-a", "trng", "no"), Value("linux-a", "rng_current", "none"), CLOSED];

/// What the control VM does for that.
pub const DEMONSTRATION_SCRIPT: Expectation = Sequence(&[
    "ops> set linux-a std all",
    "ops> clear linux-b",
    "ops> start linux-b",
    "[ops] ops: script: 9 commands, 0 failed",
]);

/// Two Linux guests; the case that others begin with.
pub const LINUX: Case = Case {
    name: "linux",
    board: Board::QemuVirt,
    manifest: "two-doors.toml",
    cpu: None,
    cores: 4,
    gic: Gic::V3,
    el3: El3::None,
    loader: None,
    arguments: &[],
    keys: &[],
    soiled: false,
    early_console: None,
    broken: None,
    damage: None,
    defect: None,
    halts: None,
    beside: None,
    named: false,
    manager: false,
    expectations: TWO_DOORS,
};
/// Every case of the conformance guest.
pub const CONFORMANCE: Case = Case {
    name: "conformance",
    manifest: "conformance.toml",
    expectations: &[Cases("all"), Cases("none"), Cases("part")],
    ..LINUX
};
/// A VM that is paused. The time is that of the instructions, 64 ns each, and a machine that waits skips it: only a pause makes a
/// busy guest's counters jump.
pub const PAUSE: Case = Case {
    name: "pause",
    manifest: "pause.toml",
    arguments: &["-icount", "shift=6,sleep=off"],
    expectations: &[Cases("ops"), Cases("held")],
    ..LINUX
};
