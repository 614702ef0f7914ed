//! `disturbed`: how often EL2 took an interrupt while a VM had a core.

use controls::number;
use controls::report::counters::counter;
use portcullis_abi::manage;

use crate::command::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// `disturbed`.
pub static DISTURBED: Command = Command {
    name: "disturbed",
    arguments: "VM MOST",
    about: "a case: EL2 took at most so many interrupts of its own in 10 ms that it ran",
    kinds: &[Kind::Vm, Kind::Free],
    count: (2, 2),
    run: disturbed,
};

/// The cause "interrupt" of exits.
const INTERRUPT: u64 = 1;
/// 10 ms in nanoseconds.
const STRETCH: u64 = 10_000_000;

fn disturbed(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[name, most] = arguments else { return Err(usage(&DISTURBED)) };
    let vm = context.vm(name)?;
    let most = number::parse(most).ok_or_else(|| Error::wrong(format_args!("{most:?} is no number")))?;
    let interrupts = counter(context.manager, vm, manage::COUNTER_EXITS, INTERRUPT)?;
    let [_, vcpus, _] = context.call(manage::VM_STATE, [vm, 0, 0])?;
    let mut ran = 0u64;
    for vcpu in 0..vcpus & 0xff {
        let [nanoseconds, ..] = context.call(manage::VM_VCPU_TIMES, [vm, vcpu, 0])?;
        ran = ran.saturating_add(nanoseconds);
    }
    let stretches = ran / STRETCH;
    let detail = format_args!("{interrupts} interrupts in {stretches} times 10 ms");
    context.line(detail);
    let met = stretches > 0 && interrupts <= stretches.saturating_mul(most);
    context.case(format_args!("{name} is disturbed {most} times in 10 ms at the most"), (!met).then_some(detail));
    Ok(())
}
