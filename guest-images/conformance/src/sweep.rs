//! Every function of every owner, in both widths, by both conduits: what the running image answers is held against the
//! gate itself, which this guest carries with it and asks about a VM with the same registers.

use guest_runtime::call;
use guest_runtime::console;
use guest_runtime::power::Conduit;
use portcullis_abi::function::{ARCH_FEATURES, ARCH_WORKAROUND_1, ARCH_WORKAROUND_3};
use portcullis_gate::answers::KNOWN;
use portcullis_gate::{self as gate, Call, Conduits, Register, Return, Row, Support, Verdict, decide};

use crate::profile::Profile;
use crate::report;

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
        report::fail(format_args!("sweep/registers"), &"registers that the gate accepts", profile);
        return;
    };
    for (conduit, name) in [(gate::Conduit::Hvc, "hvc"), (gate::Conduit::Smc, "smc")] {
        for owner in 0..profile.owners.min(64) {
            let all = (0..NUMBERS).flat_map(|number| {
                let function = 0x8000_0000 | owner << 24 | number;
                [function, function | 1 << 30]
            });
            compare(policy, conduit, format_args!("sweep/{name}, owner {owner}"), all.map(|function| (function, 0)));
        }
        let questions = KNOWN.iter().flat_map(|&function| {
            let asked = KNOWN.iter().chain(&UNKNOWN);
            asked.map(move |&asked| (function, asked))
        });
        compare(policy, conduit, format_args!("sweep/{name}, questions"), questions);
        let malformed = KNOWN.iter().flat_map(|&function| (0..32).map(move |bit| (function ^ 1 << bit, 0)));
        compare(policy, conduit, format_args!("sweep/{name}, malformed"), malformed);
    }
}

/// The word of a VM with this one's registers.
fn policy(profile: &Profile) -> Option<gate::Profile> {
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
    let values = [
        (Register::Std, profile.std),
        (Register::StdHyp, profile.std_hyp),
        (Register::VendorHyp, profile.vendor_hyp),
        (Register::VendorHyp2, profile.vendor_hyp_2),
        (Register::PsciVersion, profile.psci.into()),
    ];
    for (register, value) in values {
        row.set(register, value, &support).ok()?;
    }
    Some(row.freeze(None))
}

fn compare(
    policy: gate::Profile,
    conduit: gate::Conduit,
    name: core::fmt::Arguments,
    calls: impl Iterator<Item = (u32, u32)>,
) {
    let instruction = match conduit {
        gate::Conduit::Hvc => Conduit::Hvc,
        gate::Conduit::Smc => Conduit::Smc,
    };
    for (function, argument) in calls {
        let x = [function.into(), argument.into(), 0x5555, 0x6666];
        let expected = match decide(policy, None, &Call::new(conduit, x)) {
            Verdict::Answer(Return(expected)) => expected,
            Verdict::Deny => Return::NOT_SUPPORTED.0,
            Verdict::Serve(_) | Verdict::Forward => continue,
        };
        let got = call::quick(instruction, x);
        if got != expected {
            report::fail(name, &(function, argument, expected), &got);
            return;
        }
    }
    report::pass(name);
}
