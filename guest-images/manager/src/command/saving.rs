//! `save` and `restore`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::json;

use super::Session;
use super::migrating::take;
use super::mover::{Mover, Moving};
use crate::error::Error;
use crate::file::Replacement;
use crate::moving::talk::{self, GREETING};

/// Who can read a saved VM has its keys.
const MODE: u32 = 0o600;
/// The file that is standard output, or standard input.
const STANDARD: &str = "-";

/// `save`. A VM that was paused for it goes on when it fails.
pub fn save(session: &mut Session) -> Result<(), Error> {
    let (mover, file) = (Mover::of(session)?, session.word("FILE").to_owned());
    let keep = session.matches.get_flag("keep-running");
    if file == STANDARD {
        let mut moving = mover.begin_save()?;
        let saved = mover.save(&mut moving, session.output.out).and_then(|_| Ok(session.output.out.flush()?));
        // What was asked for is on standard output, and nothing else.
        return end(&mover, moving, saved, keep);
    }
    let failed = |error| Error::File(file.clone(), error);
    let mut fresh = Replacement::of(Path::new(&file), MODE).map_err(failed)?;
    let mut moving = mover.begin_save()?;
    let mut bytes = 0;
    let saved = match mover.save(&mut moving, &mut fresh) {
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
    Ok(session.output.done(text, json)?)
}

fn end(mover: &Mover, moving: Moving, saved: Result<(), Error>, keep: bool) -> Result<(), Error> {
    let ran = moving.ran;
    // The port is closed, and with it what has not ended.
    drop(moving);
    match saved {
        Err(error) => Err(mover.after(ran, error)),
        Ok(()) if ran && keep => mover.resume(),
        Ok(()) => Ok(()),
    }
}

/// `restore`.
pub fn restore(session: &mut Session) -> Result<(), Error> {
    let file = session.word("FILE").to_owned();
    let mut input: Box<dyn Read> = match &*file {
        STANDARD => Box::new(io::stdin().lock()),
        name => Box::new(File::open(name).map_err(|error| Error::Wrong(format!("{name} cannot be read: {error}")))?),
    };
    // Who hands a VM over says so first.
    let mut first = Vec::new();
    (&mut input).take(GREETING.len() as u64 + 1).read_to_end(&mut first).map_err(Error::Input)?;
    if let Some(moves) = talk::is_greeting(&first) {
        return moves.map_err(Error::Wrong).and_then(|()| take(session, &mut *input)).inspect_err(|error| {
            // The other side has nothing to say it to any more if this fails.
            let _ = talk::say_wrong(session.output.out, &error.to_string());
        });
    }
    let mover = Mover::of(session)?;
    let (mut moving, recreated) = mover.begin_restore()?;
    let bytes = mover.restore(&mut moving, &mut first.as_slice().chain(input))?;
    drop(moving);
    let (name, state) = (&mover.name, mover.state()?);
    let phase = state.phase_name();
    let first = if recreated { " was recreated and" } else { "" };
    let text = format_args!("{name}{first} is what was saved, {bytes} bytes, and is {phase}; `resume` lets it go on");
    let json = || json!({ "vm": name, "bytes": bytes, "recreated": recreated, "state": phase });
    Ok(session.output.done(text, json)?)
}
