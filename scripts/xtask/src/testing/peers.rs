//! The cases of other hypervisors' tests, each held by lines of ours: `docs/peers.md` says by which, and every one is a result.

use anyhow::{Context, Result, bail, ensure};

use super::tally::Tally;

/// The document.
const TABLES: &str = include_str!("../../../../docs/peers.md");
/// What the third column begins with where there is no counterpart.
const NONE: &str = "none: ";

/// A case of theirs.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Their test.
    test: String,
    /// Their case.
    case: String,
    /// What holds it.
    ours: Vec<Line>,
}

/// What holds a case of theirs.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    /// Name of the test in QEMU.
    run: String,
    /// VM and name of the case that it reports, with `*` for any words, and how many there are of them; none: the test as a whole.
    case: Option<(String, String, usize)>,
}

/// Reads the tables.
///
/// # Errors
///
/// A row that is none.
pub fn rows() -> Result<Vec<Row>> {
    parse(TABLES)
}

fn parse(text: &str) -> Result<Vec<Row>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let lines = text.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---"));
    let mut rows = Vec::new();
    for line in lines.filter(|line| !line.starts_with("| test |")) {
        let cells = cells(line);
        let [test, case, ours] = &*cells else { bail!("three columns are expected: {line}") };
        let ours = if ours.starts_with(NONE) { Ok(Vec::new()) } else { ours.split("; ").map(parse_line).collect() };
        let ours = ours.with_context(|| format!("docs/peers.md, {test}, {case}"))?;
        rows.push(Row { test: test.replace('`', ""), case: case.replace('`', ""), ours });
    }
    ensure!(!rows.is_empty(), "there is no table");
    Ok(rows)
}

fn parse_line(text: &str) -> Result<Line> {
    let parts: Vec<&str> = text.split('`').collect();
    Ok(match *parts {
        ["", run, ""] => Line { run: run.to_owned(), case: None },
        ["", run, " ", vm, " ", name, count] => {
            let count = if count.trim().is_empty() { 1 } else { count.trim().parse()? };
            Line { run: run.to_owned(), case: Some((vm.to_owned(), name.to_owned(), count)) }
        }
        _ => bail!("`TEST` or `TEST` `VM` `CASE` NUMBER are expected: {text}"),
    })
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).filter(|&at| name.is_char_boundary(at)).any(|at| fits(rest, &name[at..]))
        }),
    }
}

impl Line {
    /// What is missing of it on a console.
    fn missing(&self, console: &[String]) -> Option<String> {
        let (vm, pattern, count) = self.case.as_ref()?;
        let prefix = format!("[{vm}] case ");
        let found: Vec<_> = console
            .iter()
            .filter_map(|line| line.strip_prefix(&prefix)?.split_once(": "))
            .filter(|(name, _)| fits(pattern, name))
            .collect();
        if let Some((name, result)) = found.iter().find(|(_, result)| *result != "ok") {
            return Some(format!("{vm} {name}: {result}"));
        }
        (found.len() < *count).then(|| format!("{vm} has {} of {count} cases {pattern}", found.len()))
    }
}

/// Counts each case of theirs that the test `run` holds, which `passed` as a whole and left this console.
pub fn count(rows: &[Row], run: &str, passed: bool, console: &[String], tally: &mut Tally) {
    for row in rows {
        let ours: Vec<_> = row.ours.iter().filter(|line| line.run == run).collect();
        if ours.is_empty() {
            continue;
        }
        let name = format!("qemu {run} for {}: {}", row.test, row.case);
        let whole = || ours.iter().any(|line| line.case.is_none()) && !passed;
        let missing = ours.iter().find_map(|line| line.missing(console));
        match missing.or_else(|| whole().then(|| format!("the test {run} has failed"))) {
            None => tally.pass_case(&name),
            Some(missing) => tally.fail(&name, &missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::cases;

    #[test]
    fn what_the_document_names_is_there() {
        let rows = rows().unwrap();
        let runs: BTreeSet<&str> = cases::all().map(|case| case.name).collect();
        for row in &rows {
            for line in &row.ours {
                assert!(runs.contains(&*line.run), "{row:?}");
            }
        }
        let names: BTreeSet<_> = rows.iter().map(|row| (&row.test, &row.case)).collect();
        assert_eq!(names.len(), rows.len(), "each once");
    }

    #[test]
    fn every_row_is_held_by_a_line_or_says_why_not() {
        let table = "| test | case | ours |\n| --- | --- | --- |\n| `a.c` | (1) x | `run` `vm` `H1 *` 2; `other` |\n\
            | `a.c` | y | none: nobody asks |\n";
        let rows = parse(table).unwrap();
        let ours = [Some(("vm".to_owned(), "H1 *".to_owned(), 2)), None];
        assert_eq!(rows[0].ours.iter().map(|line| line.case.clone()).collect::<Vec<_>>(), ours);
        assert_eq!((rows[0].test.as_str(), rows[1].ours.len()), ("a.c", 0));
        for wrong in
            ["| `a.c` | x |", "| `a.c` | x | run |", "| `a.c` | x | `run` `vm` |", "| `a.c` | x | `r` `v` `n` z |", ""]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_case_that_is_missing_or_fails_is_seen() {
        let rows = parse("| `a.c` | x | `run` `vm` `H1 * is 0` 2 |\n| `a.c` | y | `run` |").unwrap();
        let console = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let counted = |text: &str, passed| {
            let mut tally = Tally::default();
            count(&rows, "run", passed, &console(text), &mut tally);
            count(&rows, "another", passed, &[], &mut tally);
            (tally.passed, tally.failed)
        };
        let good = "[vm] case H1 a is 0: ok\n[vm] case H1 b is 0: ok\n[vm] case H2: FAIL x";
        assert_eq!(counted(good, true), (2, 0));
        assert_eq!(counted(good, false), (1, 1));
        assert_eq!(counted("[vm] case H1 a is 0: ok\n[other] case H1 b is 0: ok", true), (1, 1));
        assert_eq!(counted(&format!("{good}\n[vm] case H1 c is 0: FAIL expected 0 got 1"), true), (1, 1));
    }
}
