//! The nightly compiler, of which a few tests need parts that no other has.

use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

use super::tally::Tally;
use crate::environment::Environment;

/// The nightly compiler that `scripts/setup --fuzz` has found or installed.
#[derive(Debug)]
pub struct Nightly<'a> {
    environment: &'a Environment,
    name: &'a str,
}

impl<'a> Nightly<'a> {
    /// The nightly compiler with Miri; where it cannot be had the tests of `part` are left out.
    ///
    /// # Errors
    ///
    /// `target/setup.env` is not complete.
    pub fn find(environment: &'a Environment, part: &str, tally: &mut Tally) -> Result<Option<Self>> {
        let setup = Command::new(environment.root.join("scripts/setup")).args(["--fuzz", "--quiet"]).status();
        let nightly = Self { environment, name: environment.get("NIGHTLY")? };
        let mut asked = nightly.cargo("miri");
        let there = asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if setup.is_ok_and(|status| status.success()) && there.as_ref().is_ok_and(ExitStatus::success) {
            return Ok(Some(nightly));
        }
        tally.leave_out(part, &format!("{} with Miri, or a C++ compiler, is not here; see above", nightly.name));
        Ok(None)
    }

    /// The host as the compiler names it.
    ///
    /// # Errors
    ///
    /// The compiler does not run, or does not say.
    pub fn host(&self) -> Result<String> {
        let output = Command::new("rustup").args(["run", self.name, "rustc", "--version", "--verbose"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let host = text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
        host.with_context(|| format!("{} does not say what its host is", self.name))
    }

    /// A cargo command of this compiler for the host.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new("rustup");
        command.args(["run", self.name, "cargo", subcommand]).current_dir(&self.environment.root);
        // Whatever compiler runs this tool must not reach the one that is asked for here.
        for name in ["RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO"] {
            command.env_remove(name);
        }
        command
    }
}
