//! What the hypervisor's image must keep to.

use std::fs;
use std::time::Instant;

use anyhow::Result;

use super::Filter;
use super::tally::Tally;
use crate::environment::Environment;
use crate::metal;

/// Largest image in bytes.
const LARGEST: u64 = 256 << 10;

/// Builds the image and checks its size.
///
/// # Errors
///
/// The build.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    const NAME: &str = "image size";
    if !filter.selects("image", "size") {
        return Ok(());
    }
    let start = Instant::now();
    metal::build(environment)?;
    let size = fs::metadata(metal::image(environment, metal::HYPERVISOR)?)?.len();
    if size <= LARGEST {
        tally.pass(&format!("{NAME}: {size} of at most {LARGEST} bytes"), start.elapsed());
    } else {
        tally.fail(NAME, &format!("{size} bytes; at most {LARGEST} are allowed"));
    }
    Ok(())
}
