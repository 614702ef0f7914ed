//! The bounds that the tests hold the figures to: `scripts/figures/bounds.toml`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use toml::de::DeTable;

use super::rows::{Figure, number};
use crate::environment::Environment;

/// Bounds by the names of their figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds(BTreeMap<String, u64>);

fn path(environment: &Environment) -> PathBuf {
    environment.root.join("scripts/figures/bounds.toml")
}

impl Bounds {
    /// Reads the committed bounds.
    ///
    /// # Errors
    ///
    /// The file is missing or is not right.
    pub fn load(environment: &Environment) -> Result<Self> {
        let path = path(environment);
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not right", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut bounds = BTreeMap::new();
        for (name, value) in &DeTable::parse(text)?.into_inner() {
            let name = name.get_ref().as_ref();
            let value = number(value.get_ref()).with_context(|| format!("'{name}' is no number"))?;
            bounds.insert(name.to_owned(), value);
        }
        Ok(Self(bounds))
    }

    /// What a figure must be at most: what was reached, or what was asked for if that is less. None if neither is known.
    pub fn of(&self, figure: &Figure) -> Option<u64> {
        self.0.get(&figure.name).copied().into_iter().chain(figure.at_most).min()
    }

    /// Lowers the bounds to what the figures are now.
    pub fn accept(&mut self, figures: &[Figure]) {
        let mut bounds = BTreeMap::new();
        for figure in figures {
            let reached = figure.value.ceil() as u64;
            let bound = self.of(figure).map_or(reached, |bound| bound.min(reached));
            bounds.insert(figure.name.clone(), bound);
        }
        self.0 = bounds;
    }

    /// Writes them with the comment that the file starts with.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn store(&self, environment: &Environment) -> Result<()> {
        let path = path(environment);
        let old = fs::read_to_string(&path)?;
        let mut text: String =
            old.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        for (name, bound) in &self.0 {
            _ = writeln!(text, "{name:?} = {bound}");
        }
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, value: f64, at_most: Option<u64>) -> Figure {
        Figure { name: name.to_owned(), value, at_most }
    }

    #[test]
    fn bounds_are_lowered_and_never_raised() {
        let mut bounds = Bounds::parse("\"a\" = 10\n\"gone\" = 1\n").unwrap();
        bounds.accept(&[figure("a", 12.0, None), figure("b", 3.5, Some(9)), figure("c", 20.0, Some(9))]);
        assert_eq!(bounds.of(&figure("a", 0.0, None)), Some(10));
        assert_eq!(bounds.of(&figure("b", 0.0, Some(9))), Some(4));
        assert_eq!(bounds.of(&figure("c", 0.0, Some(9))), Some(9));
        assert_eq!(bounds.of(&figure("gone", 0.0, None)), None);
    }

    #[test]
    fn what_was_asked_for_holds_without_an_entry() {
        assert_eq!(Bounds::default().of(&figure("a", 0.0, Some(5))), Some(5));
        assert!(Bounds::parse("a = \"x\"").is_err());
    }
}
