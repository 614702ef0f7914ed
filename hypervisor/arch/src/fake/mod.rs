//! The core that a host test has in place of a real one. Each thread is a core of its own.
//!
//! A register reads as what was written to it, or set by the test, and as zero before. Those that are more than a word on
//! hardware are so here, where the code above depends on it: the counter and the timers' conditions, what an acknowledgement
//! finds pending ([`pend`]), which list registers are empty, the OS lock and the claim tags. Barriers, cache and TLB
//! maintenance do nothing, and are [recorded](record) if the test wants to see them. A guest is a queue of what it does
//! ([`guest`]), and [`run`] is the core that enters it.

pub(crate) mod core;
mod event;
pub(crate) mod gicv2;
mod guest;
mod run;

use self::core::with;
pub use self::event::{Event, Frame};
pub use self::gicv2::{install as install_gicv2, write as set_gicv2};
pub use self::guest::{Outcome, Trap};
pub(crate) use self::run::{enter, wait};
pub use self::run::{guest, is_in_guest, on_wait, run};

/// Gives this thread a core that has just been switched on: every register is zero, nothing is pending, nothing is queued. The
/// machine has no GICv2.
pub fn reset() {
    run::reset();
    core::reset();
}

/// A core, while this thread is another one.
#[derive(Default)]
pub struct Core {
    hardware: core::Hardware,
    course: run::Course,
}

/// Has this thread go on as `core`, and gives back the one that it was: so one test has several cores, in turns.
pub fn become_core(core: Core) -> Core {
    let Core { hardware, course } = core;
    Core { hardware: with(|here| std::mem::replace(here, hardware)), course: run::exchange(course) }
}

/// Sets what a register holds, by the name that the assembler has for it, in lower case. Unlike a write by the code under test it
/// is not recorded, and it reaches what software can only read: an ID register, ESR_EL2.
pub fn set(register: &'static str, value: u64) {
    with(|core| core.set(register, value));
}

/// Has bits of a register be set whatever is written there: those that are RES1, or RAO, on the core that is meant.
pub fn keep(register: &'static str, bits: u64) {
    with(|core| core.keep(register, bits));
}

/// Reads a register as `mrs` does: `icc_iar1_el1` acknowledges.
pub fn read(register: &'static str) -> u64 {
    core::read(register)
}

/// Writes a register as `msr` does.
///
/// # Safety
///
/// None is needed; it is unsafe like the instruction for which it stands, so that callers read the same everywhere.
pub unsafe fn write(register: &'static str, value: u64) {
    core::write(register, value);
}

/// V0 to V31.
pub fn vectors() -> [u128; 32] {
    with(|core| core.vectors)
}

/// Sets V0 to V31.
pub fn set_vectors(values: [u128; 32]) {
    with(|core| core.vectors = values);
}

/// Lets `ticks` of the physical counter go by.
pub fn advance(ticks: u64) {
    with(|core| core.advance(ticks));
}

/// Has every read of the physical counter find it `ticks` later. From a reset on it stands still, but for [`advance`].
pub fn tick(ticks: u64) {
    with(|core| core.tick = ticks);
}

/// Has an interrupt pend at this core's CPU interface, behind those that do. `acknowledged` is what the register reads from
/// which it is acknowledged: the INTID, and on a GICv2 an SGI's sender in bits 12:10.
pub fn pend(acknowledged: u32) {
    with(|core| core.pending.push_back(acknowledged));
}

/// How many interrupts pend at this core's CPU interface.
pub fn pending() -> usize {
    with(|core| core.pending.len())
}

/// Has an SError pend, behind those that do: `syndrome` is what ESR_EL2 tells when it is taken.
pub fn raise_error(syndrome: u64) {
    with(|core| core.errors.push_back(syndrome));
}

/// Takes an SError, as a core does that no longer masks them. None: none is pending.
pub(crate) fn take_error() -> Option<u64> {
    with(|core| core.errors.pop_front())
}

/// Serves this core's SMCs from now on. Without it every function is unknown: x0 is -1, x1 to x3 are zero.
pub fn firmware(serve: impl FnMut(&mut [u64; 18]) + 'static) {
    with(|core| core.firmware = Some(Box::new(serve)));
}

/// Makes an SMC.
pub(crate) fn smc(x: &mut [u64; 18]) {
    happens(Event::Smc(*x));
    // It is taken out meanwhile: it may look at the core itself.
    let serve = with(|core| core.firmware.take());
    match serve {
        Some(mut serve) => {
            serve(x);
            with(|core| {
                core.firmware.get_or_insert(serve);
            });
        }
        None => {
            let [x0, x1, x2, x3, ..] = x;
            (*x0, *x1, *x2, *x3) = (u64::MAX, 0, 0, 0);
        }
    }
}

/// What RNDRRS gives from now on, in order: nothing when there is nothing left.
pub fn random(values: impl IntoIterator<Item = u64>) {
    with(|core| core.random.extend(values));
}

/// One reading of RNDRRS.
pub(crate) fn draw() -> Option<u64> {
    with(|core| core.random.pop_front())
}

/// Records what happens on this core from now on.
pub fn record() {
    with(|core| core.events = Some(Vec::new()));
}

/// What has happened since [`record`], in order, and no longer records it. Empty if nothing was recorded.
pub fn recorded() -> Vec<Event> {
    with(|core| core.events.take()).unwrap_or_default()
}

/// Something happens that is no access to a register.
pub fn happens(event: Event) {
    with(|core| core.note(event));
}

#[cfg(test)]
mod tests;
