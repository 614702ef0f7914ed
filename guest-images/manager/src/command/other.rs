//! The command that leads to the other side of a hand-over, and what is said through its pipes.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::error::Error;
use crate::moving::talk::{self, READY, Unheard};
use crate::moving::wait::{GivenUp, Wait, Waited};

/// How long the other side has to say why it takes nothing any more, and the command to end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Between two looks whether it has ended.
const STEP: Duration = Duration::from_millis(10);

/// The command that leads to the other side.
pub struct Other<'a> {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    greeted: bool,
    /// How it is waited for.
    pub wait: Wait<'a>,
}

impl<'a> Other<'a> {
    /// Begins the command.
    pub fn begin(command: &str, wait: Wait<'a>) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::NotMoved(format!("{command:?} cannot be run: {error}"));
        let mut shell = Command::new("/bin/sh");
        // What it has to say beside is for whoever sees this program's errors.
        shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().map_err(failed)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        // This end alone: a command that reads nothing must not keep the program from being broken off.
        let flags = fcntl_getfl(&to).and_then(|flags| fcntl_setfl(&to, flags | OFlags::NONBLOCK));
        flags.map_err(|error| failed(error.into()))?;
        Ok(Self { child, to, from, greeted: false, wait })
    }

    /// What takes the stream.
    pub fn pipe(&mut self) -> impl Write {
        Waited { end: &mut self.to, wait: &mut self.wait }
    }

    /// Waits until it greets.
    pub fn hear_greeting(&mut self) -> Result<(), String> {
        let heard = talk::hear_greeting(&mut Waited { end: &mut self.from, wait: &mut self.wait });
        self.greeted = heard.is_ok();
        heard.map_err(|unheard| self.explain(unheard))
    }

    /// Waits until it says this.
    pub fn hear(&mut self, line: &'static str) -> Result<(), String> {
        let heard = talk::hear(&mut Waited { end: &mut self.from, wait: &mut self.wait }, line);
        heard.map_err(|unheard| self.explain(unheard))
    }

    /// Says this.
    pub fn say(&mut self, line: &str) -> Result<(), String> {
        let said = talk::say(&mut self.pipe(), line);
        said.map_err(|error| self.last_words(error))
    }

    /// Why it takes nothing any more: what it says of that, or what the pipe does.
    pub fn last_words(&mut self, error: io::Error) -> String {
        if GivenUp::of(&error).is_none() {
            self.wait.limit = Some(LAST_WORDS);
            self.wait.notice = None;
            let from = &mut Waited { end: &mut self.from, wait: &mut self.wait };
            // It says no more than that which is not of what is wrong.
            match if self.greeted { talk::hear(from, READY) } else { talk::hear_greeting(from) } {
                Ok(()) | Err(Unheard::Broken(_)) => {}
                Err(unheard) => return self.explain(unheard),
            }
        }
        self.explain(Unheard::Broken(error))
    }

    fn explain(&mut self, unheard: Unheard) -> String {
        let ended = if matches!(unheard, Unheard::Closed(..)) { self.ended() } else { None };
        match (unheard, ended) {
            // What is pressed at a terminal ends the command, too.
            _ if self.wait.check().is_err() => GivenUp::BrokenOff.to_string(),
            (Unheard::Closed(line, before), Some(status)) => {
                format!("the command has ended ({status}) instead of saying {line:?}{before}")
            }
            (unheard, _) => unheard.to_string(),
        }
    }

    /// How it has ended, if that is so soon.
    fn ended(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < LAST_WORDS && self.wait.check().is_ok() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(STEP);
        }
        None
    }

    /// Ends it, whatever it does.
    pub fn end(mut self) {
        drop((self.to, self.from));
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
