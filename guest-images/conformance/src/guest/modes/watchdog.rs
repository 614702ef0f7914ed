//! A watchdog that bites, in a VM that starts again when it fails: which life this is stands in memory, as for `reset`.
//!
//! The control VM pauses the first life while it pets. The time is that of the instructions.

use conformance::profile::Profile;
use guest_runtime::{console, counter, cpu, power};
use portcullis_abi::function::WATCHDOG;
use portcullis_abi::watchdog::*;

use super::reset::{boots, by_call, has_other_seeds, note};
use crate::guest::cases::watchdog;
use crate::guest::door::{Answer, Door, code};
use crate::guest::report;

/// The timeout in seconds.
const TIMEOUT: u64 = 1;
/// For how long the first life pets, and how often, in microseconds.
const PETTED: u64 = 4_000_000;
const OFTEN: u64 = 300_000;
/// The pause in which it cannot, by the physical counter, in microseconds: several timeouts.
const PAUSED: u64 = 2_500_000;
/// When a vCPU has to be off, in microseconds.
const PATIENCE: u64 = 5_000_000;
/// So long before its time it must not bite, in microseconds: others may have the core meanwhile.
const EARLY: u64 = 200_000;

/// One life. It begins with the watchdog off, whatever the one before left.
pub fn run(profile: &Profile) {
    let life = boots();
    console::line(format_args!("life: {life}"));
    let door = Door::new(power::conduit());
    if life != 0 {
        has_other_seeds(profile);
    }
    watchdog::off(&door);
    call(&door, SET_TIMEOUT, TIMEOUT);
    match life {
        0 if profile.resets == 0 => abandoned(&door, life, || {
            loop {
                core::hint::spin_loop();
            }
        }),
        0 => {
            petted(&door);
            abandoned(&door, life, || {
                loop {
                    core::hint::spin_loop();
                }
            });
        }
        // The core whose timer is set has a vCPU that is off; the other one waits for what never comes.
        1 if profile.cpus > 1 => {
            let started = cpu::launch(1, || call(&Door::new(power::conduit()), ENABLE, 1), 0);
            report::equal(format_args!("watchdog/start vCPU 1"), Ok(()), started);
            report::equal(format_args!("watchdog/vCPU 1 is off"), true, cpu::join(1, PATIENCE));
            abandoned(&door, life, || {
                loop {
                    cpu::wait_for_interrupt();
                }
            });
        }
        1 | 2 => {
            call(&door, ENABLE, 1);
            note(life + 1);
            by_call(life, profile);
        }
        _ => {
            counter::delay(2 * TIMEOUT * 1_000_000);
            report::pass(format_args!("watchdog/it is off after a reset"));
            note(0);
        }
    }
}

/// The call, which succeeds.
pub fn call(door: &Door, function: u32, argument: u64) {
    let expected = Answer { x: code(SUCCESS), changed: None };
    let got = door.call(WATCHDOG.into(), [function.into(), argument, 0]);
    report::equal(format_args!("watchdog/{function}({argument})"), expected, got);
}

/// It does not bite who pets, nor who is paused, nor once it is off.
fn petted(door: &Door) {
    let begun = [counter::virtual_count(), counter::physical_count()];
    call(door, ENABLE, 1);
    while counter::microseconds(counter::virtual_count() - begun[0]) < PETTED {
        counter::delay(OFTEN);
        let _ = door.call(WATCHDOG.into(), [PET.into(), 0, 0]);
    }
    let passed = [counter::virtual_count() - begun[0], counter::physical_count() - begun[1]];
    let paused = counter::microseconds(passed[1] - passed[0]);
    let name = format_args!("watchdog/stands still while the VM is paused");
    report::holds(name, paused >= PAUSED, "a pause longer than the timeout", &paused);
    call(door, ENABLE, 0);
    counter::delay(2 * TIMEOUT * 1_000_000);
    report::pass(format_args!("watchdog/one that is off does not bite"));
}

/// From here on nobody pets. It bites after its timeout, and not before.
fn abandoned(door: &Door, life: u64, hang: fn() -> !) {
    if watchdog::left(door).is_none() {
        call(door, ENABLE, 1);
    }
    note(life + 1);
    console::line(format_args!("left alone"));
    console::drain();
    let begun = counter::virtual_count();
    let _ = door.call(WATCHDOG.into(), [PET.into(), 0, 0]);
    counter::delay(TIMEOUT * 1_000_000 - EARLY);
    console::line(format_args!(
        "still here after {} ms",
        counter::microseconds(counter::virtual_count() - begun) / 1000
    ));
    console::drain();
    hang()
}
