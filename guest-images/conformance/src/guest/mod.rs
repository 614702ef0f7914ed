//! The guest's main function: reads the command line and runs what it asks for.

mod cases;
mod door;
mod excursion;
mod interrupts;
mod listener;
mod modes;
mod moves;
mod report;
mod tables;

use core::panic::PanicInfo;

use conformance::profile::Profile;
use guest_runtime::arguments::Arguments;
use guest_runtime::{console, exception, power};

guest_runtime::main!(run);

fn run(line: &'static str) -> ! {
    console::line(format_args!("conformance: arguments \"{line}\""));
    match Profile::parse(Arguments::new(line)) {
        Ok(profile) => {
            exception::set_interrupt_handler(interrupts::handle);
            modes::run(&profile);
        }
        Err(problem) => report::fail(format_args!("arguments"), &problem.expected, &problem.got),
    }
    report::finish();
    power::off()
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    console::urgent_line(format_args!("case panic: FAIL expected none got {info}"));
    power::off()
}
