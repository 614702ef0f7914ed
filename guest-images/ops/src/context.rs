//! What a command works with. Among it are the commands themselves, so that one can run another.

use core::fmt::{self, Write};

use heapless::{String, Vec};
use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::manage;
use portcullis_abi::map::MAX_VMS;

use crate::command::entry::Commands;
use crate::error::{Error, Status};
use crate::management;
use crate::manager::Manager;
use crate::number;
use crate::register::Names;

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
        management::call(self.manager, function, arguments)
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
        if let Some(number) = number::parse(word) {
            return Ok(number);
        }
        let names = vm_names(self.manager)?;
        let position = names.iter().position(|name| name == word);
        position.map(|position| position as u64).ok_or_else(|| {
            let known = Names(names.iter().map(String::as_str));
            Error::wrong(format_args!("no VM is called {word:?}: there are {known}"))
        })
    }

    /// A VM's name, or `VM number` if it has none.
    pub fn title(&mut self, vm: u64) -> String<24> {
        let mut title = String::new();
        let _ = match management::vm_name(self.manager, vm) {
            Ok(name) => write!(title, "{name}"),
            Err(_) => write!(title, "VM {vm}"),
        };
        title
    }
}

/// The names of all VMs, in the order of their numbers.
///
/// # Errors
/// The status of a call.
pub fn vm_names(manager: &mut dyn Manager) -> Result<Vec<String<NAME_MAX>, MAX_VMS>, Status> {
    let count = management::machine(manager)?.vms;
    (0..count.min(MAX_VMS as u64)).map(|vm| management::vm_name(manager, vm)).collect()
}

/// Microseconds in `ticks` of a counter with `frequency` ticks a second.
pub fn microseconds(ticks: u64, frequency: u64) -> u64 {
    let whole = u128::from(ticks) * 1_000_000 / u128::from(frequency.max(1));
    u64::try_from(whole).unwrap_or(u64::MAX)
}
