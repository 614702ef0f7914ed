//! Command line of the tool behind `scripts/`.

use std::env;
use std::process::ExitCode;

use xtask::options::{self, Command, USAGE};
use xtask::{bench, image, package, picture, run, testing};

fn main() -> ExitCode {
    let command = match Command::parse(env::args().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            let command = env::args().nth(1).unwrap_or_default();
            eprintln!("error: {message}\n{}", options::usage(&command));
            return ExitCode::from(2);
        }
    };
    let result = match command {
        Command::Run(options) => run::run(&options).map(|()| true),
        Command::Test(options) => testing::test(options.filter.as_deref(), options.all),
        Command::Bench(options) => bench::bench(options),
        Command::Image(options) => image::image(&options).map(|()| true),
        Command::Package(out) => package::write(&out).map(|()| true),
        Command::Picture(options) => picture::picture(&options).map(|()| true),
        Command::Help => {
            println!("{USAGE}");
            Ok(true)
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
