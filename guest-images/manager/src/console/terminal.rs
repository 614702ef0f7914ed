//! A person's terminal, raw for as long as it is a VM's, or a script's pipes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use portcullis_console::RESET;
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// For as long a terminal may still answer what a guest has asked it: that is not to be the shell's.
const ANSWERS: Duration = Duration::from_millis(100);

/// See the module. It is as before when this is dropped.
#[derive(Debug)]
pub struct Terminal {
    input: File,
    output: File,
    /// How the terminal was set, if it is one.
    before: Option<Termios>,
    ended: Arc<AtomicBool>,
}

impl Terminal {
    /// Takes the terminal of the program's standard input and output.
    ///
    /// # Errors
    /// It cannot be set.
    pub fn enter() -> io::Result<Self> {
        let (input, output) = (io::stdin().as_fd().try_clone_to_owned()?, io::stdout().as_fd().try_clone_to_owned()?);
        Self::of(input.into(), output.into())
    }

    /// Takes a terminal, or what is none.
    ///
    /// # Errors
    /// It cannot be set.
    pub fn of(input: File, output: File) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&ended))?;
        }
        // Of what is no terminal there is nothing to know.
        let before = tcgetattr(&input).ok().filter(|_| tcgetattr(&output).is_ok());
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(&input, OptionalActions::Now, &raw)?;
        }
        Ok(Self { input, output, before, ended })
    }

    /// Whether there is a person.
    pub const fn is_terminal(&self) -> bool {
        self.before.is_some()
    }

    /// Whether the program is to end.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Reads what was typed, of which there is some. 0: there will be no more.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.input.read(bytes) {
            // A terminal whose other end is gone.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(0),
            count => count,
        }
    }

    /// Shows what a VM has written, as it is.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// Says something to a person, in a line of its own.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        if self.is_terminal() { write!(self.output, "\r\nportcullis: {line}\r\n") } else { Ok(()) }
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(before) = &self.before else { return };
        // Nobody is left to be told that it did not work. What the guest did to the screen is undone, as at the serial line.
        let _ = self.output.write_all(RESET);
        thread::sleep(ANSWERS);
        let _ = tcflush(&self.input, QueueSelector::IFlush);
        let _ = tcsetattr(&self.input, OptionalActions::Now, before);
    }
}
