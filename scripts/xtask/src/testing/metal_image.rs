//! What the hypervisor's image must keep to.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use super::filter::Filter;
use super::tally::Tally;
use crate::bench::rows;
use crate::environment::Environment;
use crate::metal;

/// The row of the figures that says how large the image may be.
const ROW: &str = "image";

/// Builds the image and checks its size against what was asked for, which holds with every compiler.
///
/// # Errors
///
/// The build, or rows without that one.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    const NAME: &str = "image size";
    if !filter.selects("image", "size") {
        return Ok(());
    }
    let start = Instant::now();
    metal::build(environment)?;
    let size = fs::metadata(metal::image(environment, metal::HYPERVISOR)?)?.len();
    let largest = rows::load(environment)?.into_iter().find(|row| row.name == ROW).and_then(|row| row.at_most);
    let largest = largest.with_context(|| format!("no row '{ROW}' that says at-most"))?;
    if size <= largest {
        tally.pass(&format!("{NAME}: {size} of at most {largest} bytes"), start.elapsed());
    } else {
        tally.fail(NAME, &format!("{size} bytes; at most {largest} are allowed"));
    }
    Ok(())
}
