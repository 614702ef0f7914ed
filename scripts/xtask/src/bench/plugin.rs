//! The instruction counter: a TCG plugin of QEMU's, compiled when it is needed, and its results.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment::Environment;

/// Version of QEMU whose figures these are; others count the same, but have another interface for plugins.
const QEMU_MAJOR: &str = "10.";

/// What one test of a guest came to, on one core: instructions outside the guest in each window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// The core; 0 if all count together.
    pub core: usize,
    /// Number of the test.
    pub id: usize,
    /// Windows.
    pub count: u64,
    /// The smallest window.
    pub min: u64,
    /// The middle one.
    pub median: u64,
    /// The largest one.
    pub max: u64,
    /// Instructions of the middle one by kind.
    pub kinds: BTreeMap<String, u64>,
}

/// Everything that the plugin says about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Instructions up to the first one of a guest, for each core.
    pub boot: BTreeMap<usize, u64>,
    /// The tests in the order of their ends.
    pub tests: Vec<Test>,
    /// How often each instruction ran before that, by its distance from the base.
    pub profile: Vec<(u64, u64)>,
}

/// Compiles the plugin.
///
/// # Errors
///
/// There is no C compiler, or QEMU is another than the one that the plugin is for.
pub fn build(environment: &Environment, folder: &Path) -> Result<PathBuf> {
    let version = environment.get("QEMU_VERSION")?;
    if !version.starts_with(QEMU_MAJOR) {
        bail!("the figures are those of QEMU {QEMU_MAJOR}x, and this is {version}; install that one");
    }
    let source = environment.root.join("scripts/xtask/plugins/count.c");
    let plugin = folder.join("count.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&plugin).arg(&source);
    let output = compiler.output().context("there is no C compiler 'cc' for the instruction counter")?;
    if !output.status.success() {
        bail!("{} does not compile:\n{}", source.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(plugin)
}

/// Reads a file that the plugin has written.
///
/// # Errors
///
/// It is not there, or has a line that the plugin does not write.
pub fn read(path: &Path) -> Result<Results> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    parse(&text).with_context(|| format!("{} is not what the instruction counter writes", path.display()))
}

fn parse(text: &str) -> Result<Results> {
    let mut results = Results::default();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        if kind == "at" {
            let pair = rest.split_once(' ').and_then(|(address, count)| {
                let address = u64::from_str_radix(address.trim_start_matches("0x"), 16).ok()?;
                Some((address, count.parse().ok()?))
            });
            results.profile.push(pair.with_context(|| line.to_owned())?);
            continue;
        }
        let mut values = BTreeMap::new();
        for word in rest.split(' ') {
            let (key, value) = word.split_once('=').with_context(|| line.to_owned())?;
            values.insert(key.to_owned(), value.parse::<u64>().with_context(|| line.to_owned())?);
        }
        let mut take = |key: &str| values.remove(key).with_context(|| format!("no {key} in: {line}"));
        match kind {
            "boot" => _ = results.boot.insert(take("core")? as usize, take("instructions")?),
            "test" => {
                let (core, id) = (take("core")? as usize, take("id")? as usize);
                let (count, min, median, max) = (take("count")?, take("min")?, take("median")?, take("max")?);
                results.tests.push(Test { core, id, count, min, median, max, kinds: values });
            }
            _ => bail!("{line}"),
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_results() {
        let text =
            "boot core=0 instructions=12\nat 0x10 3\ntest core=1 id=4 count=5 min=6 median=7 max=8 msr=2 eret=1\n";
        let results = parse(text).unwrap();
        assert_eq!(results.boot[&0], 12);
        assert_eq!(results.profile, [(16, 3)]);
        let test = &results.tests[0];
        assert_eq!((test.core, test.id, test.count, test.min, test.median, test.max), (1, 4, 5, 6, 7, 8));
        assert_eq!(test.kinds["msr"], 2);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["boot core=0", "test core=0 id=1", "boot core=x instructions=1", "at 0x1", "hello world=1", "x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
