//! One run under the hypervisor: a bundle of measuring guests, QEMU with the instruction counter, the results.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench_guests::configuration::Configuration;

use super::guest::Guest;
use super::plugin::{self, Results};
use crate::board::{Board, Gic, Hardware};
use crate::el3::El3;
use crate::environment::Environment;
use crate::machine::{self, End, Keyboard, Next, Watcher};
use crate::run::System;

/// When a run that hangs is ended.
const TIMEOUT: Duration = Duration::from_secs(240);
/// A clock of 1 GHz: with one instruction a nanosecond the guest's counter counts instructions.
pub const CLOCK: &str = "cntfrq=1000000000";
/// One instruction a nanosecond, and sleep costs no time.
pub const ICOUNT: [&str; 4] = ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm"];

/// Tools and places that every run needs.
#[derive(Debug)]
pub struct Bench<'a> {
    /// This checkout.
    pub environment: &'a Environment,
    /// Where everything is written.
    pub folder: PathBuf,
    /// The instruction counter.
    pub plugin: PathBuf,
}

/// A VM of a run.
#[derive(Clone, Debug)]
pub struct Vm {
    /// What runs in it.
    pub guest: Guest,
    /// How.
    pub configuration: Configuration,
    /// The cores of its vCPUs.
    pub cores: Vec<u32>,
    /// Further lines of its manifest: its memory, if that is not the run's, is one of them.
    pub manifest: String,
}

/// How the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// One thread, virtual time counts instructions; a window counts what the whole machine does.
    Instructions,
    /// The same, but nothing is counted: faster.
    Uncounted,
    /// A thread for each core, which counts for itself.
    Threads,
}

/// Whose instructions count, besides the guest's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The hypervisor's.
    Hypervisor,
    /// The firmware's at EL3.
    Firmware,
}

/// What is recorded by instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Nothing.
    None,
    /// The way to the first guest.
    Boot,
    /// The windows of the test with this number.
    Windows(usize),
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Names its files.
    pub name: String,
    /// CPU model.
    pub cpu: &'static str,
    /// Cores of the machine.
    pub cores: u32,
    /// Its interrupt controller.
    pub gic: Gic,
    /// How it runs.
    pub clock: Clock,
    /// The VMs.
    pub vms: Vec<Vm>,
    /// MiB of RAM of each.
    pub memory: u32,
    /// What else is in the manifest: how cores are shared.
    pub schedule: String,
    /// How often which line of the console comes until the run is over; none if it ends by itself.
    pub end: Option<(usize, &'static str)>,
    /// What is recorded by instruction.
    pub profile: Profile,
    /// Whether what the guests execute themselves counts as well, beside the rest.
    pub guests: bool,
    /// What runs at EL3.
    pub el3: El3,
    /// Whose instructions count.
    pub level: Level,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The console.
    pub lines: Vec<String>,
    /// What was counted.
    pub results: Results,
}

/// Where the RAM starts: EL3 runs from flash and RAM of its own, below it.
const RAM: u64 = 0x4000_0000;

/// Where QEMU puts an arm64 Image without a text offset: 2 MiB above the start of RAM (hw/arm/boot.c).
pub const LOAD_ADDRESS: u64 = 0x4020_0000;

impl<'a> Bench<'a> {
    /// Makes the folder and compiles the counter.
    ///
    /// # Errors
    ///
    /// A tool is missing.
    pub fn new(environment: &'a Environment) -> Result<Self> {
        let folder = environment.target().join("bench");
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let plugin = plugin::build(environment, &folder)?;
        Ok(Self { environment, folder, plugin })
    }

    /// Runs the VMs under the hypervisor.
    ///
    /// # Errors
    ///
    /// The build, QEMU, or a run that did not end as it should.
    pub fn run(&self, run: &Run) -> Result<Outcome> {
        self.try_run(run).with_context(|| format!("the run '{}' of the bench", run.name))
    }

