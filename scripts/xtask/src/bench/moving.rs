//! What it costs to save a VM and to restore one.

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::moving::{MANAGER, Step, VMS};

use super::collect::check_ruler;
use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm};
use super::measurement::{CPU, Measurement, Measurements, alone};

/// Pages of a MiB.
const PAGES: f64 = 256.0;

/// The keys of the measurements.
pub const KEYS: [&str; 6] = ["save-mib", "save-zeros", "save-rest", "restore-mib", "transfer-save", "transfer"];

/// The measurements by their keys.
///
/// # Errors
///
/// A run that fails, or a VM that was not saved or restored.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let outcome = bench.run(&run())?;
    counted(&outcome).context("the run 'moving'")
}

/// The VM that saves and restores the others, each on a core of its own.
fn run() -> Run {
    let mut run = alone("moving", Guest::Moving, CPU, Configuration::DEFAULT, &format!("memory = \"{MANAGER}M\""));
    for (number, (memory, filled)) in (1..).zip(VMS) {
        let flags = Configuration::DEFAULT.flags | flag::PARTNER;
        let configuration =
            Configuration { flags, tests: filled.into(), output: Output::None as u32, ..Configuration::DEFAULT };
        let manifest = format!("memory = \"{memory}M\"\nmovable = true");
        run.vms.push(Vm { guest: Guest::Moving, configuration, cores: vec![number], manifest });
    }
    run.cores = run.vms.len() as u32;
    run.schedule = "[machine]\ncontrol = \"bench0\"\n".to_owned();
    run.end = Some((1, "bench moving: done"));
    run
}

/// What the steps took: a MiB that is sent, a page that is only told, what else there is, and the longest calls.
fn counted(outcome: &Outcome) -> Result<Measurements> {
    check_ruler(outcome)?;
    let test = |step: Step, vm: usize| -> Result<_> {
        let test = outcome.results.tests.iter().find(|test| test.id == step.test(vm));
        let test = test.with_context(|| format!("{step:?} of VM {vm} was not counted"))?;
        // Each call returns by one. A counter that takes a part of EL2 for the guest has not seen it.
        let returns = test.kinds.get("eret").copied().unwrap_or_default();
        ensure!(returns > 0, "{step:?} of VM {vm} was counted without its return from EL2");
        Ok(test)
    };
    let whole = |step: Step| -> Result<[f64; 3]> {
        let mut found = [0.0; 3];
        for (vm, found) in found.iter_mut().enumerate() {
            let test = test(step, vm)?;
            ensure!(test.count == 1, "{step:?} of VM {vm} was done {} times", test.count);
            *found = test.median as f64;
        }
        Ok(found)
    };
    let [small, large, filled] = whole(Step::Save)?;
    let more = f64::from(VMS[1].0 - VMS[0].0);
    let data = f64::from(VMS[2].1);
    let zeros = (large - small) / more;
    let [_, empty, full] = whole(Step::Restore)?;
    let longest = |step: Step| -> Result<f64> {
        let all: Result<Vec<_>> = (0..VMS.len()).map(|vm| Ok(test(step, vm)?.max)).collect();
        Ok(all?.into_iter().max().unwrap_or_default() as f64)
    };
    let [longest_save, longest_restore] = [longest(Step::SavePieces)?, longest(Step::RestorePieces)?];
    let rest = small - zeros * f64::from(VMS[0].0);
    let saved = (filled - large) / data + zeros;
    let longest = longest_save.max(longest_restore);
    let found = [saved, zeros / PAGES, rest, (full - empty) / data, longest_save, longest];
    ensure!(found.iter().all(|value| *value > 0.0), "more took less: {found:?}");
    let single = |value: f64| Measurement { value, max: value, ..Measurement::default() };
    Ok(KEYS.into_iter().zip(found).map(|(key, value)| (key.to_owned(), single(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plugin::{Results, Test};

    /// A machine that takes 100,000 for each save, 500 for a page of zeros, 1,500 for one that is sent, and 2,000 to restore it.
    fn outcome() -> Outcome {
        let lines = ["640000 instructions take 640000 ticks", "bench moving: done"];
        let lines = lines.map(|line| format!("[bench0] bench: {line}")).to_vec();
        let mut tests = Vec::new();
        for (vm, (memory, filled)) in VMS.into_iter().enumerate() {
            let (zeros, sent) = (u64::from(memory - filled) * 256, u64::from(filled) * 256);
            for step in Step::ALL {
                let all = if step.is_save() { 100_000 + zeros * 500 + sent * 1500 } else { 90_000 + sent * 2000 };
                let max = match step {
                    Step::SavePieces => 15_000 + vm as u64,
                    Step::RestorePieces => 16_000 + vm as u64,
                    _ => all,
                };
                let kinds = [("eret".to_owned(), 1)].into();
                tests.push(Test { id: step.test(vm), count: 1, min: all, median: all, max, kinds, ..Test::default() });
            }
        }
        Outcome { lines, results: Results { tests, ..Results::default() } }
    }

    #[test]
    fn each_part_is_told_from_the_others() {
        let found = counted(&outcome()).unwrap();
        let values = KEYS.map(|key| found[key].value);
        assert_eq!(values, [1500.0 * 256.0, 500.0, 100_000.0, 2000.0 * 256.0, 15_002.0, 16_002.0]);
    }

    #[test]
    fn what_was_not_counted_is_no_figure() {
        let mut outcome = outcome();
        outcome.results.tests.last_mut().unwrap().kinds.clear();
        assert!(
            counted(&outcome).unwrap_err().to_string().contains("RestorePieces of VM 2 was counted without its return")
        );
        outcome.results.tests.pop();
        assert!(counted(&outcome).unwrap_err().to_string().contains("RestorePieces of VM 2 was not counted"));
        assert!(counted(&Outcome { lines: Vec::new(), results: Results::default() }).is_err());
    }
}
