//! Figures of `docs/numbers.md` that other documents name: `scripts/figures/quoted.toml`. `scripts/bench --docs` writes them, and a
//! test holds that each is what `docs/numbers.md` has, and that no document names a number of instructions that is not looked at.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a document names figures of one row.
struct Quote {
    file: String,
    /// The row of `docs/numbers.md`.
    row: String,
    /// What stands there, with the heading of a column in braces where a figure is.
    words: String,
}

/// The file `scripts/figures/quoted.toml`.
struct Quoted {
    quotes: Vec<Quote>,
    /// Files and words with a number of instructions in them that is no figure of a row.
    apart: Vec<(String, String)>,
}

/// The cells of tables by the names of their rows and the headings of their columns.
type Cells = BTreeMap<(String, String), String>;

/// Writes the figures of `numbers`, the text of `docs/numbers.md`, wherever a document below `root` names one.
///
/// # Errors
///
/// A document does not name it, or a file cannot be read or written.
pub fn write(root: &Path, numbers: &str) -> Result<()> {
    let quoted = Quoted::load(root)?;
    quoted.check(root)?;
    for (file, text) in quoted.documents(root, numbers)? {
        fs::write(root.join(&file), text).with_context(|| format!("{file} cannot be written"))?;
    }
    Ok(())
}

impl Quoted {
    fn load(root: &Path) -> Result<Self> {
        let path = root.join("scripts/figures/quoted.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not right", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let root = DeTable::parse(text)?.into_inner();
        let entries = |key: &str| root.get(key).and_then(|entries| entries.get_ref().as_array()).into_iter().flatten();
        let value = |entry: &Spanned<DeValue<'_>>, key: &str| -> Result<String> {
            let value = entry.get_ref().get(key).and_then(|value| value.get_ref().as_str());
            Ok(value.with_context(|| format!("an entry has no '{key}', which is a text"))?.to_owned())
        };
        let quotes = entries("quote").map(|entry| {
            let words = value(entry, "words")?;
            // It would be found once for each of its digits.
            ensure!(!words.starts_with('{'), "in front of the first figure no word stands: {words}");
            Ok(Quote { file: value(entry, "file")?, row: value(entry, "row")?, words })
        });
        let apart = entries("apart").map(|entry| {
            value(entry, "why")?;
            Ok((value(entry, "file")?, value(entry, "words")?))
        });
        Ok(Self { quotes: quotes.collect::<Result<_>>()?, apart: apart.collect::<Result<_>>()? })
    }

    /// Looks whether each document has the words that it is said to have, and names no other number of instructions.
    fn check(&self, root: &Path) -> Result<()> {
        let mut files = vec![root.join("README.md")];
        for folder in ["docs", "docs/decisions"] {
            for entry in fs::read_dir(root.join(folder)).with_context(|| format!("{folder} cannot be read"))? {
                files.push(entry?.path());
            }
        }
        let is_looked_at =
            |file: &&PathBuf| file.extension().is_some_and(|kind| kind == "md") && !file.ends_with("numbers.md");
        for file in files.iter().filter(is_looked_at) {
            let name = file.strip_prefix(root)?.display().to_string();
            self.judge(&name, &fs::read_to_string(file)?).with_context(|| name.clone())?;
        }
        Ok(())
    }

    /// The same of the document `file`, which is `text`.
    fn judge(&self, file: &str, text: &str) -> Result<()> {
        let quotes = self.quotes.iter().map(|quote| (&quote.file, &quote.words));
        let known =
            quotes.chain(self.apart.iter().map(|(file, words)| (file, words))).filter(|(name, _)| *name == file);
        let places = known.map(|(_, words)| found(text, words)).collect::<Result<Vec<Range<usize>>>>()?;
        for (at, _) in text.match_indices(" instruction") {
            let before = text.get(..at).unwrap_or_default();
            let is_known = places.iter().any(|place| place.contains(&at.saturating_sub(1)));
            let line = before.rsplit('\n').next().unwrap_or_default();
            ensure!(
                is_known || !before.ends_with(|c: char| c.is_ascii_digit()),
                "scripts/figures/quoted.toml does not say where this number of instructions is from: {line}"
            );
        }
        Ok(())
    }

    /// The documents that name figures, with those of `numbers` in them.
    fn documents(&self, root: &Path, numbers: &str) -> Result<BTreeMap<String, String>> {
        let cells = cells(numbers);
        let mut documents = BTreeMap::new();
        for quote in &self.quotes {
            if !documents.contains_key(&quote.file) {
                let text = fs::read_to_string(root.join(&quote.file));
                documents.insert(quote.file.clone(), text.with_context(|| format!("{} cannot be read", quote.file))?);
            }
            let Some(text) = documents.get_mut(&quote.file) else { continue };
            let place = found(text, &quote.words).with_context(|| quote.file.clone())?;
            let figures = quote.filled(&cells)?;
            text.replace_range(place, &figures);
        }
        Ok(documents)
    }
}

impl Quote {
    /// The words with the figures.
    fn filled(&self, cells: &Cells) -> Result<String> {
        let mut text = String::new();
        for part in parts(&self.words) {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Figure(column) => {
                    let cell = cells.get(&(self.row.clone(), column.to_owned()));
                    let cell =
                        cell.with_context(|| format!("docs/numbers.md has no '{}' of '{}'", column, self.row))?;
                    text.push_str(if cell == "-" { "" } else { cell });
                }
            }
        }
        Ok(text)
    }
}

