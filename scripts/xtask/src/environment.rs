//! What `scripts/setup` found or installed on this machine, and where the project's files lie.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// This checkout on this machine.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Root of the checkout.
    pub root: PathBuf,
    values: BTreeMap<String, String>,
}

impl Environment {
    /// Reads `target/setup.env`.
    ///
    /// # Errors
    ///
    /// `scripts/setup` has not run.
    pub fn load() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let crate_folder = manifest.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_owned());
        let root = crate_folder.ancestors().nth(2).context("the tool lies in scripts/xtask of a checkout")?.to_owned();
        let file = root.join("target/setup.env");
        let text = fs::read_to_string(&file).context("target/setup.env cannot be read: run scripts/setup first")?;
        Ok(Self { root, values: parse(&text)? })
    }

    /// A checkout at `root` on which `scripts/setup` has not run.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), values: BTreeMap::new() }
    }

    /// The value of `key`.
    ///
    /// # Errors
    ///
    /// The file is from another version of `scripts/setup`.
    pub fn get(&self, key: &str) -> Result<&str> {
        let value = self.values.get(key).map(String::as_str);
        value.with_context(|| format!("target/setup.env has no {key}: run scripts/setup again"))
    }

    /// The compiler for the bare machine if it is not the one that the figures are held on: its version and that one's.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub fn other_compiler(&self) -> Result<Option<(&str, &str)>> {
        let (version, named) = (self.get("METAL_VERSION")?, self.get("NAMED")?);
        Ok((version != named).then_some((version, named)))
    }

    /// The folder of what is built.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }
}

/// Reads lines of the form KEY='value'.
fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for line in text.lines() {
        let pair =
            line.split_once('=').and_then(|(key, value)| Some((key, value.strip_prefix('\'')?.strip_suffix('\'')?)));
        let Some((key, value)) = pair else {
            bail!("target/setup.env has a line that is not KEY='value': {line}");
        };
        values.insert(key.to_owned(), value.to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted() {
        let values = parse("A='x y'\nB=''\n").unwrap();
        assert_eq!(values["A"], "x y");
        assert_eq!(values["B"], "");
        assert!(parse("A=x\n").is_err());
    }
}
