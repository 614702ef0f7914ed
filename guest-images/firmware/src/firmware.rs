//! What the firmware does from its start to its end.

use core::fmt::Write;

use firmware::answer::{State, answer};
use firmware::cores::{MOST, STARTED};
use firmware::mode::{Mode, Setting};
use firmware::place::{HYPERVISOR, MODE, TREE};
use firmware::reply::{Answer, Start};
use firmware::tally::{FAILED, Tally};

use crate::board::{self, Console, Line};
use crate::shared::{Context, Shared};
use crate::{leftovers, parking, processor};

/// Registers x0 to x30 of a caller. The last place is unused.
type Registers = [u64; 32];

/// Every core arrives here, on a stack of its own.
// SAFETY: the name is used by entry.s only, which calls it with this signature.
#[unsafe(no_mangle)]
extern "C" fn firmware_start(core: usize) -> ! {
    if core == 0 {
        start_first()
    }
    let (start, shared) = parking::wait(core);
    descend(start, shared)
}

fn start_first() -> ! {
    let mut console = Console::new();
    let word = guest_mmio::read64(MODE);
    let Some(setting) = Setting::from_word(word) else {
        give_up(format_args!("there is no mode {word:#x}"));
    };
    // An arm64 Image has this at offset 56 (Linux Documentation/arch/arm64/booting.rst).
    if guest_mmio::read32(HYPERVISOR + 56).to_le_bytes() != *b"ARM\x64" {
        give_up(format_args!("there is no arm64 Image at {HYPERVISOR:#x}"));
    }
    let cores = board::cores(MOST);
    if cores > MOST {
        give_up(format_args!("there are more than {MOST} cores"));
    }
    _ = writeln!(console, "el3: mode {:?}, start {}", setting.mode, setting.start);
    board::open_distributor(setting.mode != Mode::Deaf);
    if setting.mode == Mode::Stays {
        processor::go(HYPERVISOR, TREE);
    }
    let shared = Shared::new(Context { state: State::new(setting, cores), tally: Tally::new() });
    // SAFETY: nothing returns to this frame, and the vectors use the stack below it.
    let shared: &'static Shared = unsafe { &*core::ptr::from_ref(&shared) };
    descend(Start { core: 0, entry: HYPERVISOR, argument: TREE }, shared)
}

/// Sets this core up and enters EL2 on it.
fn descend(start: Start, shared: &'static Shared) -> ! {
    processor::open();
    processor::open_interrupts();
    let mode = shared.lock().state.mode();
    board::open_redistributor(start.core, mode != Mode::Deaf);
    if mode == Mode::Leftovers {
        board::leave_interrupts(start.core);
        leftovers::fill_registers();
        processor::enter_as_it_is(start, shared);
    }
    processor::enter(start, shared)
}

/// An SMC. What is left in `registers` is what the caller gets back.
// SAFETY: the name is used by entry.s only, which calls it with the block that it saves registers in, which nothing else
// uses, and with what `descend` has passed to `enter`.
#[unsafe(no_mangle)]
extern "C" fn firmware_call(registers: &mut Registers, shared: &'static Shared) {
    let [x0, x1, x2, x3, x4, x5, x6, x7, ..] = *registers;
    let x = [x0, x1, x2, x3, x4, x5, x6, x7];
    let mut context = shared.lock();
    context.tally.count(&x);
    match answer(&mut context.state, processor::now(), x) {
        Answer::Four(results) => registers[..4].copy_from_slice(&results),
        Answer::Eighteen(results) => registers[..18].copy_from_slice(&results),
        Answer::Eight(results) => registers[..8].copy_from_slice(&results),
        Answer::Late(counts) => {
            registers[0] = 0;
            // Others are answered meanwhile.
            drop(context);
            let begin = processor::now().count;
            while processor::now().count.wrapping_sub(begin) < counts {}
        }
        Answer::Start(start) => {
            parking::start(start, shared);
            registers[0] = STARTED;
        }
        // The lock is never released: what other cores call now is neither counted nor answered.
        Answer::PowerOff => end(&context.tally, Line::Off),
        Answer::Reset => end(&context.tally, Line::Reset),
    }
}

fn end(tally: &Tally, line: Line) -> ! {
    _ = write!(Console::new(), "{tally}");
    board::power(line)
}

/// Anything that comes to EL3 and is not an SMC with immediate 0 from AArch64.
// SAFETY: the name is used by entry.s only, which jumps to it with these arguments.
#[unsafe(no_mangle)]
extern "C" fn firmware_unexpected(vector: u64, esr: u64, elr: u64, far: u64) -> ! {
    give_up(format_args!("unexpected exception: vector {vector}, ESR {esr:#x}, ELR {elr:#x}, FAR {far:#x}"))
}

/// Says why and switches the machine off.
fn give_up(why: core::fmt::Arguments) -> ! {
    _ = writeln!(Console::new(), "{FAILED}{why}");
    board::power(Line::Off)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    give_up(format_args!("{info}"))
}
