//! What a command works with. Among it are the commands themselves, so that one can run another.

use core::fmt::{self, Write};

use controls::duration::microseconds;
use controls::status::Status;
use controls::vm;
use heapless::String;
use portcullis_abi::manage;

use crate::command::entry::Commands;
use crate::error::Error;
use crate::manager::Manager;

/// Microseconds between two looks at a VM that is waited for.
pub const STEP: u64 = 2_000;
/// Microseconds for which a command waits until a VM is ready for it.
const PATIENCE: u64 = 20_000_000;

/// What becomes of the VM that the shell runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// This VM switches itself off; the others go on.
    Exit,
}

/// Cases that were reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that passed.
    pub passed: u32,
    /// Those that failed.
    pub failed: u32,
}

/// What a command works with.
pub struct Context<'a> {
    /// The VM around the shell.
    pub manager: &'a mut dyn Manager,
    /// Where the command prints.
    pub out: &'a mut dyn Write,
    /// The commands that there are.
    pub commands: Commands,
    /// The cases of this run.
    pub tally: Tally,
    /// Set when the shell is to end.
    pub ending: Option<Ending>,
}

impl<'a> Context<'a> {
    /// A context before the first command.
    pub const fn new(manager: &'a mut dyn Manager, out: &'a mut dyn Write, commands: Commands) -> Self {
        Self { manager, out, commands, tally: Tally { passed: 0, failed: 0 }, ending: None }
    }

    /// Prints a line. A console takes everything, so that there is no error to hand on.
    pub fn line(&mut self, text: fmt::Arguments) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Prints a report.
    pub fn print(&mut self, report: &dyn fmt::Display) {
        let _ = write!(self.out, "{report}");
    }

    /// Reports a case as a line; `detail` says what was wrong, if something was.
    pub fn case(&mut self, name: fmt::Arguments, detail: Option<fmt::Arguments>) {
        match detail {
            None => {
                self.tally.passed = self.tally.passed.saturating_add(1);
                self.line(format_args!("case {name}: ok"));
            }
            Some(detail) => {
                self.tally.failed = self.tally.failed.saturating_add(1);
                self.line(format_args!("case {name}: FAIL {detail}"));
            }
        }
    }

    /// A case that passes if `got` is `expected`.
    pub fn equal<T: PartialEq + fmt::Debug>(&mut self, name: fmt::Arguments, expected: T, got: T) {
        if got == expected {
            self.case(name, None);
        } else {
            self.case(name, Some(format_args!("expected {expected:x?} got {got:x?}")));
        }
    }

    /// A case that passes if a call's status is `expected`, one of [`manage::STATUSES`].
    pub fn status(&mut self, name: fmt::Arguments, expected: i64, got: Result<[u64; 3], Status>) {
        let got = got.map_or_else(|status| status, |_| Status(manage::SUCCESS));
        if got == Status(expected) {
            self.case(name, None);
        } else {
            let word = |status: Status| status.name().unwrap_or("?");
            let expected = word(Status(expected));
            self.case(name, Some(format_args!("expected {expected} got {} ({})", word(got), got.0)));
        }
    }

    /// Prints the sum of the cases, if there were any.
    pub fn sum_up(&mut self) {
        let Tally { passed, failed } = self.tally;
        if passed != 0 || failed != 0 {
            self.line(format_args!("cases: {passed} passed, {failed} failed"));
        }
    }

    /// Makes a management call.
    ///
    /// # Errors
    /// Its status.
    pub fn call(&mut self, function: u32, arguments: [u64; 3]) -> Result<[u64; 3], Status> {
        self.manager.call(function, arguments)
    }

    /// Makes a management call on a VM, again and again while something else is in progress with that VM.
    ///
    /// # Errors
    /// Its status, or Ctrl-C.
    pub fn call_settled(&mut self, function: u32, arguments: [u64; 3]) -> Result<[u64; 3], Error> {
        let start = self.manager.counter();
        loop {
            match self.call(function, arguments) {
                Err(Status(manage::BUSY)) if self.elapsed(start) < PATIENCE => self.manager.sleep(STEP)?,
                result => return Ok(result?),
            }
        }
    }

    /// Microseconds since the counter was at `start`.
    pub fn elapsed(&self, start: u64) -> u64 {
        microseconds(self.manager.counter().wrapping_sub(start), self.manager.frequency())
    }

    /// Number of the VM that a word means: a name, or a number, whether there is such a VM or not.
    ///
    /// # Errors
    /// No VM has this name.
    pub fn vm(&mut self, word: &str) -> Result<u64, Error> {
        Ok(vm::find(self.manager, word)?)
    }

    /// A VM's name, or `VM number` if it has none.
    pub fn title(&mut self, vm: u64) -> String<24> {
        vm::title(self.manager, vm)
    }
}
