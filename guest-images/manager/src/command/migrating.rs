//! `migrate`, and its other side, which is `restore`.

use std::fmt;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use portcullis_abi::manage::PHASE_GIVEN_AWAY;
use serde_json::json;

use super::Session;
use super::mover::{Mover, Moving};
use super::other::Other;
use crate::cli;
use crate::error::Error;
use crate::interruption::Interruption;
use crate::moving::frame::{Receiver, Sender};
use crate::moving::handover::{Given, Giving, Taken, Taking, run};
use crate::moving::onlooker::{Counted, Onlooker};
use crate::moving::talk::{DONE, GO, GREETING, READY, hear, say};
use crate::moving::wait::Wait;

/// What is said later of a wait during which nothing has happened yet, than of one for which the VM stands still: so often as long.
const UNHURRIED: u32 = 3;

/// The VM was not moved: it goes on here if it `ran`, and what it does is asked, whatever came of that.
fn back(mover: &Mover, ran: bool, why: &str) -> Error {
    let name = &mover.name;
    let resumed = if ran { mover.take_back() } else { Ok(()) };
    let hindered =
        resumed.as_ref().err().map(|error| format!("; it could not be resumed: {error}")).unwrap_or_default();
    match mover.state() {
        Ok(state) if state.phase == PHASE_GIVEN_AWAY => Error::Elsewhere(format!(
            "{name} was not moved ({why}), and runs nowhere: it is given-away here{hindered}; \
             `portcullis resume {name} --even-if-it-runs-elsewhere` lets it go on"
        )),
        Ok(state) => {
            Error::NotMoved(format!("{name} was not moved, and is {} here: {why}{hindered}", state.phase_name()))
        }
        Err(error) => {
            let left = format!("{name} was not moved ({why}), and what it does is not known{hindered}");
            Error::Left(error.into(), left)
        }
    }
}

/// `migrate`.
pub fn migrate(session: &mut Session) -> Result<(), Error> {
    let mover = Mover::of(session)?;
    let (place, matches, output) = (session.place, session.matches, &mut session.output);
    let interruption = Interruption::begin();
    let onlooker = Onlooker::new(session.errors, output.quiet, place.standard.watched);
    let mut other = Other::begin(cli::word(matches, "to"), Wait::new(&interruption, &onlooker))?;
    let (name, limit) = (&mover.name, Some(cli::time(matches, "timeout")));
    let (mut moving, mut ran, mut bytes): (Option<Moving>, _, _) = (None, false, 0);
    let (mut since, mut stood) = (Instant::now(), Duration::ZERO);
    let told = |error: Error| error.to_string();
    let waits = |begin: &str, end: &str| {
        format!("waiting for the other side to {begin} {name}{end}; here it is paused, and Ctrl-C ends this")
    };
    let (end, why) = run(Giving::Greet, Giving::next, |step| match step {
        Giving::Greet => {
            let notice =
                format!("waiting for the other side to answer; {name} was not touched so far, and Ctrl-C leaves it so");
            other.wait.notice = Some((place.unsaid * UNHURRIED, notice));
            other.say(GREETING)?;
            other.hear_greeting()
        }
        Giving::Pause => {
            (other.wait.limit, other.wait.notice) = (limit, None);
            since = Instant::now();
            let begun = mover.begin_save().map_err(told)?;
            ran = begun.ran;
            moving = Some(begun);
            Ok(())
        }
        Giving::Send => {
            let Some(moving) = &mut moving else { return Err("nothing was begun".to_owned()) };
            other.wait.notice = Some((place.unsaid, waits("take more of", "")));
            let mut sender = Sender(Counted::new(other.pipe(), &onlooker, name.clone()));
            let sent = mover.save(moving, &mut sender).and_then(|count| {
                bytes = count;
                Ok(sender.end()?)
            });
            sent.map_err(|error| match error {
                Error::Output(error) => other.last_words(error),
                error => error.to_string(),
            })
        }
        Giving::HearReady => {
            // The port is free for others.
            moving = None;
            other.wait.notice = Some((place.unsaid, waits("have all of", " in place")));
            other.hear(READY)
        }
        Giving::GiveAway => {
            let check = |other: &Other| other.wait.check().map_err(|given_up| given_up.to_string());
            check(&other)?;
            mover.give_away().map_err(told)?;
            // The last moment at which it is known that it does not run there.
            check(&other)
        }
        Giving::SayGo => other.say(GO),
        Giving::HearDone => {
            let notice =
                format!("waiting for the other side to say that {name} runs there; Ctrl-C leaves it given-away here");
            other.wait.notice = Some((place.unsaid, notice));
            other.hear(DONE)?;
            stood = since.elapsed();
            Ok(())
        }
        Giving::Forget => mover.forget().map_err(told),
    });
    drop(moving);
    let why = why.unwrap_or_default();
    let ended = match end {
        Given::Moved => {
            let milliseconds = stood.as_millis() as u64;
            let text = format_args!("{name} runs there: {bytes} bytes, and it stood still for {milliseconds} ms");
            let json = || json!({ "vm": name, "bytes": bytes, "stood_still_ms": milliseconds, "state": "moved" });
            output.done(text, json).map_err(Error::from)
        }
        Given::Untouched => Err(Error::NotMoved(format!("{name} was not moved, nor paused: {why}"))),
        Given::Back => Err(back(&mover, ran, &why)),
        Given::Unknown => Err(Error::Elsewhere(format!(
            "whether {name} runs there is not known ({why}): look there first. Here it is given-away: `portcullis forget {name}` if \
             it runs there, `portcullis resume {name} --even-if-it-runs-elsewhere` if it does not"
        ))),
        Given::Kept => Err(Error::Elsewhere(format!(
            "{name} runs there, and is given-away here still ({why}): `portcullis forget {name}` ends it here"
        ))),
    };
    other.end();
    ended
}

