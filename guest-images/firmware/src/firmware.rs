//! What the firmware does from its start to its end.

use core::fmt::Write;

use firmware::answer::{Answer, State, answer};
use firmware::mode::Setting;
use firmware::place::{HYPERVISOR, MODE, TREE};
use firmware::tally::{FAILED, Tally};

use crate::board::{self, Console, Line};
use crate::processor;

/// Registers x0 to x30 of a caller. The last place is unused.
type Registers = [u64; 32];

/// What is kept from call to call.
pub struct Context {
    state: State,
    tally: Tally,
}

/// The first core arrives here with a stack.
// SAFETY: the name is used by entry.s only, which calls it with this signature.
#[unsafe(no_mangle)]
extern "C" fn firmware_start() -> ! {
    let mut console = Console::new();
    let word = processor::read64(MODE);
    let Some(setting) = Setting::from_word(word) else {
        give_up(format_args!("there is no mode {word:#x}"));
    };
    // An arm64 Image has this at offset 56 (Linux Documentation/arch/arm64/booting.rst).
    if processor::read32(HYPERVISOR + 56).to_le_bytes() != *b"ARM\x64" {
        give_up(format_args!("there is no arm64 Image at {HYPERVISOR:#x}"));
    }
    _ = writeln!(console, "el3: mode {:?}, start {}", setting.mode, setting.start);
    processor::open();
    processor::open_interrupts();
    board::open_interrupts();
    let mut context = Context { state: State::new(setting), tally: Tally::new() };
    processor::enter(HYPERVISOR, TREE, &mut context)
}

/// An SMC. What is left in `registers` is what the caller gets back.
// SAFETY: the name is used by entry.s only, which calls it with the block that it saves registers in, and with what
// `firmware_start` has passed to `enter`: both are valid and used by nothing else.
#[unsafe(no_mangle)]
extern "C" fn firmware_call(registers: &mut Registers, context: &mut Context) {
    let [x0, x1, x2, x3, x4, x5, x6, x7, ..] = *registers;
    let x = [x0, x1, x2, x3, x4, x5, x6, x7];
    context.tally.count(&x);
    match answer(&mut context.state, processor::now(), x) {
        Answer::Four(results) => registers[..4].copy_from_slice(&results),
        Answer::Eight(results) => registers[..8].copy_from_slice(&results),
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
