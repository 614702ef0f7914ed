//! A run of one of the others: the guest's image, QEMU with the counter, and what is made of the counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench_guests::configuration::Configuration;

use crate::bench::guest::Guest;
use crate::bench::measure::{Bench, CLOCK, Console, ICOUNT, Outcome};
use crate::bench::measurement::Measurements;
use crate::bench::{collect, plugin};
use crate::machine::{self, End, Keyboard};

/// When a run that hangs is ended: the slowest boots a Linux, instruction by instruction.
const TIMEOUT: Duration = Duration::from_secs(300);
/// The machine of the others' runs.
pub const MACHINE: &str = "virt,virtualization=on,gic-version=3,dtb-randomness=off";
/// Its RAM.
pub const MEMORY: &str = "1024M";

/// The two guests with what is measured with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Calls,
    Interrupts,
    Pair,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Calls, Self::Interrupts, Self::Pair];

    pub const fn guest(self) -> Guest {
        match self {
            Self::Calls => Guest::Calls,
            Self::Interrupts | Self::Pair => Guest::Interrupts,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Interrupts => "interrupts",
            Self::Pair => "pair",
        }
    }

    pub const fn cpus(self) -> u32 {
        if matches!(self, Self::Pair) { 2 } else { 1 }
    }

    pub fn configuration(self) -> Configuration {
        let count = if self == Self::Calls { 100 } else { 300 };
        Configuration { count, batches: 20, cores: self.cpus(), flags: 0, ..Configuration::DEFAULT }
    }
}

/// Whether the cost of a service counts that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// It does: nothing else is offered.
    Counted,
    /// It does not, but for calls that are meant to be refused.
    LeftOut,
}

/// A run of one of the others.
pub struct Other<'a> {
    /// Names its files.
    pub name: String,
    pub cpu: &'a str,
    pub part: Part,
    pub configuration: Configuration,
    pub refusals: Refusals,
    /// QEMU's arguments that bring the hypervisor and the guest.
    pub arguments: Vec<String>,
    /// The line with which it is over.
    pub end: &'static str,
}

/// Writes the guest's image for a run and returns its path.
pub fn image(bench: &Bench, name: &str, part: Part, configuration: &Configuration) -> Result<PathBuf> {
    part.guest().write(bench.environment, configuration, &bench.folder, name)
}

/// A file that QEMU puts into RAM as it is.
pub fn loaded(file: &Path, address: u64) -> [String; 2] {
    ["-device".to_owned(), format!("loader,file={},addr={address:#x},force-raw=on", file.display())]
}

pub fn run(bench: &Bench, other: &Other) -> Result<Measurements> {
    eprintln!("xtask: measuring {}", other.name);
    let outcome = try_run(bench, other)
        .and_then(|outcome| collect::check_ruler(&outcome).map(|()| outcome))
        .with_context(|| format!("the run of {}", other.name))?;
    let mut found = match other.part {
        Part::Calls => collect::calls(&outcome, &other.configuration, 0),
        Part::Interrupts | Part::Pair => collect::operations(&outcome.results.tests),
    };
    if other.refusals == Refusals::LeftOut {
        found.retain(|key, _| !refused(&outcome.lines, key));
    }
    // On a CPU that needs no entropy of its own the same calls are answered.
    let entropy: Vec<_> = found
        .iter()
        .filter(|(key, _)| key.contains("trng"))
        .map(|(key, found)| (format!("entropy {key}"), found.clone()))
        .collect();
    found.extend(entropy);
    Ok(found)
}

/// Whether the call of this key asks for a service and the answer was "not supported".
fn refused(lines: &[String], key: &str) -> bool {
    const NOT_SUPPORTED: &str = " x0=ffffffffffffffff ";
    let is_service = ["trng", "vendor", "ptp", "pv-time"].iter().any(|service| key.contains(service));
    is_service && lines.iter().any(|line| line.contains(&format!("call {key}{NOT_SUPPORTED}")))
}

fn try_run(bench: &Bench, other: &Other) -> Result<Outcome> {
    let mut qemu = Command::new(bench.environment.get("QEMU")?);
    qemu.args(["-machine", MACHINE, "-cpu", &format!("{},{CLOCK}", other.cpu), "-m", MEMORY]);
    qemu.args(["-smp", &other.part.cpus().to_string(), "-display", "none", "-nic", "none", "-monitor", "none"]);
    qemu.args(["-serial", "stdio", "-accel", "tcg"]).args(ICOUNT);
    let counted = bench.folder.join(format!("{}.count", other.name));
    let options = format!("{},out={},scope=machine", bench.plugin.display(), counted.display());
    qemu.args(["-plugin", &options]).args(&other.arguments);
    let mut console = Console { lines: Vec::new(), end: Some((1, other.end)) };
    let end = machine::run(qemu, Keyboard::None, Some(TIMEOUT), &mut console)?;
    fs::write(bench.folder.join(format!("{}.log", other.name)), console.lines.join("\n"))?;
    if !matches!(end, End::Stopped) {
        bail!("it ended with {end:?} before '{}'; its last line: {:?}", other.end, console.lines.last());
    }
    Ok(Outcome { lines: console.lines, results: plugin::read(&counted)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_service_is_told_from_an_unknown_id() {
        let lines =
            ["call hvc ptp x0=ffffffffffffffff x1=0 ticks=1", "call hvc unknown x0=ffffffffffffffff x1=0 ticks=1"];
        let lines = lines.map(str::to_owned);
        assert!(refused(&lines, "hvc ptp"));
        assert!(!refused(&lines, "hvc unknown"));
        assert!(!refused(&lines, "smc ptp"));
    }
}