/// The other side of `migrate`, which has greeted: all else that it says comes from `input`, and standard output leads to it.
pub fn take(session: &mut Session, input: &mut dyn Read) -> Result<(), Error> {
    let mover = Mover::of(session)?;
    let out: &mut dyn Write = session.output.out;
    let mut moving = None;
    let said = |failed: &dyn fmt::Display| Error::NotMoved(format!("the other side: {failed}"));
    let (end, why) = run(Taking::Greet, Taking::next, |step| match step {
        Taking::Greet => {
            // Whatever is not possible is known before the VM there is paused.
            moving = Some(mover.begin_restore()?.0);
            Ok(say(out, GREETING)?)
        }
        Taking::Receive => {
            let Some(mut moving) = moving.take() else { return Err(said(&"nothing was begun")) };
            mover.restore(&mut moving, &mut Receiver::new(&mut *input)).map(drop)
        }
        Taking::SayReady => Ok(say(out, READY)?),
        Taking::HearGo => hear(input, GO).map_err(|unheard| said(&unheard)),
        Taking::Resume => mover.resume(),
        Taking::SayDone => Ok(say(out, DONE)?),
    });
    drop(moving);
    let name = &mover.name;
    // Without a step that has failed it has ended well.
    let Some(why) = why else { return Ok(()) };
    match end {
        Taken::Done => Ok(()),
        Taken::Nothing => Err(why),
        Taken::Discard => Err(match mover.discard() {
            Ok(()) => Error::NotMoved(format!("{name} was not told to go on, and is created again: {why}")),
            Err(error) => Error::Elsewhere(format!(
                "{name} was not told to go on ({why}), and could not be recreated: {error}; it is paused, and must not be resumed"
            )),
        }),
        Taken::Keep => Err(Error::Elsewhere(format!(
            "{name} is to go on here and could not be resumed ({why}): `portcullis resume {name}`; the other side has given it away"
        ))),
        Taken::Untold => Err(Error::Elsewhere(format!(
            "{name} runs here, and the other side could not be told ({why}): `portcullis forget {name}` there"
        ))),
    }
}
