//! What it costs that a VM reads its disks, and sends by a serial cable.

use std::fs;

use anyhow::{Context, Result};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::transfers::{DISK, SERVED, Transfer, byte};

use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm, toml_string};
use super::measurement::{CPU, Measurement, Measurements, alone};
use super::repetition::{COUNT, check_right, closed};

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
    let what = format!("transfer {}", transfer.name());
    check_right(outcome, &what, "not every byte came, or it was another one")?;
    Ok(Measurement::of(closed(outcome, transfer as usize)?, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::repetition::tests::outcome;

    #[test]
    fn a_transfer_counts_if_all_of_it_came() {
        let told =
            |right: u32| outcome(Transfer::Image as usize, 100, 3_000, 3_500, &format!("transfer image right {right}"));
        let measured = counted(&told(102), Transfer::Image).unwrap();
        assert_eq!((measured.value, measured.max), (3_000.0, 3_500.0));
        assert!(counted(&told(101), Transfer::Image).is_err());
        assert!(counted(&told(102), Transfer::Serial).is_err(), "it was not measured");
    }
}
