//! What management calls cost, in instructions: only on an emulator that counts one tick of the counter an instruction, and
//! only in the control VM, with a second VM that was created and not started yet.

use conformance::profile::Profile;
use guest_runtime::call;
use guest_runtime::counter::{self, CONTROL_ENABLE, CONTROL_STATUS};
use guest_runtime::power::Conduit;
use guest_runtime::{cpu, gic};
use portcullis_abi::{firmware, manage};

use crate::guest::report;

/// Calls of each kind.
const CALLS: u64 = 1000;
/// The VM that the calls are about.
const OTHER: u64 = 1;
/// Most instructions of a GET or SET.
const MOST: u64 = 600;

/// Most instructions from START to a VM that runs, but for what its RAM takes.
const MOST_START: u64 = 300_000;
/// Most instructions for which a MiB of its RAM is zeroed: DC CIVAC and DC ZVA of 16,384 lines of 64 bytes, five for two lines.
const MOST_MIB: u64 = 82_500;
/// Instructions between two looks at a VM that is being started.
const NAP: u64 = 5_000;
/// INTID of the virtual timer (Arm BSA, PPI 11).
const TIMER: u32 = 27;

/// Measures a GET, a SET, a SET that is refused, and a START.
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
    start();
}

/// Starts the other VM and sleeps meanwhile, so that all instructions but those of the looks are spent on the start.
fn start() {
    const RUNNING: u64 = manage::PHASE_RUNNING | manage::PROGRESS_NONE << 8;
    let state = || call::quick(Conduit::Hvc, [manage::VM_STATE.into(), OTHER, 0, 0])[1] & 0xffff;
    report::equal(format_args!("cost/created"), manage::PHASE_CREATED, state());
    gic::enable(TIMER);
    let [.., size] = call::quick(Conduit::Hvc, [manage::VM_STATE.into(), OTHER, 0, 0]);
    let most = MOST_START + (size >> 20) * MOST_MIB;
    let begin = counter::virtual_count();
    let [status, ..] = call::quick(Conduit::Hvc, [manage::START.into(), OTHER, 0, 0]);
    let spent = || counter::virtual_count().wrapping_sub(begin);
    while state() != RUNNING && spent() <= most {
        counter::arm(NAP, CONTROL_ENABLE);
        while counter::control() & CONTROL_STATUS == 0 {
            cpu::wait_for_interrupt();
        }
    }
    let spent = spent();
    counter::set_control(0);
    gic::disable(TIMER);
    report::equal(format_args!("cost/started"), (0, RUNNING), (status, state()));
    guest_runtime::console::line(format_args!("cost: start at most {spent} instructions"));
    report::holds(format_args!("cost/start"), spent <= most, "at most 300000 instructions, and 82500 a MiB", &spent);
    call::quick(Conduit::Hvc, [manage::STOP.into(), OTHER, 0, 0]);
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
