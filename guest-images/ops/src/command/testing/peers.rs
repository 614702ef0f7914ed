//! `peers`: the cases that other hypervisors of this interface test from inside a guest, made by this VM itself.
//!
//! The names are those of the cases: H7 to H9 are what a guest sees of closed and open registers, S3 and S4 what it sees of
//! stolen time.

use controls::function;
use portcullis_abi::function::*;
use portcullis_abi::result::{NOT_SUPPORTED, PSCI_INVALID_PARAMETERS};

use crate::command::entry::{Command, Kind, usage};
use crate::context::{Context, STEP};
use crate::error::Error;
use crate::manager::{Answer, Conduit};

/// The command.
pub static PEERS: Command = Command {
    name: "peers",
    arguments: "closed|open",
    about: "makes every gated call itself: with all registers clear, or at their defaults",
    kinds: &[Kind::Word(&["closed", "open"])],
    count: (1, 1),
    run,
};

/// The calls that the bitmap registers gate, with their argument.
const GATED: [(u32, u64); 11] = [
    (TRNG_VERSION, 0),
    (TRNG_FEATURES, TRNG_RND64 as u64),
    (TRNG_GET_UUID, 0),
    (TRNG_RND32, 0),
    (TRNG_RND64, 0),
    (ARCH_FEATURES, PV_TIME_FEATURES as u64),
    (PV_TIME_FEATURES, PV_TIME_ST as u64),
    (PV_TIME_ST, 0),
    (VENDOR_FEATURES, 0),
    (VENDOR_UID, 0),
    (VENDOR_PTP, 0),
];
/// Questions that nobody says yes to.
const REFUSED: [(u32, u64); 3] =
    [(TRNG_FEATURES, VENDOR_PTP as u64), (ARCH_FEATURES, TRNG_RND64 as u64), (PV_TIME_FEATURES, TRNG_RND64 as u64)];
/// PSCI functions that a VM is not offered without more.
const ABSENT: [(&str, u32); 2] = [("P2 SYSTEM_SUSPEND", 0x8400_000e), ("P2 SYSTEM_SUSPEND64", 0xc400_000e)];
/// SYSTEM_OFF2, and which types of it there are: bit 0 is HIBERNATE_OFF (DEN0022F, 5.11).
const SYSTEM_OFF2: [(&str, u32); 2] = [("SYSTEM_OFF2", PSCI_SYSTEM_OFF2), ("SYSTEM_OFF2_64", PSCI_SYSTEM_OFF2 | SMC64)];
const HIBERNATE_OFF: u64 = 1;
const NO: Answer = Answer { status: NOT_SUPPORTED, values: [0; 3] };
/// How long the hypervisor may look for the moment at which its clock's seconds begin, in microseconds: PTP is refused until then.
const PATIENCE: u64 = 10_000_000;

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let open = match *arguments {
        ["open"] => true,
        ["closed"] => false,
        _ => return Err(usage(&PEERS)),
    };
    for (conduit, by) in [(Conduit::Hvc, "hvc"), (Conduit::Smc, "smc")] {
        for (function, argument) in GATED {
            let answer = if open && function == VENDOR_PTP {
                told(context, conduit)?
            } else {
                context.manager.firmware_call(conduit, function, [argument, 0, 0])
            };
            let name = function::name(function);
            if open {
                let refused = answer.status == NOT_SUPPORTED;
                context.case(
                    format_args!("H8 {by} {name} answers"),
                    refused.then_some(format_args!("expected no -1 got {answer:x?}")),
                );
            } else {
                context.equal(format_args!("H7 {by} {name} is refused"), NO, answer);
            }
        }
        for (function, argument) in REFUSED {
            let answer = context.manager.firmware_call(conduit, function, [argument, 0, 0]);
            let about = function::name(argument as u32);
            context.equal(format_args!("H9 {by} {} of {about} is -1", function::name(function)), NO, answer);
        }
        let version = context.manager.firmware_call(conduit, PSCI_VERSION, [0; 3]);
        context.equal(format_args!("PSCI {by} answers whatever the registers"), 1, version.status >> 16);
        for (name, function) in ABSENT {
            let answer = context.manager.firmware_call(conduit, PSCI_FEATURES, [u64::from(function), 0, 0]);
            context.equal(format_args!("{name} {by} is not offered"), NO, answer);
        }
        for (name, function) in SYSTEM_OFF2 {
            let answer = context.manager.firmware_call(conduit, PSCI_FEATURES, [u64::from(function), 0, 0]);
            let types = Answer { status: HIBERNATE_OFF as i64, ..Answer::default() };
            context.equal(format_args!("P3 {by} {name} has its type"), types, answer);
            for kind in [1, 0] {
                let answer = context.manager.firmware_call(conduit, function, [kind, 1, 0]);
                let invalid = Answer { status: PSCI_INVALID_PARAMETERS, ..Answer::default() };
                context.equal(format_args!("P3 {by} {name} of type {kind} with a cookie is refused"), invalid, answer);
            }
        }
        if open {
            stolen_time(context, conduit, by);
        }
    }
    Ok(())
}

/// The time, as soon as it is told, or the refusal of a clock that never tells it.
fn told(context: &mut Context, conduit: Conduit) -> Result<Answer, Error> {
    let start = context.manager.counter();
    loop {
        let answer = context.manager.firmware_call(conduit, VENDOR_PTP, [0; 3]);
        if answer != NO || context.elapsed(start) >= PATIENCE {
            return Ok(answer);
        }
        context.manager.sleep(STEP)?;
    }
}

fn stolen_time(context: &mut Context, conduit: Conduit, by: &str) {
    for (function, about) in
        [(ARCH_FEATURES, PV_TIME_FEATURES), (PV_TIME_FEATURES, PV_TIME_FEATURES), (PV_TIME_FEATURES, PV_TIME_ST)]
    {
        let answer = context.manager.firmware_call(conduit, function, [u64::from(about), 0, 0]);
        let (asked, about) = (function::name(function), function::name(about));
        context.equal(format_args!("S3 {by} {asked} of {about} is 0"), Answer::default(), answer);
    }
    let first = context.manager.firmware_call(conduit, PV_TIME_ST, [0; 3]);
    let again = context.manager.firmware_call(conduit, PV_TIME_ST, [0; 3]);
    let aligned = first.status > 0 && first.status % 64 == 0 && first.values == [0; 3];
    context.equal(format_args!("S4 {by} PV_TIME_ST gives one address, aligned to 64"), (true, first), (aligned, again));
}
