//! The tests of the policy crates under Miri, which sees what of it the language does not define.

use std::time::Instant;

use anyhow::Result;

use super::filter::Filter;
use super::nightly::Nightly;
use super::tally::Tally;
use super::{host, workspace};
use crate::environment::Environment;

/// The packages of policy: they know no hardware. Long tests are shorter under Miri (`cfg(miri)`), or left to the host.
const PACKAGES: [&str; 11] = [
    "portcullis-abi",
    "portcullis-board",
    "portcullis-bundle",
    "portcullis-console",
    "portcullis-devices",
    "portcullis-gate",
    "portcullis-links",
    "portcullis-stream",
    "portcullis-tree",
    "portcullis-vgic",
    "portcullis-virtio",
];

/// Runs the tests under Miri.
///
/// # Errors
///
/// Cargo could not be started.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let mut packages = workspace::host_packages(environment)?;
    packages.retain(|name| PACKAGES.contains(&name.as_str()) && filter.selects("miri", name));
    if packages.is_empty() {
        return Ok(());
    }
    let Some(nightly) = Nightly::find(environment, "miri", tally)? else { return Ok(()) };
    for (number, name) in packages.iter().enumerate() {
        eprintln!("xtask: Miri: {name}, {} of {}", number + 1, packages.len());
        let start = Instant::now();
        let mut command = nightly.cargo("miri");
        command.args(["test", "--no-fail-fast", "--lib", "--tests", "-p", name]);
        command.env("CARGO_TARGET_DIR", environment.target().join("miri"));
        host::execute(command, "miri", false, tally)?;
        eprintln!("xtask: Miri: {name} took {:.0} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}
