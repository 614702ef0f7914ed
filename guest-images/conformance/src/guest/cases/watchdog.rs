//! The watchdog: every function of the call and every error of each.

use conformance::profile::Profile;
use guest_runtime::counter;
use portcullis_abi::function::WATCHDOG;
use portcullis_abi::watchdog::*;

use crate::guest::door::{Door, JUNK, code};
use crate::guest::report;

/// A part of a second, in microseconds.
const PAUSE: u64 = 50_000;

/// The call with a function and its argument; what is above their 32 bits is no part of them.
fn expect(door: &Door, function: u32, argument: u32, expected: [u64; 4]) {
    for junk in [0, JUNK] {
        let name = format_args!("watchdog/{function:#x}({argument:#x}) with {junk:#x}");
        let arguments = [junk | u64::from(function), junk | u64::from(argument), junk];
        door.expect(name, WATCHDOG.into(), arguments, expected);
    }
}

/// What is left, in seconds, if the call tells it.
pub fn left(door: &Door) -> Option<u64> {
    let [x0, seconds, x2, x3] = door.call(WATCHDOG.into(), [GET_TIMELEFT.into(), 0, 0]).x;
    ([x0, x2, x3] == [0; 3]).then_some(seconds)
}

/// The cases of this service. It is off afterwards.
pub fn run(door: &Door, profile: &Profile) {
    if profile.watchdog == 0 {
        for function in [INIT, SET_TIMEOUT, ENABLE, PET, GET_TIMELEFT, 5] {
            door.refused(format_args!("watchdog/denied {function}"), WATCHDOG.into(), [function.into(), 1, 0]);
        }
        return;
    }
    let longest = profile.watchdog;
    expect(door, INIT, 7, [0, u64::from(TIMEOUT_MIN), longest, 0]);
    off(door);
    for argument in [0, longest as u32 + 1, u32::MAX] {
        expect(door, SET_TIMEOUT, argument, code(INVALID_PARAMETERS));
    }
    for argument in [2, 0x8000_0001, u32::MAX] {
        expect(door, ENABLE, argument, code(INVALID_PARAMETERS));
    }
    for function in [5, 0x100, u32::MAX] {
        expect(door, function, 1, code(NOT_SUPPORTED));
    }
    // A call of the other width, or one that another owner would have, is none of it.
    for function in [WATCHDOG | 1 << 30, WATCHDOG & !(1 << 31), WATCHDOG | 1 << 16, WATCHDOG + 1] {
        door.refused(format_args!("watchdog/no such function {function:#x}"), function.into(), [INIT.into(), 0, 0]);
    }
    off(door);
    for seconds in [longest as u32, longest.div_ceil(2) as u32] {
        expect(door, SET_TIMEOUT, seconds, code(SUCCESS));
        expect(door, ENABLE, 1, code(SUCCESS));
        report::equal(format_args!("{}/watchdog/left of {seconds}", door.name()), Some(seconds.into()), left(door));
        counter::delay(PAUSE);
        expect(door, PET, 0, code(SUCCESS));
        report::equal(format_args!("{}/watchdog/left after a pet", door.name()), Some(seconds.into()), left(door));
    }
    // What is refused leaves it on.
    expect(door, ENABLE, 2, code(INVALID_PARAMETERS));
    expect(door, SET_TIMEOUT, 0, code(INVALID_PARAMETERS));
    report::equal(format_args!("{}/watchdog/still on", door.name()), true, left(door).is_some());
    expect(door, ENABLE, 0, code(SUCCESS));
    expect(door, ENABLE, 0, code(SUCCESS));
    off(door);
    expect(door, SET_TIMEOUT, longest as u32, code(SUCCESS));
    off(door);
}

/// Cases of one that is off: it can neither be petted nor asked for what is left.
pub fn off(door: &Door) {
    expect(door, PET, 0, code(DISABLED));
    expect(door, GET_TIMELEFT, 0, code(DISABLED));
}
