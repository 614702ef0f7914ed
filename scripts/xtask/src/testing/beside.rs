//! A second machine beside that of a test, with a serial line or a network between them: a socket in a folder of its own.

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

/// Between two looks whether the first machine has made its end of what leads to it.
const STEP: Duration = Duration::from_millis(50);

/// What leads from one machine to the other.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A line between the second serial port of each.
    Serial,
    /// An Ethernet, at which each has a card: virtio's, in the last transport.
    Network,
}

/// The second machine of a test.
#[derive(Clone, Copy, Debug)]
pub struct Second {
    /// Its manifest, in `scripts/manifests`.
    pub manifest: &'static str,
    /// What leads to it.
    pub by: Kind,
}

/// What leads there, in this run. The socket's folder has a short name wherever this project is: a socket's has at most 107 bytes
/// (unix(7)).
pub struct Link {
    folder: TempDir,
    kind: Kind,
}

impl Link {
    /// A link of this run's.
    ///
    /// # Errors
    ///
    /// Its folder cannot be made.
    pub fn new(kind: Kind) -> Result<Self> {
        let folder = tempfile::tempdir().context("what leads from one machine to the other has no folder")?;
        Ok(Self { folder, kind })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("link")
    }

    /// QEMU's arguments for one end of it. The first machine makes the socket.
    pub fn arguments(&self, first: bool) -> Vec<String> {
        let path = self.path();
        let path = path.display();
        match self.kind {
            Kind::Serial => {
                let role = if first { ",server=on,wait=off" } else { "" };
                vec![
                    "-chardev".to_owned(),
                    format!("socket,id=link,path={path}{role}"),
                    "-serial".into(),
                    "chardev:link".into(),
                ]
            }
            Kind::Network => {
                let role = if first { ",server=on" } else { "" };
                let address = u8::from(!first);
                vec![
                    "-global".into(),
                    "virtio-mmio.force-legacy=false".into(),
                    "-netdev".into(),
                    format!("stream,id=link,addr.type=unix,addr.path={path}{role}"),
                    "-device".into(),
                    format!("virtio-net-device,netdev=link,mac=52:54:00:00:00:0{address}"),
                ]
            }
        }
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
        link: &Link,
        limit: Duration,
    ) -> Result<Self> {
        let limits = System::limits(hardware, None);
        let mut system = System::build_for(environment, hardware, &limits, manifest, true, "test/beside.img")
            .context("the second system could not be built")?;
        system.prepare(environment, None)?;
        let mut qemu = system.qemu(environment, None)?;
        qemu.args(["-action", "reboot=shutdown,shutdown=poweroff"]).args(link.arguments(false));
        let (path, start) = (link.path(), Instant::now());
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let run = thread::spawn(move || {
            while !path.exists() {
                let waits = start.elapsed() < limit && !is_over.load(Relaxed);
                ensure!(waits, "the second machine was not started: the first one has made nothing that leads to it");
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
