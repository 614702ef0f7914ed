//! Runs a script of the shell `ops` on Linux, so that what tests the management calls by HVC tests them by the port as well. The
//! script is the program's arguments; it reports cases as the shell does.

mod linux;
mod printer;

use std::process::ExitCode;
use std::time::Duration;

use manager::port::{Place, Port};
use ops_shell::command::COMMANDS;
use ops_shell::context::Context;
use ops_shell::script;

use linux::Linux;
use printer::Printer;

/// How long others may have the port.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let line = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let place = Place::default();
    let port = match Port::open(&place, &place.lock, PATIENCE) {
        Ok(port) => port,
        Err(failed) => {
            println!("ops: {failed}");
            return ExitCode::FAILURE;
        }
    };
    // Begins the report of cases for whoever counts them.
    println!("ops: arguments {line:?}");
    let (mut linux, mut printer) = (Linux::new(port), Printer);
    let mut context = Context::new(&mut linux, &mut printer, COMMANDS);
    script::run(&mut context, &line);
    if context.tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