/// A part of the words of a quote.
enum Part<'a> {
    Words(&'a str),
    Figure(&'a str),
}

fn parts(words: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = words;
    while let Some((before, (column, behind))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        parts.extend([Part::Words(before), Part::Figure(column)]);
        rest = behind;
    }
    parts.push(Part::Words(rest));
    parts
}

/// Where `text` has the words with whatever figures.
fn found(text: &str, words: &str) -> Result<Range<usize>> {
    let starts = text.char_indices().map(|(at, _)| at);
    let mut places = starts.filter_map(|at| Some(at..at + length(text.get(at..)?, &parts(words))?));
    let place = places.next().with_context(|| format!("it does not have the words: {words}"))?;
    ensure!(places.next().is_none(), "it has these words more than once: {words}");
    Ok(place)
}

/// Bytes of the parts, if the text begins with them.
fn length(text: &str, parts: &[Part<'_>]) -> Option<usize> {
    let mut rest = text;
    for part in parts {
        rest = match part {
            Part::Words(words) => rest.strip_prefix(words)?,
            Part::Figure(_) => rest.get(figure(rest)..)?,
        };
    }
    Some(text.len() - rest.len())
}

/// Bytes of the figure that the text begins with: none at all where there is none.
fn figure(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(text.len());
    text.get(..end).map_or(0, |figure| figure.trim_end_matches([',', '.']).len())
}

/// The cells of all tables of a document of Markdown. Of rows with the same name the first one counts: what is behind it compares.
fn cells(text: &str) -> Cells {
    let mut cells = Cells::new();
    let mut headings: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(line) = line.strip_prefix("| ") else {
            headings.clear();
            continue;
        };
        let row: Vec<String> = line.trim_end_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        if headings.is_empty() {
            headings = row;
            continue;
        }
        let Some((name, values)) = row.split_first() else { continue };
        for (heading, value) in headings.iter().skip(1).zip(values) {
            cells.entry((name.clone(), heading.clone())).or_insert_with(|| value.trim_end_matches('!').to_owned());
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn documents_name_the_figures_that_there_are() {
        let numbers = fs::read_to_string(root().join("docs/numbers.md")).unwrap();
        for (file, text) in Quoted::load(&root()).unwrap().documents(&root(), &numbers).unwrap() {
            let kept = fs::read_to_string(root().join(&file)).unwrap();
            for (kept, text) in kept.lines().zip(text.lines()) {
                assert_eq!(kept, text, "{file}: not what docs/numbers.md has; scripts/bench --docs writes both");
            }
        }
    }

    #[test]
    fn no_document_names_instructions_that_nobody_looks_at() {
        Quoted::load(&root()).unwrap().check(&root()).unwrap();
    }

    #[test]
    fn a_number_of_instructions_that_is_not_looked_at_is_told() {
        let text = "[[quote]]\nfile = \"a\"\nrow = \"b\"\nwords = \"takes {HVC} instructions\"\n\
            [[apart]]\nfile = \"a\"\nwords = \"and 7 instr\"\nwhy = \"c\"";
        let quoted = Quoted::parse(text).unwrap();
        let judge = |text: &str| quoted.judge("a", text);
        assert!(judge("few instructions: it takes 1,200 instructions, and 7 instructions").is_ok());
        let told =
            judge("it takes 1,200 instructions, and 7 instructions;\nthen 8 instructions").unwrap_err().to_string();
        assert!(told.ends_with(": then 8"), "{told}");
        assert!(judge("it takes 1,200 instructions").unwrap_err().to_string().contains("does not have the words"));
    }

    const NUMBERS: &str = "text\n\n| call | HVC | KVM, nVHE |\n| --- | ---: | ---: |\n| a b |  37 | 1632 |\n| c   | 3! |    - |\n\n\
        | times as many | KVM, nVHE |\n| --- | ---: |\n| a b | 44.1 |\n";

    fn filled(words: &str, row: &str, text: &str) -> Result<String> {
        let quote = Quote { file: String::new(), row: row.to_owned(), words: words.to_owned() };
        let (place, figures) = (found(text, words)?, quote.filled(&cells(NUMBERS))?);
        let mut text = text.to_owned();
        text.replace_range(place, &figures);
        Ok(text)
    }

    #[test]
    fn a_figure_is_put_where_one_is() {
        let of = |words, row, text| filled(words, row, text).unwrap();
        assert_eq!(of("takes {HVC}, or", "a b", "It takes 1,234, or so."), "It takes 37, or so.");
        assert_eq!(of("it is {KVM, nVHE}", "a b", "it is 1.5."), "it is 1632.");
        assert_eq!(of("| c | {HVC} | {KVM, nVHE} |", "c", "| c | 4 |  |"), "| c | 3 |  |");
    }

    #[test]
    fn what_is_not_there_or_twice_is_told() {
        let of = |words, row, text| filled(words, row, text).unwrap_err().to_string();
        assert!(of("takes {HVC}", "a b", "It took 12.").contains("does not have the words"));
        assert!(of("takes {HVC}", "a b", "takes 1, takes 2").contains("more than once"));
        assert!(of("takes {SMC}", "a b", "takes 1").contains("no 'SMC' of 'a b'"));
        assert!(Quoted::parse("[[quote]]\nfile = \"a\"\nwords = \"b\"").is_err());
        let first = Quoted::parse("[[quote]]\nfile = \"a\"\nrow = \"b\"\nwords = \"{HVC} c\"");
        assert!(first.err().unwrap().to_string().contains("no word stands: {HVC} c"));
        assert!(Quoted::parse("[[apart]]\nfile = \"a\"\nwords = \"b\"").is_err());
    }
}