    fn try_run(&self, run: &Run) -> Result<Outcome> {
        // The guests are programs of the same build as the hypervisor.
        crate::metal::build(self.environment)?;
        let manifest = self.folder.join(format!("{}.toml", run.name));
        fs::write(&manifest, self.manifest(run)?)?;
        let bundle = format!("bench/{}.img", run.name);
        let hardware = Hardware { el3: run.el3, gic: run.gic, ..Hardware::new(Board::QemuVirt, run.cores) };
        let system = System::build(self.environment, hardware, Some(run.cpu), &manifest, false, &bundle)?;
        let mut qemu = system.qemu(self.environment, Some(&format!("{},{CLOCK}", run.cpu)))?;
        qemu.args(["-machine", "dtb-randomness=off"]);
        match run.clock {
            Clock::Instructions | Clock::Uncounted => qemu.args(ICOUNT),
            Clock::Threads => qemu.args(["-accel", "tcg,thread=multi"]),
        };
        let counted = self.folder.join(format!("{}.count", run.name));
        let counts = run.clock != Clock::Uncounted;
        if counts {
            qemu.args(["-plugin", &self.counter(run, &counted)]);
        }
        let mut console = Console { lines: Vec::new(), end: run.end };
        let end = machine::run(qemu, Keyboard::None, Some(TIMEOUT), &mut console)?;
        fs::write(self.folder.join(format!("{}.log", run.name)), console.lines.join("\n"))?;
        match end {
            End::PowerOff if run.end.is_none() => {}
            End::Stopped => {}
            other => bail!("it ended with {other:?}; its last lines:\n{}", tail(&console.lines)),
        }
        let results = if counts { plugin::read(&counted)? } else { Results::default() };
        Ok(Outcome { lines: console.lines, results })
    }

    /// The counter and its options, for results in the file `counted`.
    fn counter(&self, run: &Run, counted: &Path) -> String {
        let scope = if run.clock == Clock::Threads { "core" } else { "machine" };
        let mut options = format!("{},out={},scope={scope}", self.plugin.display(), counted.display());
        _ = match run.level {
            Level::Hypervisor if run.el3 == El3::None => Ok(()),
            Level::Hypervisor => write!(options, ",from={RAM:#x}"),
            Level::Firmware => write!(options, ",to={RAM:#x}"),
        };
        if run.profile != Profile::None {
            _ = write!(options, ",profile={LOAD_ADDRESS:#x}");
        }
        if let Profile::Windows(test) = run.profile {
            _ = write!(options, ",during={test}");
        }
        if run.guests {
            options += ",guests=on";
        }
        options
    }

    fn manifest(&self, run: &Run) -> Result<String> {
        let mut text = String::new();
        for (number, vm) in run.vms.iter().enumerate() {
            let name = format!("{}-{number}", run.name);
            let image = vm.guest.write(self.environment, &vm.configuration, &self.folder, &name)?;
            let image = toml_string(&image);
            let (cores, memory) = (&vm.cores, run.memory);
            _ = writeln!(text, "[[vm]]\nname = \"bench{number}\"\nimage = {image}\ncores = {cores:?}");
            if !vm.manifest.contains("memory = ") {
                _ = writeln!(text, "memory = \"{memory}M\"");
            }
            _ = writeln!(text, "{}\n", vm.manifest);
        }
        text += &run.schedule;
        Ok(text)
    }
}

/// A path as a string of TOML's.
pub fn toml_string(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

fn tail(lines: &[String]) -> String {
    lines.iter().skip(lines.len().saturating_sub(8)).map(|line| format!("  {line}\n")).collect()
}

/// Keeps a console and stops at a line.
pub struct Console {
    /// The lines so far.
    pub lines: Vec<String>,
    /// How often which line comes until the end.
    pub end: Option<(usize, &'static str)>,
}

impl Watcher for Console {
    fn bytes(&mut self, _: &[u8]) {}

    fn line(&mut self, line: &str) -> Next {
        self.lines.push(line.to_owned());
        if let Some((times, text)) = &mut self.end
            && line.contains(*text)
        {
            *times = times.saturating_sub(1);
        }
        if self.end.is_some_and(|(times, _)| times == 0) { Next::Stop } else { Next::Continue }
    }

    fn longer(&mut self, line: &str) -> Next {
        let before = self.lines.pop();
        match self.end {
            // The first rows of it had the text, and it was counted.
            Some((_, text)) if before.is_some_and(|before| before.contains(text)) => {
                self.lines.push(line.to_owned());
                Next::Continue
            }
            _ => self.line(line),
        }
    }
}
