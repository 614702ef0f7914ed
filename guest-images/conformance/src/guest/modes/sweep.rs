//! Every function of every owner, in both widths, by both conduits: what the running image answers is held against the
//! gate itself, which this guest carries with it and asks about a VM with the same registers.

use conformance::el3::Firmware;
use conformance::profile::Profile;
use guest_runtime::call;
use guest_runtime::console;
use guest_runtime::power::Conduit;
use portcullis_abi::firmware::SIP_WATCHDOG;
use portcullis_abi::function::{ARCH_FEATURES, ARCH_WORKAROUND_1, ARCH_WORKAROUND_3, TRNG_RND64, TRNG_VERSION};
use portcullis_gate::KNOWN;
use portcullis_gate::{self as gate, Action, Call, Conduits, Filter, Register, Return, Row, Support, Verdict, decide};

use crate::guest::report;

/// Numbers of each: bits 15:0.
const NUMBERS: u32 = 0x1_0000;
/// What the functions that ask about others are asked about: known ones, and two that do not exist.
const UNKNOWN: [u32; 2] = [0x8400_0013, 0xc400_0000];

/// Makes the calls, but those that a service serves: they do something.
pub fn run(profile: &Profile) {
    console::line(format_args!(
        "mode sweep: every function of {} owners, and each known one with each bit wrong",
        profile.owners
    ));
    let Some(policy) = policy(profile) else {
        report::fail(format_args!("sweep/registers"), &"registers and ranges that the gate accepts", profile);
        return;
    };
    for (conduit, name) in CONDUITS {
        for owner in 0..profile.owners.min(64) {
            let all = (0..NUMBERS).flat_map(|number| {
                let function = 0x8000_0000 | owner << 24 | number;
                [function, function | 1 << 30]
            });
            policy.compare(conduit, format_args!("sweep/{name}, owner {owner}"), all.map(|function| (function, 0)));
        }
        policy.questions(conduit, name);
    }
}

/// Every known function and the ends of the filter's ranges, in every form, asked about each other: discovery and calls
/// agree, whatever the registers and the filter.
pub fn matrix(profile: &Profile) {
    let Some(policy) = policy(profile) else {
        report::fail(format_args!("matrix/registers"), &"registers and ranges that the gate accepts", profile);
        return;
    };
    for (conduit, name) in CONDUITS {
        policy.questions(conduit, name);
        let ends = policy.filter.ranges().iter().flat_map(|range| {
            [range.first - 1, range.first, range.first.midpoint(range.last), range.last, range.last.wrapping_add(1)]
        });
        let forms = ends.flat_map(|function| (16..=32).map(move |bit| (form(function, bit), TRNG_RND64)));
        policy.compare(conduit, format_args!("matrix/{name}, ranges"), forms);
        for owner in [1, 2, 3, 4, 7, 48, 50, 63] {
            let some = (0..0x200).chain(0xff00..NUMBERS).flat_map(|number| {
                let function = 0x8000_0000 | owner << 24 | number;
                [(function, TRNG_VERSION), (function | 1 << 30, TRNG_RND64)]
            });
            policy.compare(conduit, format_args!("matrix/{name}, owner {owner}"), some);
        }
    }
}

/// The function with one bit flipped; with bit 32, which it does not have, the function itself.
fn form(function: u32, bit: u32) -> u32 {
    function ^ 1u32.checked_shl(bit).unwrap_or(0)
}

const CONDUITS: [(gate::Conduit, &str); 2] = [(gate::Conduit::Hvc, "hvc"), (gate::Conduit::Smc, "smc")];

/// What the gate decides by, and who answers what it hands to EL3.
struct Policy {
    word: gate::Profile,
    filter: Filter,
    firmware: Firmware,
    client: u64,
}

/// The policy of a VM with this one's registers and ranges.
fn policy(profile: &Profile) -> Option<Policy> {
    let level = |workaround: u32| {
        // The level is the board's own affair; SMCCC_ARCH_FEATURES tells it: -1, 0 or 1.
        let conduit = if profile.hvc { Conduit::Hvc } else { Conduit::Smc };
        let [says, ..] = call::quick(conduit, [ARCH_FEATURES.into(), workaround.into(), 0, 0]);
        says.wrapping_add(1)
    };
    let support = Support {
        workaround_1: level(ARCH_WORKAROUND_1),
        workaround_2: 0,
        workaround_3: level(ARCH_WORKAROUND_3),
        ..Support::FULL
    };
    let conduits = match (profile.hvc, profile.smc) {
        (true, true) => Conduits::BOTH,
        (true, false) => Conduits::HVC,
        (false, _) => Conduits::SMC,
    };
    let row = Row::new();
    row.create(&support, conduits);
    if profile.suspend {
        row.permit_suspend();
    }
    let values = [
        (Register::Std, profile.std),
        (Register::StdHyp, profile.std_hyp),
        (Register::VendorHyp, profile.vendor_hyp),
        (Register::VendorHyp2, profile.vendor_hyp_2),
        (Register::PsciVersion, profile.psci.into()),
        (Register::SmcccVersion, profile.smccc.into()),
        (Register::Sip, u64::from(profile.watchdog != 0) * SIP_WATCHDOG),
    ];
    for (register, value) in values {
        row.set(register, value, &support).ok()?;
    }
    let mut filter = Filter::new();
    profile.forward.add_to(&mut filter, Action::Forward).ok()?;
    profile.deny.add_to(&mut filter, Action::Deny).ok()?;
    let word = row.freeze(Some(&filter));
    Some(Policy { word, filter, firmware: profile.firmware, client: profile.client })
}

impl Policy {
    /// Each known function asked about each other one, and each in malformed forms.
    fn questions(&self, conduit: gate::Conduit, name: &str) {
        let questions = KNOWN.iter().flat_map(|&function| {
            let asked = KNOWN.iter().chain(&UNKNOWN);
            asked.map(move |&asked| (function, asked))
        });
        self.compare(conduit, format_args!("sweep/{name}, questions"), questions);
        let malformed = KNOWN.iter().flat_map(|&function| (0..32).map(move |bit| (function ^ 1 << bit, 0)));
        self.compare(conduit, format_args!("sweep/{name}, malformed"), malformed);
    }

    fn compare(&self, conduit: gate::Conduit, name: core::fmt::Arguments, calls: impl Iterator<Item = (u32, u32)>) {
        let instruction = match conduit {
            gate::Conduit::Hvc => Conduit::Hvc,
            gate::Conduit::Smc => Conduit::Smc,
        };
        for (function, argument) in calls {
            let x = [function.into(), argument.into(), 0x5555, 0x6666];
            let expected = match decide(self.word, Some(&self.filter), &Call::new(conduit, x)) {
                Verdict::Answer(Return(expected)) => expected,
                Verdict::Deny => Return::NOT_SUPPORTED.0,
                Verdict::Forward => match self.firmware.answer(self.client, x) {
                    Some(expected) => expected,
                    None => continue,
                },
                Verdict::Serve(_) => continue,
            };
            let got = call::quick(instruction, x);
            if got != expected {
                report::fail(name, &(function, argument, expected), &got);
                return;
            }
        }
        report::pass(name);
    }
}
