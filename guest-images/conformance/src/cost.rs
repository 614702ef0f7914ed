//! What management calls cost, in instructions: only on an emulator that counts one tick of the counter an instruction, and
//! only in the control VM, with a second VM that was created and not started.

use guest_runtime::call;
use guest_runtime::counter;
use guest_runtime::power::Conduit;
use portcullis_abi::{firmware, manage};

use crate::profile::Profile;
use crate::report;

/// Calls of each kind.
const CALLS: u64 = 1000;
/// The VM that the calls are about.
const OTHER: u64 = 1;
/// Most instructions of a GET or SET.
const MOST: u64 = 600;

/// Measures a GET, a SET and a SET that is refused.
pub fn run(_: &Profile) {
    let hertz = counter::frequency();
    report::holds(format_args!("cost/ruler"), hertz == 1_000_000_000, "a counter of 1 GHz", &hertz);
    let loops = measure([u64::MAX; 4], false);
    let calls = [
        ("get", [manage::REGISTER_GET.into(), OTHER, firmware::STD, 0]),
        ("set", [manage::REGISTER_SET.into(), OTHER, firmware::STD, 0]),
        ("refused set", [manage::REGISTER_SET.into(), OTHER, firmware::STD, u64::MAX]),
    ];
    for (name, x) in calls {
        let each = measure(x, true).saturating_sub(loops) / CALLS;
        guest_runtime::console::line(format_args!("cost: {name} {each} instructions"));
        report::holds(format_args!("cost/{name}"), (1..=MOST).contains(&each), "at most 600 instructions", &each);
    }
    let [status, value, ..] = call::quick(Conduit::Hvc, [manage::REGISTER_GET.into(), OTHER, firmware::STD, 0]);
    report::equal(format_args!("cost/they were real"), (0, 0), (status, value));
}

/// Ticks of [`CALLS`] calls, or of as many rounds without one.
fn measure(x: [u64; 4], made: bool) -> u64 {
    let start = counter::virtual_count();
    for _ in 0..CALLS {
        if made {
            core::hint::black_box(call::quick(Conduit::Hvc, core::hint::black_box(x)));
        } else {
            core::hint::black_box(core::hint::black_box(x));
        }
    }
    counter::virtual_count().wrapping_sub(start)
}
