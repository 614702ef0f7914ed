//! How punctual the windows of a cyclic schedule are beside a neighbour that does its worst.

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::sharing::{FRAME, NOTICE, Storm, WINDOW};

use super::guest::Guest;
use super::measure::{Bench, Clock, Outcome, Run, Vm};
use super::measurement::{CPU, CPU_WITH_ENTROPY, Measurement, alone};
use super::transfers;

/// Windows that are looked at, beside each neighbour.
pub const COUNT: u32 = 200;
/// Ticks of the neighbour's window.
const BEFORE: u64 = 509_000;
/// Microseconds of the window of whoever is at the other ends of its links.
const OTHER: u64 = 2_000;
/// Ticks of a microsecond.
const MICROSECOND: f64 = 1_000.0;

/// The windows beside one neighbour.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// What it does.
    pub storm: Storm,
    /// Ticks from the beginning of each window until its guest ran.
    pub late: Vec<u64>,
    /// Ticks of each window that its guest ran.
    pub had: Vec<u64>,
}

/// Upper ends of the histogram's columns in microseconds; the last column has no end.
pub const BUCKETS: [u64; 6] = [1, 2, 5, 10, 20, 50];

impl Windows {
    /// How many windows were late by less than each of [`BUCKETS`] and no less than the one before; last those beyond.
    pub fn histogram(&self) -> Vec<usize> {
        let column = |late: &u64| BUCKETS.iter().filter(|end| *late >= *end * MICROSECOND as u64).count();
        let columns = 0..=BUCKETS.len();
        columns.map(|number| self.late.iter().filter(|late| column(late) == number).count()).collect()
    }

    /// The latest beginning, in microseconds.
    pub fn latest(&self) -> f64 {
        self.late.iter().max().map_or(0.0, |late| *late as f64 / MICROSECOND)
    }

    /// What the shortest window was short of, in microseconds.
    pub fn lost(&self) -> f64 {
        self.had.iter().min().map_or(0.0, |had| WINDOW.saturating_sub(*had) as f64 / MICROSECOND)
    }

    /// Its measurements, by their keys in the rows.
    pub fn measurements(&self) -> [(String, Measurement); 2] {
        let single = |value| Measurement { value, max: value, ..Measurement::default() };
        let [late, lost] = keys(self.storm);
        [(late, single(self.latest())), (lost, single(self.lost()))]
    }
}

/// The keys of what is measured beside a neighbour: the latest beginning, and what the shortest window was short of.
pub fn keys(storm: Storm) -> [String; 2] {
    ["window-late", "window-lost"].map(|what| format!("{what} {}", storm.name()))
}

/// Looks at windows beside every neighbour.
///
/// # Errors
///
/// A run that fails, or windows that were missed.
pub fn measure(bench: &Bench) -> Result<Vec<Windows>> {
    let one = |storm| {
        let outcome = bench.run(&run(bench, storm)?)?;
        windows(&outcome, storm).with_context(|| format!("the windows beside {}", storm.name()))
    };
    Storm::ALL.into_iter().map(one).collect()
}

