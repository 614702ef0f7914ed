//! The figures of `scripts/bench`, each as an upper bound.
//!
//! What was reached ([`Bounds`]) is held on the compiler that rust-toolchain.toml names. With another one a figure above that
//! is told and not counted as a test; what was asked for ([`Figure::at_most`]) is held on every compiler.

use std::time::Instant;

use anyhow::Result;

use super::filter::Filter;
use super::tally::Tally;
use crate::bench::bounds::Bounds;
use crate::bench::figures::Figures;
use crate::bench::growth::Variation;
use crate::bench::measure::Bench;
use crate::bench::rows::{self, Figure, Row};
use crate::bench::{firmware, hardened, report};
use crate::environment::Environment;

/// The name of the test that exits do begin with a loop on a core that needs it.
const LOOP: &str = "loop at the exits of a cortex-a72";

/// Measures, and compares each figure with its bound. The measurements are made together, if any is asked for.
///
/// # Errors
///
/// A missing tool or a run that failed: no figure is known then.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    silence(environment, filter, tally);
    let rows = rows::load(environment)?.iter().flat_map(Row::names).collect::<Vec<_>>();
    let growth = Variation::ALL.into_iter().skip(1).map(Variation::figure_name);
    if !rows.into_iter().chain(growth).chain([LOOP.to_owned()]).any(|name| filter.selects("bench", &name)) {
        return Ok(());
    }
    let start = Instant::now();
    let figures = Figures::measure(&Bench::new(environment)?)?;
    let bounds = Bounds::load(environment)?;
    let time = start.elapsed();
    if filter.selects("bench", LOOP) {
        let name = format!("bench {LOOP}");
        match hardened::cost(&figures.measurements) {
            Ok(cost) => tally.pass(&format!("{name}: {cost} instructions"), time),
            Err(error) => tally.fail(&name, &format!("{error:#}")),
        }
    }
    let other = environment.other_compiler()?;
    for figure in figures.all().iter().filter(|figure| filter.selects("bench", &figure.name)) {
        let name = format!("bench {}", figure.name);
        match report::excess(figure, &bounds) {
            None => tally.pass(&format!("{name}: {}", report::number(figure.value)), time),
            Some(excess) => match other.filter(|_| is_as_asked(figure)) {
                Some((version, named)) => println!("told  {name}: {excess} (Rust {version}; held on {named})"),
                None => tally.fail(&name, &excess),
            },
        }
    }
    Ok(())
}

/// Whether a figure is what was asked for, if anything was.
fn is_as_asked(figure: &Figure) -> bool {
    figure.at_most.is_none_or(|most| figure.value <= most as f64)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_held_on_every_compiler() {
        let figure = |value, at_most| Figure { name: "a".to_owned(), value, at_most };
        assert!(is_as_asked(&figure(5.0, None)));
        assert!(is_as_asked(&figure(5.0, Some(5))));
        assert!(!is_as_asked(&figure(6.0, Some(5))));
    }
}
