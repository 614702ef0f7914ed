//! What it costs that the control VM makes a management call by its port, and is told of an event by another one.

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::controls::{EVENT, TEST};

use super::collect::check_ruler;
use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm};
use super::measurement::{CPU, Measurement, Measurements, alone};

/// The keys of the measurements, with their tests.
pub const TESTS: [(&str, u64); 2] = [("port-get", TEST), ("port-event", EVENT)];
/// Windows in a test, and what is done before it.
pub const COUNT: u32 = 100;
const WARM_UP: u32 = 2;

/// The measurements by their keys.
///
/// # Errors
///
/// A run that fails, a call that was not answered, or an event that was not told.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let measured = TESTS.map(|(key, test)| {
        let outcome = bench.run(&run(key, test))?;
        let measured = counted(&outcome, test).with_context(|| format!("the run '{key}'"))?;
        Ok((key.to_owned(), measured))
    });
    measured.into_iter().collect()
}

/// The control VM with its ports, and another one, each on a core of its own.
pub fn run(name: &str, test: u64) -> Run {
    let configuration = Configuration { count: COUNT, tests: 1 << test, ..Configuration::DEFAULT };
    let mut run = alone(name, Guest::Controls, CPU, configuration, "");
    let flags = configuration.flags | flag::PARTNER;
    let configuration = Configuration { flags, output: Output::None as u32, ..configuration };
    run.vms.push(Vm { guest: Guest::Controls, configuration, cores: vec![1], manifest: String::new() });
    run.schedule = "[machine]\ncontrol = \"bench0\"\ncontrol-port = true\n".to_owned();
    (run.cores, run.end) = (2, Some((1, "bench controls: done")));
    run
}

/// What one took, in the middle one of the windows, each of which had its answer or its event.
fn counted(outcome: &Outcome, id: u64) -> Result<Measurement> {
    check_ruler(outcome)?;
    let told = format!("] right {}", COUNT + WARM_UP);
    ensure!(
        outcome.lines.iter().any(|line| line.ends_with(&told)),
        "a call had no answer or an event was not told, or it was another one"
    );
    let test = outcome.results.tests.iter().find(|test| test.id as u64 == id).context("nothing was counted")?;
    ensure!(test.count == u64::from(COUNT), "{} of {COUNT} windows were closed", test.count);
    let kinds = test.kinds.iter().map(|(kind, count)| (kind.clone(), *count as f64)).collect();
    Ok(Measurement { value: test.median as f64, max: test.max as f64, kinds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plugin::{Results, Test};

    #[test]
    fn what_is_measured_counts_if_all_went_well() {
        let outcome = |right: u32, count: u64| {
            let right = format!("right {right}");
            let lines = ["640000 instructions take 640000 ticks", "", "bench controls: done"];
            let lines = lines.map(|line| format!("[bench0] bench: {line}")).to_vec();
            let test = Test { id: TEST as usize, count, median: 2_000, max: 2_100, ..Test::default() };
            let mut outcome = Outcome { lines, results: Results { tests: vec![test], ..Results::default() } };
            outcome.lines[1] = format!("[bench0] {right}");
            outcome
        };
        let measured = counted(&outcome(102, 100), TEST).unwrap();
        assert_eq!((measured.value, measured.max), (2_000.0, 2_100.0));
        assert!(counted(&outcome(101, 100), TEST).is_err());
        assert!(counted(&outcome(102, 100), EVENT).is_err(), "another test");
        assert!(counted(&outcome(102, 99), TEST).unwrap_err().to_string().contains("99 of 100"));
    }
}
