//! Formatting, clippy, documentation, what may be depended on, which way the arrows run, and the shape of files.

use std::process::{Command, ExitStatus};
use std::time::Instant;

use anyhow::Result;

use super::filter::Filter;
use super::tally::Tally;
use super::{arrows, host, shape, workspace};
use crate::environment::Environment;
use crate::metal;

/// The check of what may be depended on.
const DENY: &str = "dependencies";

/// Runs the lints.
///
/// # Errors
///
/// The workspace or `target/setup.env` cannot be read.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let packages = workspace::host_packages(environment)?;
    let mut format = host::cargo(environment, "fmt")?;
    format.args(["--all", "--check", "--", "--color=never"]);

    let mut clippy = host::cargo(environment, "clippy")?;
    clippy.args(["--quiet", "--all-targets"]).args(packages.iter().flat_map(|name| ["-p", name]));
    clippy.args(["--", "-D", "warnings"]);

    let mut rustdoc = host::cargo(environment, "doc")?;
    rustdoc.args(["--quiet", "--no-deps"]).args(packages.iter().flat_map(|name| ["-p", name]));
    rustdoc.env("RUSTDOCFLAGS", "-D warnings");

    let mut clippy_metal = metal::cargo(environment, "clippy")?;
    clippy_metal.args(["--quiet", "--release"]).args(metal::PACKAGES.iter().flat_map(|name| ["-p", name]));
    clippy_metal.args(["--", "-D", "warnings"]);

    let mut clippy_testing = metal::cargo(environment, "clippy")?;
    clippy_testing.args(["--quiet", "--release", "-p", metal::OPS, "--features", "testing", "--", "-D", "warnings"]);

    let checks = [
        ("fmt", format),
        ("clippy", clippy),
        ("clippy-metal", clippy_metal),
        ("clippy-testing", clippy_testing),
        ("rustdoc", rustdoc),
    ];
    for (name, command) in checks {
        if filter.selects("lint", name) {
            check(name, command, tally);
        }
    }
    arrows::run(environment, filter, tally);
    shape::run(environment, filter, tally);
    if filter.selects("lint", DENY) {
        dependencies(environment, tally);
    }
    Ok(())
}

/// Checks licences, sources and doubles of all dependencies against deny.toml. Advisories need the network and are asked for by
/// the workflow files.
fn dependencies(environment: &Environment, tally: &mut Tally) {
    let name = format!("lint {DENY}");
    let setup = Command::new(environment.root.join("scripts/setup")).args(["--deny", "--quiet"]).status();
    if !setup.as_ref().is_ok_and(ExitStatus::success) {
        return tally.fail(&name, &format!("scripts/setup --deny: {setup:?}"));
    }
    match environment.get("DENY") {
        Ok(program) => {
            let mut deny = Command::new(environment.root.join(program));
            deny.current_dir(&environment.root).args(["--color=never", "check", "--hide-inclusion-graph"]);
            deny.args(["bans", "licenses", "sources"]);
            check(DENY, deny, tally);
        }
        Err(error) => tally.fail(&name, &format!("{error:#}")),
    }
}

fn check(name: &str, mut command: Command, tally: &mut Tally) {
    let name = format!("lint {name}");
    let start = Instant::now();
    match command.output() {
        Ok(output) if output.status.success() => tally.pass(&name, start.elapsed()),
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            tally.fail(&name, &format!("{}\n{}", String::from_utf8_lossy(&text), output.status));
        }
        Err(error) => tally.fail(&name, &format!("{} could not be started: {error}", command.get_program().display())),
    }
}
