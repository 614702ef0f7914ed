//! A second machine beside that of a test, with a serial line between them: a socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use tempfile::TempDir;

use super::said::Said;
use crate::board::Hardware;
use crate::environment::Environment;
use crate::machine::{self, End, Keyboard};
use crate::run::System;

/// Between two looks whether the first machine has made its end of the line.
const STEP: Duration = Duration::from_millis(50);

/// The line. Its folder is a short name wherever this project is: a socket's has at most 107 bytes (unix(7)).
pub struct Line(TempDir);

impl Line {
    /// A line of this run's.
    ///
    /// # Errors
    ///
    /// Its folder cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir().context("the line between two machines has no folder")?))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("line")
    }

    /// QEMU's arguments for an end of the line as its machine's second serial port. The first machine makes the line.
    pub fn arguments(&self, first: bool) -> [String; 4] {
        let role = if first { ",server=on,wait=off" } else { "" };
        let device = format!("socket,id=line,path={}{role}", self.path().display());
        ["-chardev".to_owned(), device, "-serial".to_owned(), "chardev:line".to_owned()]
    }
}

/// The second machine, which runs.
pub struct Beside {
    run: JoinHandle<Result<(Vec<String>, End)>>,
    over: Over,
}

/// The first machine has ended, however that came about: what has not begun by then never will.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Beside {
    /// Builds the machine of this manifest, and starts it when the first one is there. It is ended when it runs for longer than
    /// `limit`.
    ///
    /// # Errors
    ///
    /// It cannot be built.
    pub fn begin(
        environment: &Environment,
        hardware: Hardware,
        manifest: &Path,
        line: &Line,
        limit: Duration,
    ) -> Result<Self> {
        let limits = System::limits(hardware, None);
        let mut system = System::build_for(environment, hardware, &limits, manifest, true, "test/beside.img")
            .context("the second system could not be built")?;
        system.prepare(environment, None)?;
        let mut qemu = system.qemu(environment, None)?;
        qemu.args(["-action", "reboot=shutdown,shutdown=poweroff"]).args(line.arguments(false));
        let (path, start) = (line.path(), Instant::now());
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let run = thread::spawn(move || {
            while !path.exists() {
                let waits = start.elapsed() < limit && !is_over.load(Relaxed);
                ensure!(waits, "the second machine was not started: the first one has made no line");
                thread::sleep(STEP);
            }
            let mut lines = Said::default();
            let end = machine::run(qemu, Keyboard::None, Some(limit), &mut lines)?;
            Ok((lines.0, end))
        });
        Ok(Self { run, over: Over(over) })
    }

    /// Waits until it has ended. Returns what it said, and how it has ended.
    ///
    /// # Errors
    ///
    /// It could not be run.
    pub fn end(self) -> Result<(Vec<String>, End)> {
        drop(self.over);
        self.run.join().map_err(|_| anyhow!("the second machine's thread has panicked"))?
    }
}
