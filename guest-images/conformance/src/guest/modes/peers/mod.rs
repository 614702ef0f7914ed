//! What kvm-unit-tests asks of timers and of the interrupt controller (its arm/timer.c and arm/gic.c, without the ITS), made anew.
//! The names of the cases are in docs/peers.md, beside those of its own.

mod active;
mod ipi;
mod registers;
mod team;
mod timer;

use conformance::profile::Profile;

/// Every case, as vCPU 0 of several. Interrupts are masked but where a case lets them through.
pub fn run(profile: &Profile) {
    timer::run();
    registers::run(profile);
    active::run();
    ipi::run(profile);
}
