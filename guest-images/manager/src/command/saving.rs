//! `save` and `restore`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use serde_json::json;

use super::Session;
use super::migrating::take;
use super::mover::{Mover, Moving};
use crate::error::Error;
use crate::file::Replacement;
use crate::interruption::Interruption;
use crate::moving::onlooker::{Counted, Onlooker};
use crate::moving::talk::{self, GREETING};
use crate::moving::wait::{Wait, Waited};

/// Who can read a saved VM has its keys.
const MODE: u32 = 0o600;
/// The file that is standard output, or standard input.
const STANDARD: &str = "-";

/// `save`. A VM that was paused for it goes on when it fails, or is broken off.
pub fn save(session: &mut Session) -> Result<(), Error> {
    let (mover, file) = (Mover::of(session)?, session.word("FILE").to_owned());
    let (keep, output) = (session.matches.get_flag("keep-running"), &mut session.output);
    let standard = session.place.standard;
    let interruption = Interruption::begin();
    let onlooker = Onlooker::new(session.errors, output.quiet, standard.watched);
    let count =
        |to| Counted::new(Checked { to, wait: Wait::new(&interruption, &onlooker) }, &onlooker, mover.name.clone());
    if file == STANDARD {
        if standard.shown {
            return Err(Error::Wrong(
                "a saved VM is no text for a terminal: `>` puts it into a file, `|` into a program".to_owned(),
            ));
        }
        let mut moving = mover.begin_save()?;
        let saved = mover.save(&mut moving, &mut count(output.out));
        let saved = saved.and_then(|_| Ok(output.out.flush()?));
        // What was asked for is on standard output, and nothing else.
        return end(&mover, moving, saved, keep);
    }
    let failed = |error| Error::File(file.clone(), error);
    let mut fresh = Replacement::of(Path::new(&file), MODE).map_err(failed)?;
    let mut moving = mover.begin_save()?;
    let mut bytes = 0;
    let saved = mover.save(&mut moving, &mut count(&mut fresh));
    let saved = match saved {
        Ok(count) => {
            bytes = count;
            fresh.complete().map_err(failed)
        }
        Err(Error::Output(error)) => Err(failed(error)),
        Err(error) => Err(error),
    };
    end(&mover, moving, saved, keep)?;
    let (name, state) = (&mover.name, mover.state()?);
    let text = format_args!("{name} is in {file}, {bytes} bytes, and is {}", state.phase_name());
    let json = || json!({ "vm": name, "file": file, "bytes": bytes, "state": state.phase_name() });
    Ok(output.done(text, json)?)
}

/// What is written as long as nobody breaks it off.
struct Checked<'a> {
    to: &'a mut dyn Write,
    wait: Wait<'a>,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait.check()?;
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn end(mover: &Mover, moving: Moving, saved: Result<(), Error>, keep: bool) -> Result<(), Error> {
    let ran = moving.ran;
    // The port is closed, and with it what has not ended.
    drop(moving);
    match saved {
        Err(error) => Err(match (mover.after(ran, error), mover.state()) {
            (Error::BrokenOff(why), Ok(state)) => {
                Error::BrokenOff(format!("{} was not saved, and is {}: {why}", mover.name, state.phase_name()))
            }
            (error, _) => error,
        }),
        Ok(()) if ran && keep => mover.resume(),
        Ok(()) => Ok(()),
    }
}

/// `restore`.
pub fn restore(session: &mut Session) -> Result<(), Error> {
    let (vm, file) = (session.word("VM").to_owned(), session.word("FILE").to_owned());
    let input = match &*file {
        STANDARD if session.place.standard.typed => {
            return Err(Error::Wrong(
                "a saved VM cannot be typed, and no other side of a `migrate` is at a terminal; ssh makes none with -T"
                    .to_owned(),
            ));
        }
        STANDARD => io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(Error::Input)?,
        name => File::open(name).map_err(|error| Error::Wrong(format!("{name} cannot be read: {error}")))?,
    };
    let interruption = Interruption::begin();
    let mut ignored = io::sink();
    let nobody = Onlooker::new(&mut ignored, true, false);
    let mut input = Waited { end: input, wait: &mut Wait::new(&interruption, &nobody) };
    // Who hands a VM over says so first.
    let mut first = Vec::new();
    (&mut input).take(GREETING.len() as u64 + 1).read_to_end(&mut first).map_err(Error::input)?;
    if let Some(moves) = talk::is_greeting(&first) {
        let taken = moves.map_err(Error::Wrong).and_then(|()| take(session, &mut input));
        return taken.map_err(|error| {
            // The other side has nothing to say it to any more if this fails.
            let _ = talk::say_wrong(session.output.out, &error.to_string());
            error.of_taking(vm)
        });
    }
    let mover = Mover::of(session)?;
    let output = &mut session.output;
    let onlooker = Onlooker::new(session.errors, output.quiet, session.place.standard.watched);
    let (mut moving, recreated) = mover.begin_restore()?;
    let mut input = Counted::new(first.as_slice().chain(input), &onlooker, mover.name.clone());
    let restored = mover.restore(&mut moving, &mut input);
    drop((moving, input));
    let bytes = restored.map_err(|error| match error {
        Error::BrokenOff(why) => Error::BrokenOff(format!("{} was not restored: {why}", mover.name)),
        error => error,
    })?;
    let (name, state) = (&mover.name, mover.state()?);
    let phase = state.phase_name();
    let first = if recreated { " was recreated and" } else { "" };
    let text = format_args!("{name}{first} is what was saved, {bytes} bytes, and is {phase}; `resume` lets it go on");
    let json = || json!({ "vm": name, "bytes": bytes, "recreated": recreated, "state": phase });
    Ok(output.done(text, json)?)
}
