//! The figures of `scripts/bench`, each as an upper bound.

use std::time::Instant;

use anyhow::Result;

use super::Filter;
use super::tally::Tally;
use crate::bench::bounds::Bounds;
use crate::bench::growth::Variation;
use crate::bench::measure::Bench;
use crate::bench::rows::{self, Row};
use crate::bench::{Figures, firmware, report};
use crate::environment::Environment;

/// Measures, and compares each figure with its bound. The measurements are made together, if any is asked for.
///
/// # Errors
///
/// A missing tool or a run that failed: no figure is known then.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    silence(environment, filter, tally);
    let rows = rows::load(environment)?.iter().flat_map(Row::names).collect::<Vec<_>>();
    let growth = Variation::ALL.into_iter().skip(1).map(Variation::figure_name);
    if !rows.into_iter().chain(growth).any(|name| filter.selects("bench", &name)) {
        return Ok(());
    }
    let start = Instant::now();
    let figures = Figures::measure(&Bench::new(environment)?)?;
    let bounds = Bounds::load(environment)?;
    let time = start.elapsed();
    for figure in figures.all().iter().filter(|figure| filter.selects("bench", &figure.name)) {
        let name = format!("bench {}", figure.name);
        match report::excess(figure, &bounds) {
            None => tally.pass(&format!("{name}: {}", report::number(figure.value)), time),
            Some(excess) => tally.fail(&name, &excess),
        }
    }
    Ok(())
}

/// What TF-A does for calls that are refused: nothing.
fn silence(environment: &Environment, filter: &Filter, tally: &mut Tally) {
    const NAME: &str = "TF-A does nothing for a refused call";
    if !filter.selects("bench", NAME) {
        return;
    }
    let (name, start) = (format!("bench {NAME}"), Instant::now());
    match Bench::new(environment).and_then(|bench| firmware::work(&bench)) {
        Ok(work) if work.refused == 0.0 && work.served > 0.0 => {
            tally.pass(&format!("{name}, and {} instructions for TRNG_RND64", work.served), start.elapsed());
        }
        Ok(work) => tally.fail(&name, &format!("{work:?}; expected none refused, and some served")),
        Err(error) => tally.fail(&name, &format!("{error:#}")),
    }
}
