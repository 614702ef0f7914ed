//! `migrate`, and its other side, which is `restore`.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_abi::manage::PHASE_GIVEN_AWAY;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::Session;
use super::mover::{Mover, Moving};
use crate::error::Error;
use crate::moving::frame::{Receiver, Sender};
use crate::moving::handover::{Given, Giving, Taken, Taking, run};
use crate::moving::talk::{DONE, GO, GREETING, READY, hear, say};

/// How long the other side has to say why it takes nothing any more.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The command that leads to the other side.
struct Other {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Other {
    fn begin(command: &str) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::NotMoved(format!("{command:?} cannot be run: {error}"));
        let mut shell = Command::new("/bin/sh");
        // What it has to say beside is for whoever sees this program's errors.
        shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(to), Some(from)) => Ok(Self { child, to, from }),
            _ => Err(failed(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn hear(&mut self, line: &str) -> Result<(), String> {
        hear(&mut self.from, line)
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        say(&mut self.to, line).map_err(|error| self.last_words(&error))
    }

    /// Why it takes nothing any more: what it says of that, or what the pipe does.
    fn last_words(&mut self, error: &io::Error) -> String {
        let last = &mut Until { from: &mut self.from, end: Instant::now() + LAST_WORDS };
        // It says no more than this that is not of what is wrong.
        hear(last, READY).err().unwrap_or_else(|| broken(error))
    }

    /// Ends it, whatever it does.
    fn end(mut self) {
        drop((self.to, self.from));
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A pipe that is read until a time, and is broken from then on.
struct Until<'a> {
    from: &'a mut ChildStdout,
    end: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(self.from, PollFlags::IN)], Some(&left))? {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            _ => self.from.read(bytes),
        }
    }
}

fn broken(error: &io::Error) -> String {
    format!("the pipe has broken: {error}")
}

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
    let mut other = Other::begin(session.word("to"))?;
    let (mut moving, mut ran, mut bytes): (Option<Moving>, _, _) = (None, false, 0);
    let (mut since, mut stood) = (Instant::now(), Duration::ZERO);
    let told = |error: Error| error.to_string();
    let (end, why) = run(Giving::Greet, Giving::next, |step| match step {
        Giving::Greet => {
            other.say(GREETING)?;
            other.hear(GREETING)
        }
        Giving::Pause => {
            since = Instant::now();
            let begun = mover.begin_save().map_err(told)?;
            ran = begun.ran;
            moving = Some(begun);
            Ok(())
        }
        Giving::Send => {
            let Some(moving) = &mut moving else { return Err("nothing was begun".to_owned()) };
            let mut sender = Sender(&mut other.to);
            let sent = mover.save(moving, &mut sender).and_then(|count| {
                bytes = count;
                Ok(sender.end()?)
            });
            sent.map_err(|error| match error {
                Error::Output(error) => other.last_words(&error),
                error => error.to_string(),
            })
        }
        Giving::HearReady => {
            // The port is free for others.
            moving = None;
            other.hear(READY)
        }
        Giving::GiveAway => mover.give_away().map_err(told),
        Giving::SayGo => other.say(GO),
        Giving::HearDone => {
            other.hear(DONE)?;
            stood = since.elapsed();
            Ok(())
        }
        Giving::Forget => mover.forget().map_err(told),
    });
    drop(moving);
    let (name, why) = (&mover.name, why.unwrap_or_default());
    let ended = match end {
        Given::Moved => {
            let milliseconds = stood.as_millis() as u64;
            let text = format_args!("{name} runs there: {bytes} bytes, and it stood still for {milliseconds} ms");
            let json = || json!({ "vm": name, "bytes": bytes, "stood_still_ms": milliseconds, "state": "moved" });
            session.output.done(text, json).map_err(Error::from)
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
    let said = |failed: String| Error::NotMoved(format!("the other side: {failed}"));
    let (end, why) = run(Taking::Greet, Taking::next, |step| match step {
        Taking::Greet => {
            // Whatever is not possible is known before the VM there is paused.
            moving = Some(mover.begin_restore()?.0);
            Ok(say(out, GREETING)?)
        }
        Taking::Receive => {
            let Some(mut moving) = moving.take() else { return Err(said("nothing was begun".to_owned())) };
            mover.restore(&mut moving, &mut Receiver::new(&mut *input)).map(drop)
        }
        Taking::SayReady => Ok(say(out, READY)?),
        Taking::HearGo => hear(input, GO).map_err(said),
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
