//! Tests on the host: unit, property and documentation tests of every package, and the gate under loom.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};

use super::filter::Filter;
use super::libtest::Results;
use super::tally::Tally;
use super::workspace;
use crate::environment::Environment;

/// The package whose tests need more compilers than others.
const HEADER_PACKAGE: &str = "c-header";
/// The packages that loom checks.
const LOOM_PACKAGES: [&str; 2] = ["portcullis-gate", "portcullis-trace"];
/// The package whose tests have servers of disks as child processes.
const NBD_PACKAGE: &str = "portcullis-links";

/// A cargo command for the host.
///
/// # Errors
///
/// `target/setup.env` is not complete.
pub fn cargo(environment: &Environment, subcommand: &str) -> Result<Command> {
    let mut cargo = Command::new(environment.get("HOST_CARGO")?);
    cargo.arg(subcommand).current_dir(&environment.root).env("CARGO_TARGET_DIR", environment.target());
    Ok(cargo)
}

/// Runs the tests of every package of the host.
///
/// # Errors
///
/// Cargo could not be started.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let packages = workspace::host_packages(environment)?;
    // Of a package whose own name fits everything is run, of the others what fits by its name.
    let (whole, others): (Vec<_>, Vec<_>) = packages.into_iter().partition(|name| filter.selects("host", name));
    for (package, option) in [(NBD_PACKAGE, "--nbd"), (HEADER_PACKAGE, "--header")] {
        if !whole.iter().any(|name| name == package) {
            continue;
        }
        let setup = Command::new(environment.root.join("scripts/setup")).args([option, "--quiet"]).status();
        if !setup.as_ref().is_ok_and(ExitStatus::success) {
            tally.fail(&format!("host {package}"), &format!("scripts/setup {option}: {setup:?}"));
        }
    }
    for (packages, filtered) in [(whole, false), (others, true)] {
        // No name of a test has a space: what has one, like "qemu linux", is asked of another part.
        if packages.is_empty() || filtered && (matches!(filter, Filter::Boards { .. }) || filter.text().contains(' ')) {
            continue;
        }
        let mut command = cargo(environment, "test")?;
        command.arg("--no-fail-fast").args(packages.iter().flat_map(|name| ["-p", name]));
        if filtered {
            command.args(["--", filter.text()]);
        }
        execute(command, "host", filtered, tally)?;
    }
    Ok(())
}

/// Runs the tests of what is read without a lock, with loom's model checker in place of the real atomics.
///
/// # Errors
///
/// Cargo could not be started.
pub fn run_loom(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let packages: Vec<&str> = LOOM_PACKAGES.into_iter().filter(|package| filter.selects("loom", package)).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let mut command = cargo(environment, "test")?;
    // The examples of the documentation are tested on the host, with the atomics that they are written for.
    command.args(["--no-fail-fast", "--release", "--lib", "--tests"]);
    packages.iter().for_each(|package| _ = command.args(["-p", package]));
    // Other flags mean another build of everything: in a folder of its own it does not push the usual one out.
    command.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", environment.target().join("loom"));
    execute(command, "loom", false, tally)
}

/// Runs `cargo test`, counts what libtest reports, and makes a failure of everything that does not add up.
///
/// # Errors
///
/// Cargo could not be started.
pub fn execute(mut command: Command, part: &str, may_be_empty: bool, tally: &mut Tally) -> Result<()> {
    // One pipe for both streams keeps cargo's headings before the results they belong to.
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child =
        command.spawn().with_context(|| format!("{} could not be started", command.get_program().display()))?;
    // The command holds the pipe's other end.
    drop(command);
    let mut results = Results::default();
    for line in BufReader::new(reader).split(b'\n') {
        results.take(&String::from_utf8_lossy(&line?));
    }
    let status = child.wait()?;
    for binary in &results.binaries {
        tally.pass_many(&format!("{part} {}", binary.name), binary.passed);
        for name in &binary.failures {
            tally.fail(&format!("{part} {} {name}", binary.name), results.details(name));
        }
        if let Some(reason) = binary.inconsistency() {
            tally.fail(&format!("{part} {}", binary.name), &reason);
        }
    }
    let failed = results.binaries.iter().any(|binary| !binary.failures.is_empty() || binary.inconsistency().is_some());
    if !status.success() && !failed {
        tally.fail(part, &format!("cargo test ended with {status}:\n{}", results.tail()));
    } else if results.passed() == 0 && !failed && !may_be_empty {
        tally.fail(part, "there was not a single test");
    }
    Ok(())
}
