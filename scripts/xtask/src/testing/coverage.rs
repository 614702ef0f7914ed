//! How much of the machine room's hottest floors the tests on the host reach: lines, folder by folder, and what is asked of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::filter::Filter;
use super::host;
use super::tally::Tally;
use crate::environment::Environment;

/// The package that is looked at, and where its sources are.
const PACKAGE: &str = "portcullis-core";
const SOURCES: &str = "hypervisor/core/src/";
/// Its folders that are held to [`LEAST`].
const HELD: [&str; 3] = ["life", "run", "trap"];
/// What of a hundred lines the tests have to reach.
const LEAST: u64 = 80;

/// Lines that have code, and those of them that were reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    count: u64,
    covered: u64,
}

impl Lines {
    /// Whether enough of them were reached.
    const fn suffice(self) -> bool {
        self.covered * 100 >= self.count * LEAST
    }

    /// In words.
    fn words(self) -> String {
        let per_mille = (self.covered * 1000).checked_div(self.count).unwrap_or(0);
        format!("{}.{} % of {} lines", per_mille / 10, per_mille % 10, self.count)
    }
}

/// Runs the tests of [`PACKAGE`] and says what they reach.
///
/// # Errors
///
/// A tool could not be started, or says what is not understood.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let held: Vec<&str> = HELD.into_iter().filter(|folder| filter.selects("coverage", folder)).collect();
    if held.is_empty() {
        return Ok(());
    }
    let start = Instant::now();
    let Some(tools) = Tools::find(environment, tally)? else { return Ok(()) };
    let folder = environment.target().join("coverage");
    let profiles = folder.join("profiles");
    if profiles.exists() {
        fs::remove_dir_all(&profiles).context("the profiles of the last run cannot be removed")?;
    }
    let (binary, failed) = tools.test(environment, &folder, &profiles, tally)?;
    if failed {
        return Ok(());
    }
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(tools.folder.join("llvm-profdata"));
    merge.args(["merge", "--sparse"]).arg(&profiles).arg("--output").arg(&merged);
    output(merge)?;
    let mut export = Command::new(tools.folder.join("llvm-cov"));
    export.args(["export", "--summary-only"]).arg(&binary).arg("--instr-profile").arg(&merged);
    let export: Value = serde_json::from_slice(&output(export)?).context("llvm-cov says what is not understood")?;
    let folders = by_folder(&export);
    let widest = folders.keys().map(String::len).max().unwrap_or(0);
    for (name, lines) in &folders {
        println!("      {name:<widest$}  {}", lines.words());
    }
    for name in held {
        let case = format!("coverage {name}");
        match folders.get(name) {
            Some(lines) if lines.suffice() => tally.pass(&case, start.elapsed()),
            Some(lines) => {
                tally.fail(&case, &format!("{} are reached by tests on the host; {LEAST} % must be", lines.words()));
            }
            None => tally.fail(&case, "there is no such folder any more: take it out of HELD"),
        }
    }
    Ok(())
}

/// The lines of each folder, or file beside them, of the package's sources, by what `llvm-cov export` says. Tests do not count.
fn by_folder(export: &Value) -> BTreeMap<String, Lines> {
    let mut folders = BTreeMap::<String, Lines>::new();
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    for file in list(export, "data").iter().flat_map(|data| list(data, "files")) {
        let Some((_, path)) = file["filename"].as_str().and_then(|name| name.split_once(SOURCES)) else { continue };
        let mut parts = path.split('/');
        let folder = parts.next().unwrap_or_default();
        if folder == "tests" || parts.any(|part| matches!(part, "tests" | "tests.rs")) {
            continue;
        }
        let lines = &file["summary"]["lines"];
        let sum = folders.entry(folder.trim_end_matches(".rs").to_owned()).or_default();
        sum.count += lines["count"].as_u64().unwrap_or(0);
        sum.covered += lines["covered"].as_u64().unwrap_or(0);
    }
    folders
}

