//! The terminal of an interactive run: raw while the machine runs, as before on every way out.

use std::io::{self, IsTerminal};
use std::panic;
use std::process;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// The settings to go back to.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal is raw as long as this lives.
#[derive(Debug)]
pub struct Raw(());

/// Whether a person sits at both ends.
pub fn interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Raw {
    /// Makes the terminal of standard input raw: every key is passed on, nothing is echoed.
    ///
    /// # Errors
    ///
    /// Standard input is no terminal, or signals cannot be caught.
    pub fn enter() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("the terminal's settings cannot be read")?;
        let mut raw = before.clone();
        raw.make_raw();
        if let Ok(mut saved) = SAVED.lock() {
            *saved = Some(before);
        }
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                restore();
                // QEMU goes with its parent.
                process::exit(128 + signal);
            }
        });
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            restore();
            report(information);
        }));
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).context("the terminal cannot be made raw")?;
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let saved = SAVED.lock().ok().and_then(|mut saved| saved.take());
    if let Some(before) = saved {
        // There is nobody left to tell if this fails.
        _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}
