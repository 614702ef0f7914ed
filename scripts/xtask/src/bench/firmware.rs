//! What TF-A does for a guest's calls: nothing at all for those that are refused.

use anyhow::{Context, Result, ensure};
use bench_guests::calls::CALLS;
use bench_guests::configuration::Configuration;

use super::collect;
use super::guest::Guest;
use super::measure::{Bench, Level, Run};
use super::measurement::{self, CPU_WITH_ENTROPY, Measurements};
use crate::el3::El3;

/// Instructions of TF-A's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// For each call of a VM that is offered nothing, together.
    pub refused: f64,
    /// For one TRNG_RND64 of a VM that is offered it: shows that they are seen.
    pub served: f64,
}

/// Counts them, call by call and by both conduits.
///
/// # Errors
///
/// TF-A cannot be built, or a run that fails.
pub fn work(bench: &Bench) -> Result<Work> {
    let configuration = Configuration { batches: 2, ..Configuration::DEFAULT };
    let run = |name, manifest| -> Result<Measurements> {
        let alone = measurement::alone(name, Guest::Calls, CPU_WITH_ENTROPY, configuration, manifest);
        let outcome = bench.run(&Run { el3: El3::TfA, level: Level::Firmware, ..alone })?;
        collect::check_ruler(&outcome)?;
        let found = collect::calls(&outcome, &configuration, 0);
        ensure!(found.len() == 2 * CALLS.len(), "{} of {} calls were measured", found.len(), 2 * CALLS.len());
        Ok(found)
    };
    // The call itself, which is the guest's, is in each figure.
    let refused = run("tf-a-closed", "[vm.firmware]")?.values().map(|call| call.max - 1.0).sum();
    let open = run("tf-a-open", "")?;
    let served = open.get("hvc trng-rnd64").context("TRNG_RND64 was not measured")?.value - 1.0;
    Ok(Work { refused, served })
}