/// A window's guest and its neighbour, whose own window ends where the guest's begins. The core is idle in between, so that
/// there can be many windows.
fn run(bench: &Bench, storm: Storm) -> Result<Run> {
    let cpu = if storm == Storm::Calls { CPU_WITH_ENTROPY } else { CPU };
    let own = Configuration { count: COUNT, ..Configuration::DEFAULT };
    let name = format!("window-{}", storm as u8);
    let mut run = alone(&name, Guest::Windows, cpu, own, "");
    let (flags, tests) = (own.flags | flag::PARTNER, 1 << storm as u64);
    let configuration = Configuration { flags, tests, output: Output::None as u32, ..own };
    let cores = if storm == Storm::Power { vec![0; 2] } else { vec![0] };
    let manifest = if storm == Storm::Flash { "flash = []\n" } else { "" };
    run.vms.push(Vm { guest: Guest::Windows, configuration, cores, manifest: manifest.to_owned() });
    let [frame, window, before] = [FRAME, WINDOW, BEFORE].map(|ticks| ticks / MICROSECOND as u64);
    let at = frame - before;
    let other = if storm == Storm::Links {
        format!("{{ vm = \"bench2\", at = \"{}us\", length = \"{OTHER}us\" }}, ", at - OTHER)
    } else {
        String::new()
    };
    run.schedule = format!(
        "[[core]]\nnumber = 0\nschedule = \"cyclic\"\nframe = \"{frame}us\"\n\
        windows = [{{ vm = \"bench0\", length = \"{window}us\" }}, {other}\
        {{ vm = \"bench1\", at = \"{at}us\", length = \"{before}us\" }}]\n\n"
    );
    if storm == Storm::Links {
        link(&mut run, configuration, bench)?;
        run.vms[1].configuration.output = Output::Pl011 as u32;
    }
    run.clock = Clock::Uncounted;
    run.end = Some((1, "bench windows: done"));
    Ok(run)
}

/// Gives the neighbour, as which `configuration` is, every kind of link, with a VM at the other ends that has a window before the
/// neighbour's. On the same core: with several the machine's time would not be this core's instructions.
fn link(run: &mut Run, configuration: Configuration, bench: &Bench) -> Result<()> {
    let configuration = Configuration { tests: 0, ..configuration };
    run.vms.push(Vm { guest: Guest::Windows, configuration, cores: vec![0], manifest: String::new() });
    run.schedule += &transfers::links(bench, "bench1", "bench2")?;
    run.schedule += "\n[[network]]\nname = \"lan\"\nvms = [\"bench1\", \"bench2\"]\n\n\
        [[wire]]\nname = \"edge\"\nfrom = \"bench1\"\nto = \"bench2\"\n";
    Ok(())
}

/// What the guest has told.
fn windows(outcome: &Outcome, storm: Storm) -> Result<Windows> {
    let told = |what: &str| -> Result<Vec<u64>> {
        let lines = outcome.lines.iter().filter_map(|line| Some(line.split_once(&format!("] windows {what} "))?.1));
        lines.flat_map(|line| line.split_whitespace()).map(|number| Ok(number.parse()?)).collect()
    };
    let (late, had, missed) = (told("late")?, told("had")?, told("missed")?);
    ensure!(late.len() == COUNT as usize && had.len() == late.len(), "{} of {COUNT} windows were seen", late.len());
    if storm == Storm::Links {
        ensure!(outcome.lines.iter().any(|line| line.ends_with(NOTICE)), "the flood does not reach every device");
    }
    ensure!(missed == [0], "windows were missed: {missed:?}");
    Ok(Windows { storm, late, had })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plugin::Results;

    #[test]
    fn every_window_has_its_column() {
        let late = vec![0, 999, 1_000, 1_999, 4_999, 5_000, 19_999, 49_999, 50_000, 9_000_000];
        let windows = Windows { storm: Storm::Waits, had: vec![WINDOW - 9_000_000 / 10, WINDOW + 5], late };
        assert_eq!(windows.histogram(), [2, 2, 1, 1, 1, 1, 2]);
        assert_eq!((windows.latest(), windows.lost()), (9_000.0, 900.0));
    }

    #[test]
    fn what_the_guest_tells_is_complete() {
        let lines = |missed: &str| {
            let numbers = " 7".repeat(COUNT as usize);
            let lines = [format!("[bench0] windows late{numbers}"), format!("[bench0] windows had{numbers}")];
            let lines = lines.into_iter().chain([format!("[bench0] windows missed {missed}")]);
            Outcome { lines: lines.collect(), results: Results::default() }
        };
        assert_eq!(windows(&lines("0"), Storm::Calls).unwrap().late, vec![7; COUNT as usize]);
        assert!(windows(&lines("1"), Storm::Calls).is_err());
        assert!(windows(&Outcome { lines: Vec::new(), results: Results::default() }, Storm::Calls).is_err());
    }
}
