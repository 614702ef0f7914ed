//! What it costs that a VM reads its disks, and sends by a serial cable.

use std::fs;

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::transfers::{DISK, SERVED, Transfer, byte};

use super::collect::check_ruler;
use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm, toml_string};
use super::measurement::{CPU, Measurement, Measurements, alone};

/// Windows in a test, and what is done before it.
pub const COUNT: u32 = 100;
const WARM_UP: u32 = 2;

/// The keys of all measurements.
pub fn keys() -> Vec<String> {
    Transfer::ALL.map(|transfer| transfer.name().to_owned()).to_vec()
}

/// The measurements by their keys.
///
/// # Errors
///
/// A run that fails, or a guest that did not get what it asked for.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let run = pair(bench)?;
    let outcome = bench.run(&run)?;
    let counted = |transfer: Transfer| {
        let measured = counted(&outcome, transfer);
        let measured = measured.with_context(|| format!("the run '{}', {}", run.name, transfer.name()));
        Ok((transfer.name().to_owned(), measured?))
    };
    Transfer::ALL.into_iter().map(counted).collect()
}

/// Two VMs, each on a core of its own: one has a disk in the bundle and one that the other serves, and a cable to it.
///
/// # Errors
///
/// As of [`links`].
pub fn pair(bench: &Bench) -> Result<Run> {
    let configuration = Configuration { count: COUNT, ..Configuration::DEFAULT };
    let mut run = alone("transfers", Guest::Transfers, CPU, configuration, "");
    let flags = configuration.flags | flag::PARTNER;
    let configuration = Configuration { flags, output: Output::None as u32, ..configuration };
    run.vms.push(Vm { guest: Guest::Transfers, configuration, cores: vec![1], manifest: String::new() });
    run.schedule = links(bench, "bench0", "bench1")?;
    (run.cores, run.end) = (2, Some((1, "bench transfers: done")));
    Ok(run)
}

/// The links of `vm`, as the manifest has them: a disk in the bundle, one that `other` serves, a cable to it.
///
/// # Errors
///
/// The disk's image cannot be written.
pub fn links(bench: &Bench, vm: &str, other: &str) -> Result<String> {
    let image = bench.folder.join("disk.img");
    fs::write(&image, (0..DISK).map(byte).collect::<Vec<u8>>())
        .with_context(|| format!("{} cannot be written", image.display()))?;
    let image = toml_string(&image);
    Ok(format!(
        "[[disk]]\nname = \"rom\"\nvm = \"{vm}\"\nimage = {image}\n\n\
        [[disk]]\nname = \"{SERVED}\"\nvm = \"{vm}\"\nserved-by = \"{other}\"\nsize = {DISK}\nread-only = true\n\n\
        [[serial]]\nname = \"cable\"\nbetween = [\"{vm}\", \"{other}\"]\n"
    ))
}

/// What a transfer took, in the middle one of the windows, all of which must have been closed.
fn counted(outcome: &Outcome, transfer: Transfer) -> Result<Measurement> {
    check_ruler(outcome)?;
    let told = format!("] transfer {} right {}", transfer.name(), COUNT + WARM_UP);
    ensure!(outcome.lines.iter().any(|line| line.ends_with(&told)), "not every byte came, or it was another one");
    let test = outcome.results.tests.iter().find(|test| test.id == transfer as usize).context("nothing was counted")?;
    ensure!(test.count == u64::from(COUNT), "{} of {COUNT} windows were closed", test.count);
    let kinds = test.kinds.iter().map(|(kind, count)| (kind.clone(), *count as f64)).collect();
    Ok(Measurement { value: test.median as f64, max: test.max as f64, kinds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plugin::{Results, Test};

    #[test]
    fn a_transfer_counts_if_all_of_it_came() {
        let outcome = |right: u32, count: u64| {
            let right = format!("transfer image right {right}");
            let lines = ["640000 instructions take 640000 ticks", &right, "bench transfers: done"];
            let lines = lines.map(|line| format!("[bench0] bench: {line}")).to_vec();
            let test = Test { id: Transfer::Image as usize, count, median: 3_000, max: 3_500, ..Test::default() };
            let mut outcome = Outcome { lines, results: Results { tests: vec![test], ..Results::default() } };
            outcome.lines[1] = format!("[bench0] {right}");
            outcome
        };
        let measured = counted(&outcome(102, 100), Transfer::Image).unwrap();
        assert_eq!((measured.value, measured.max), (3_000.0, 3_500.0));
        assert!(counted(&outcome(101, 100), Transfer::Image).is_err());
        assert!(counted(&outcome(102, 99), Transfer::Image).unwrap_err().to_string().contains("99 of 100"));
        assert!(counted(&outcome(102, 100), Transfer::Serial).is_err(), "it was not measured");
    }
}
