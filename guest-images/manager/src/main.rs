//! The program `portcullis`.

use std::io;
use std::process::ExitCode;

use manager::command;
use manager::port::Place;

fn main() -> ExitCode {
    let exit = command::run(std::env::args_os(), &Place::default(), &mut io::stdout().lock(), &mut io::stderr().lock());
    ExitCode::from(exit as u8)
}
