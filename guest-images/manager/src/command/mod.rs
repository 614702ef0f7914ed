//! The commands: a file for each group.

mod console;
mod lifecycle;
mod loading;
mod manual;
mod metrics;
mod migrating;
mod mover;
mod other;
mod reports;
mod saving;
mod settings;
mod top;
mod tracing;
mod waiting;
mod watching;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::error::ErrorKind;

use crate::cli::{self, program};
use crate::error::Error;
use crate::exit::Exit;
use crate::output::Output;
use crate::port::{Failed, Place, Port};

/// Runs the program with these arguments, the first of which is its name.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    place: &Place,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Exit {
    let matches = match program().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let (to, exit): (&mut dyn Write, Exit) = if asked { (out, Exit::Success) } else { (errors, Exit::Usage) };
            return if write!(to, "{}", error.render()).and_then(|()| to.flush()).is_ok() {
                exit
            } else {
                Exit::Output
            };
        }
    };
    let output = Output { out, json: matches.get_flag("json"), quiet: matches.get_flag("quiet") };
    match carry_out(&matches, place, output, errors) {
        Ok(()) => Exit::Success,
        Err(error) => {
            // There is nobody left to tell of an error in this.
            let _ = writeln!(errors, "portcullis: {error}");
            error.exit()
        }
    }
}

/// What a command works with.
struct Session<'a> {
    place: &'a Place,
    matches: &'a ArgMatches,
    output: Output<'a>,
    /// Where errors are said.
    errors: &'a mut dyn Write,
}

impl Session<'_> {
    /// Opens the port, for as long as it is kept.
    fn port(&self) -> Result<Port, Failed> {
        open_port(self.place, self.matches)
    }

    /// The file by which programs take turns.
    fn lock(&self) -> PathBuf {
        lock(self.place, self.matches)
    }

    /// An argument of the command.
    fn word(&self, name: &str) -> &str {
        cli::word(self.matches, name)
    }
}

/// The file by which programs take turns.
fn lock(place: &Place, matches: &ArgMatches) -> PathBuf {
    matches.get_one::<String>("lock").map_or_else(|| place.lock.clone(), PathBuf::from)
}

/// Opens the port, for as long as it is kept.
fn open_port(place: &Place, matches: &ArgMatches) -> Result<Port, Failed> {
    Port::open(place, &lock(place, matches), cli::time(matches, "wait"))
}

fn carry_out<'a>(
    matches: &'a ArgMatches,
    place: &'a Place,
    output: Output<'a>,
    errors: &'a mut dyn Write,
) -> Result<(), Error> {
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Error::Wrong("no command was given; `portcullis help` lists them".to_owned()));
    };
    let session = &mut Session { place, matches, output, errors };
    match name {
        "vms" => reports::vms(session),
        "regs" => reports::registers(session),
        "get" => reports::get(session),
        "links" => reports::links(session),
        "stats" => reports::stats(session),
        "refused" => reports::refused(session),
        "logs" => reports::logs(session),
        "audit" => reports::audit(session),
        "console" => console::console(session),
        "set" => settings::set(session),
        "clear" => settings::clear(session),
        "rule" => settings::rule(session),
        "filter" => settings::filter(session),
        "time" => settings::time(session),
        "wait" => waiting::wait(session),
        "top" => top::top(session),
        "watch" => watching::watch(session),
        "trace" => tracing::trace(session),
        "metrics" => metrics::metrics(session),
        "load" => loading::load(session),
        "save" => saving::save(session),
        "restore" => saving::restore(session),
        "migrate" => migrating::migrate(session),
        "power" => lifecycle::power_off(session),
        "completions" => manual::completions(session),
        "man" => manual::page(session),
        _ => lifecycle::run(session, name),
    }
}
