//! Calls with garbage in every register, by both conduits. Run it in a VM that is not the control VM: management calls
//! are among what it may hit.

use conformance::model::{self, OWNER_SHIFT};
use conformance::profile::Profile;
use guest_runtime::call::Immediate;
use guest_runtime::console;
use guest_runtime::power::Conduit;
use guest_runtime::random::Random;
use portcullis_abi::function::SMCCC_VERSION;
use portcullis_gate::KNOWN;

use crate::guest::door::{Answer, Door, REFUSED};
use crate::guest::report;

/// Deviations after which the run ends.
const ENOUGH: u32 = 5;

/// Makes the calls; each must keep x4 to x30 and SP, and be refused if nobody serves it.
pub fn run(profile: &Profile) {
    console::line(format_args!("mode garbage: {} calls, seed {}", profile.calls, profile.seed));
    let mut random = Random::new(profile.seed);
    let (mut deviations, mut refused) = (0, 0u64);
    for number in 0..profile.calls {
        let function = function(&mut random);
        let hvc = random.below(2) == 0;
        let immediate = match random.below(16) {
            0 => Immediate::One,
            1 => Immediate::Max,
            _ => Immediate::Zero,
        };
        let mut x = core::array::from_fn(|_| random.next());
        x[0] = x[0] & !0xffff_ffff | u64::from(function);
        if random.below(2) == 0 {
            x[1] = argument(&mut random);
        }
        let answer = Door::new(if hvc { Conduit::Hvc } else { Conduit::Smc }).raw(immediate, x);
        let served = immediate == Immediate::Zero && profile.is_open(hvc) && model::is_served(function, profile);
        let unsure = immediate == Immediate::Zero && model::WORKAROUNDS.contains(&function);
        let fits =
            if served || unsure { answer.changed.is_none() } else { answer == Answer { x: REFUSED, changed: None } };
        refused += u64::from(answer.x == REFUSED);
        if !fits {
            let name = format_args!("garbage/call {number} {function:#x} {immediate:?} hvc {hvc}");
            report::fail(name, &if served { "x4 to x30 kept" } else { "a refusal" }, &(&answer, &x[..4]));
            deviations += 1;
            if deviations == ENOUGH {
                return;
            }
        }
    }
    if deviations == 0 {
        report::pass(format_args!("garbage/{} calls", profile.calls));
    }
    let some = refused > 0 && refused < profile.calls;
    report::holds(format_args!("garbage/mix"), some, "some calls refused and some served", &refused);
    let door = Door::new(guest_runtime::power::conduit());
    door.expect(format_args!("garbage/after"), SMCCC_VERSION.into(), [0; 3], [profile.smccc.into(), 0, 0, 0]);
}

/// A function identifier that stops nothing.
fn function(random: &mut Random) -> u32 {
    loop {
        let sample = random.pick(&KNOWN);
        let word = random.next() as u32;
        let function = match random.below(4) {
            0 => word,
            1 => sample,
            2 => sample ^ 1 << (word % 32),
            _ => word & (0xc000_0000 | 7 << OWNER_SHIFT | 0x1ff),
        };
        if !model::is_drastic(function) {
            return function;
        }
    }
}

/// An argument that some function may take for valid.
fn argument(random: &mut Random) -> u64 {
    match random.below(3) {
        0 => random.below(256),
        1 => random.pick(&KNOWN).into(),
        _ => u64::MAX << random.below(64),
    }
}
