//! What it costs that exits begin with a loop over the branch history, or with a call of EL3: some of the measurements, on a
//! core that needs it.

use anyhow::{Context, Result};
use bench_guests::configuration::Configuration;

use super::guest::Guest;
use super::measure::{Bench, Run};
use super::measurement::{CPU_WITH_LOOP, EL3_WITH_WORKAROUNDS, Measurements, alone};
use super::{collect, switches};
use crate::el3::El3;

/// Iterations of the loop on [`CPU_WITH_LOOP`], of three instructions each (Arm, "Spectre-BHB").
const ITERATIONS: f64 = 8.0;
/// A call whose way is the same on every core.
const CALL: &str = "hvc psci-version";

/// The measurements, whose keys begin with the core's.
///
/// # Errors
///
/// A run that fails.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let mut found = with(bench, "loop", El3::None, CPU_WITH_LOOP.1)?;
    let (el3, prefix) = EL3_WITH_WORKAROUNDS;
    found.extend(with(bench, "el3", el3, prefix)?);
    Ok(found)
}

/// The measurements on the core with this firmware, whose runs are named after `name`.
fn with(bench: &Bench, name: &str, el3: El3, prefix: &str) -> Result<Measurements> {
    let (cpu, _) = CPU_WITH_LOOP;
    let mut found = Measurements::new();
    let configuration = Configuration { batches: 20, ..Configuration::DEFAULT };
    let run =
        |what, guest, configuration| Run { el3, ..alone(&format!("{name}-{what}"), guest, cpu, configuration, "") };
    let outcome = bench.run(&run("calls", Guest::Calls, configuration))?;
    collect::check_ruler(&outcome)?;
    found.extend(collect::calls(&outcome, &configuration, 0));
    let configuration = Configuration { count: collect::OPERATIONS, ..Configuration::DEFAULT };
    let outcome = bench.run(&run("interrupts", Guest::Interrupts, configuration))?;
    collect::check_ruler(&outcome)?;
    found.extend(collect::operations(&outcome.results.tests));
    let (key, way) = switches::SLICE_END;
    let outcome = bench.run(&Run { cpu, el3, ..switches::shared(&format!("{name}-switch"), way) })?;
    found.insert(key.to_owned(), switches::counted(&outcome, 0, way)?);
    Ok(found.into_iter().map(|(key, measurement)| (format!("{prefix}{key}"), measurement)).collect())
}

/// By how many instructions a call is longer on the core with the loop.
///
/// # Errors
///
/// The call was not measured on both, or it is not longer by what the loop takes at least: then the loop was not run.
pub fn cost(measurements: &Measurements) -> Result<f64> {
    let value = |key: &str| {
        let found = measurements.get(key).map(|measurement| measurement.value);
        found.with_context(|| format!("'{key}' was not measured"))
    };
    let cost = value(&format!("{}{CALL}", CPU_WITH_LOOP.1))? - value(CALL)?;
    anyhow::ensure!(
        cost >= 3.0 * ITERATIONS,
        "a call takes {cost} instructions more: {ITERATIONS} iterations were not run"
    );
    Ok(cost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measurement::single;

    #[test]
    fn a_loop_that_is_not_run_is_seen() {
        let measured =
            |with| Measurements::from([(CALL.to_owned(), single(25)), (format!("a72 {CALL}"), single(with))]);
        assert_eq!(cost(&measured(56)).unwrap(), 31.0);
        assert!(cost(&measured(48)).unwrap_err().to_string().contains("23 instructions more"));
        assert!(cost(&Measurements::new()).is_err());
    }
}
