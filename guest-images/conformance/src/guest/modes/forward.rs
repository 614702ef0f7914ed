//! Calls that go to EL3: what comes back, what is kept, and what never gets there. The test firmware answers them.

use conformance::profile::Profile;
use firmware::echo::{BASE_32, BASE_64, BEHIND_32, BEHIND_64, COUNT, EIGHT, LATE, MARK, TRASH, TRASHED, WHOLE};
use guest_runtime::call::{Immediate, Registers, call};
use guest_runtime::counter;
use guest_runtime::power::{self, Conduit};
use portcullis_abi::function::SMCCC_VERSION_1_2;

use crate::guest::door::{Door, JUNK};
use crate::guest::report;

/// Calls in a row.
const MANY: u64 = 1000;

/// The cases of every open conduit. The ranges of the test firmware's echo are forwarded, all else is not.
pub fn run(profile: &Profile) {
    for conduit in [Conduit::Hvc, Conduit::Smc] {
        if profile.is_open(conduit == Conduit::Hvc) {
            let door = Door::new(conduit);
            results(&door, profile);
            kept(&door, profile);
            refused(&door);
        }
    }
}

/// One call that keeps this core at EL3, where it hears nothing.
pub fn late(profile: &Profile) {
    let start = counter::virtual_count();
    let answer = Door::new(power::conduit()).call(LATE.into(), [profile.seconds * 1_000, 0, 0]);
    let took = counter::virtual_count() - start;
    let right = answer.x[0] == 0 && took >= counter::ticks(profile.seconds * 1_000_000);
    report::holds(format_args!("forward/late"), right, "0, after its time", &(answer.x[0], took));
}

/// Results, and what EL3 sees.
fn results(door: &Door, profile: &Profile) {
    let client = profile.client;
    for number in [0, 1, 0x0f, 0x11, COUNT - 1] {
        for base in [BASE_32, BASE_64] {
            let function = base + number;
            let expected = [u64::from(function ^ MARK), 0x1001, 0x2002, client];
            door.expect(format_args!("forward/{function:#x}"), function.into(), [0x1000, 0x2000, 0x3000], expected);
        }
    }
    let function = BASE_64 + 1;
    let expected = [u64::from(function ^ MARK), (JUNK | 1) + 1, 2, client];
    let name = format_args!("forward/upper half of x0");
    door.expect(name, JUNK | u64::from(function), [JUNK | 1, 0, 0], expected);
    let name = format_args!("forward/upper halves of an SMC32 call");
    door.expect(name, WHOLE.into(), [JUNK | 1, JUNK | 2, JUNK | 3], [0, 1, 2, 3]);
    for (function, cut) in [(BEHIND_32, u64::from(u32::MAX)), (BEHIND_64, u64::MAX)] {
        let answer = door.call(function.into(), [0; 3]);
        // What `Door::call` puts into x4 to x6.
        let pattern = |n: u64| 0x5a5a_a5a5_0000_0000 | (u64::from(function) & 0xffff) << 16 | (0x0101 * n);
        let expected = [0, pattern(4) & cut, pattern(5) & cut, pattern(6) & cut];
        report::equal(format_args!("{}/forward/x4 to x6 of {function:#x}", door.name()), expected, answer.x);
    }
    let right = (0..MANY).all(|n| {
        let expected = [u64::from(function ^ MARK), n + 1, n + 2, client];
        door.call(function.into(), [n, n, n]).x == expected
    });
    report::holds(format_args!("{}/forward/{MANY} calls", door.name()), right, "the same each time", &right);
}

/// All of EL3's results where it may return so many and this VM is told so, and otherwise every register but x0 to x3 as it was.
fn kept(door: &Door, profile: &Profile) {
    let pattern: [u64; 31] = core::array::from_fn(|n| 0xa5a5_0000_5a5a_0000 | (n as u64 * 0x101));
    let after = |function: u32| {
        let mut registers = Registers::new(pattern);
        registers.x[0] = function.into();
        call(door.conduit(), Immediate::Zero, &mut registers);
        registers
    };
    let eight = after(EIGHT);
    let wide = profile.wide && profile.smccc >= SMCCC_VERSION_1_2;
    let results = if wide { 8 } else { 4 };
    let expected: [u64; 8] = core::array::from_fn(|n| if n < results { 0x100 + n as u64 } else { pattern[n] });
    report::equal(
        format_args!("{}/forward/eight results", door.name()),
        expected,
        core::array::from_fn(|n| eight.x[n]),
    );
    let rest = eight.x[8..] == pattern[8..] && eight.sp_before == eight.sp_after;
    report::holds(format_args!("{}/forward/x8 and up", door.name()), rest, "x8 to x30 and SP as before", &eight.x);
    let trash = after(TRASH);
    let results = if wide { 18 } else { 4 };
    let expected: [u64; 31] = core::array::from_fn(|n| if n < results { TRASHED } else { pattern[n] });
    report::equal(format_args!("{}/forward/eighteen results", door.name()), expected, trash.x);
    report::equal(format_args!("{}/forward/SP after these", door.name()), trash.sp_before, trash.sp_after);
    let four = after(BASE_64 + 2);
    let rest = four.x[4..] == pattern[4..] && four.sp_before == four.sp_after;
    report::holds(format_args!("{}/forward/x4 and up", door.name()), rest, "x4 to x30 and SP as before", &four.x);
}

/// What looks like a function of a range and is none.
fn refused(door: &Door) {
    for function in [BASE_32 - 1, BASE_32 + COUNT, BASE_64 - 1, BASE_64 + COUNT, 0x8300_0000, 0x8400_ff01, 0xbf00_ff01]
    {
        door.refused(format_args!("forward/beyond {function:#x}"), function.into(), [1, 2, 3]);
    }
    for bit in (16..24).chain([24, 29, 31]) {
        let function = BASE_64 ^ 1 << bit;
        door.refused(format_args!("forward/other form {function:#x}"), function.into(), [1, 2, 3]);
    }
    for immediate in [Immediate::One, Immediate::Max] {
        let answer = door.call_with(immediate, BASE_64.into(), [1, 2, 3]);
        let name = format_args!("{}/forward/immediate {immediate:?}", door.name());
        report::equal(name, crate::guest::door::REFUSED, answer.x);
    }
}
