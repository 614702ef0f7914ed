//! SGIs to itself and timer interrupts as fast as they go.

use conformance::profile::Profile;
use guest_runtime::{console, counter, cpu, gic};
use portcullis_abi::map::TIMER_VIRTUAL_INTID as TIMER;

use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::report;

/// The SGI in use.
const SGI: u32 = 1;

/// Sends the next SGI when the last has come, and lets the timer fire at once when it last has; none may be lost.
pub fn run(profile: &Profile) {
    console::line(format_args!("mode storm: {} s", profile.seconds));
    interrupts::clear();
    gic::enable(SGI);
    gic::enable(TIMER);
    cpu::unmask_interrupts();
    let (start, duration) = (counter::virtual_count(), counter::ticks(profile.seconds * 1_000_000));
    let (mut sent, mut armed, mut lost) = (0, 0, false);
    while counter::virtual_count().wrapping_sub(start) < duration && !lost {
        if interrupts::count(0, TIMER) == armed {
            armed += 1;
            counter::arm(1, counter::CONTROL_ENABLE);
        }
        sent += 1;
        gic::send(SGI, 1);
        lost = !counter::wait_until(PATIENCE, || interrupts::count(0, SGI) == sent);
    }
    counter::wait_until(PATIENCE, || interrupts::count(0, TIMER) == armed);
    cpu::mask_interrupts();
    counter::set_control(0);
    console::line(format_args!("storm: {sent} SGIs and {armed} timer interrupts"));
    report::equal(format_args!("storm/every SGI came"), sent, interrupts::count(0, SGI));
    report::equal(format_args!("storm/every timer interrupt came"), armed, interrupts::count(0, TIMER));
    report::holds(format_args!("storm/both"), sent > 1 && armed > 1, "several of each", &(sent, armed));
}