/// What a tool prints.
fn output(mut command: Command) -> Result<Vec<u8>> {
    let name = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!("{name} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// The compiler's own LLVM tools: another version does not read its profiles.
struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// The tools that `scripts/setup --coverage` has found or installed; where they cannot be had the tests are left out.
    fn find(environment: &Environment, tally: &mut Tally) -> Result<Option<Self>> {
        let setup = Command::new(environment.root.join("scripts/setup")).args(["--coverage", "--quiet"]).status();
        let rustc = environment.get("HOST_RUSTC")?;
        let sysroot = output(ask(rustc, "sysroot"))?;
        let host = output(ask(rustc, "host-tuple"))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        let folder = Path::new(&text(sysroot)).join("lib/rustlib").join(text(host)).join("bin");
        let there = ["llvm-profdata", "llvm-cov"].iter().all(|tool| folder.join(tool).exists());
        if setup.is_ok_and(|status| status.success()) && there {
            return Ok(Some(Self { folder }));
        }
        tally.leave_out("coverage", "the LLVM tools of this Rust compiler are not here; see above");
        Ok(None)
    }

    /// Runs the tests. Their binary, and whether one of them failed.
    fn test(
        &self,
        environment: &Environment,
        folder: &Path,
        profiles: &Path,
        tally: &mut Tally,
    ) -> Result<(PathBuf, bool)> {
        let command = |arguments: &[&str]| -> Result<Command> {
            let mut command = host::cargo(environment, "test")?;
            command.args(["-p", PACKAGE, "--lib"]).args(arguments);
            // Other flags mean another build of everything: in a folder of its own it does not push the usual one out.
            command.env("RUSTFLAGS", "-Cinstrument-coverage").env("CARGO_TARGET_DIR", folder);
            // Build scripts and macros are instrumented too; each process writes a file of its own.
            command.env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
            Ok(command)
        };
        let mut build = command(&["--no-run", "--message-format=json"])?;
        build.stderr(Stdio::inherit());
        let binary = binary_of(&output(build)?).context("cargo does not say which binary has the tests")?;
        // What the build itself has left is not the tests'.
        if profiles.exists() {
            fs::remove_dir_all(profiles).context("the profiles of the build cannot be removed")?;
        }
        let failed = tally.failed;
        host::execute(command(&["--no-fail-fast"])?, "coverage", false, tally)?;
        Ok((binary, tally.failed != failed))
    }
}

/// The compiler, asked for one of its facts.
fn ask(rustc: &str, fact: &str) -> Command {
    let mut command = Command::new(rustc);
    command.args(["--print", fact]);
    command
}

/// The binary that cargo's messages tell of.
fn binary_of(messages: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(messages);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut binaries = messages.filter_map(|message| Some(message["executable"].as_str()?.into()));
    binaries.next_back()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(name: &str, count: u64, covered: u64) -> Value {
        let lines = json!({ "count": count, "covered": covered, "percent": 0.0 });
        json!({ "filename": format!("/somewhere/{name}"), "summary": { "lines": lines } })
    }

    #[test]
    fn folders_are_summed_and_tests_do_not_count() {
        let files = [
            file("hypervisor/core/src/run/enter.rs", 10, 9),
            file("hypervisor/core/src/run/deep/er.rs", 10, 7),
            file("hypervisor/core/src/run/tests/enter.rs", 100, 100),
            file("hypervisor/core/src/run/deep/tests.rs", 100, 100),
            file("hypervisor/core/src/tests/rig.rs", 100, 100),
            file("hypervisor/core/src/serial.rs", 3, 0),
            file("hypervisor/vgic/src/lib.rs", 100, 100),
        ];
        let folders = by_folder(&json!({ "data": [{ "files": files }], "version": "3.0.1" }));
        let expected = [("run", Lines { count: 20, covered: 16 }), ("serial", Lines { count: 3, covered: 0 })];
        assert_eq!(folders, expected.map(|(name, lines)| (name.to_owned(), lines)).into());
        assert!(folders["run"].suffice() && !folders["serial"].suffice());
        assert_eq!(folders["run"].words(), "80.0 % of 20 lines");
        assert!(!Lines { count: 1000, covered: 799 }.suffice());
    }

    #[test]
    fn the_last_binary_is_the_tests() {
        let messages = br#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/t/deps/portcullis_core-1"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(binary_of(messages), Some("/t/deps/portcullis_core-1".into()));
        assert_eq!(binary_of(b"nothing of the kind"), None);
    }
}
