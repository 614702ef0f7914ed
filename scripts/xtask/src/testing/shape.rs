//! What formatting does not see: how long a file is, and how wide a comment.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::filter::Filter;
use super::tally::Tally;
use crate::environment::Environment;

/// The folders that hold Rust.
const FOLDERS: [&str; 6] = ["boot", "fuzz", "guest-images", "hypervisor", "platform", "scripts"];
/// The most lines of a file (docs/style.md).
const LINES: usize = 400;
/// The most columns of a line that is a comment; rustfmt wraps the others.
const COLUMNS: usize = 132;

/// Runs the check.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) {
    const NAME: &str = "shape";
    if !filter.selects("lint", NAME) {
        return;
    }
    let start = Instant::now();
    let mut complaints = Vec::new();
    let walked = FOLDERS.iter().try_for_each(|folder| walk(&environment.root, Path::new(folder), &mut complaints));
    match walked {
        Ok(()) if complaints.is_empty() => tally.pass(&format!("lint {NAME}"), start.elapsed()),
        Ok(()) => tally.fail(&format!("lint {NAME}"), &complaints.join("\n")),
        Err(error) => tally.fail(&format!("lint {NAME}"), &format!("{error:#}")),
    }
}

/// Adds what is wrong with the Rust files in `folder` of `root` and below it.
fn walk(root: &Path, folder: &Path, complaints: &mut Vec<String>) -> Result<()> {
    let whole = root.join(folder);
    for entry in fs::read_dir(&whole).with_context(|| format!("{} cannot be read", whole.display()))? {
        let name = entry?.file_name();
        let path = folder.join(&name);
        if root.join(&path).is_dir() {
            if name != "target" {
                walk(root, &path, complaints)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path));
            let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
            complaints.extend(judge(&path.display().to_string(), &text));
        }
    }
    Ok(())
}

/// What is wrong with the shape of `text`, the file `path`.
fn judge(path: &str, text: &str) -> Vec<String> {
    let wide = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//"));
    let wide = wide.map(|(at, line)| (at + 1, line.chars().count())).filter(|(_, columns)| *columns > COLUMNS);
    let wide = wide.map(|(line, columns)| format!("{path}:{line}: a comment of {columns} columns; at most {COLUMNS}"));
    let lines = text.lines().count();
    let long = (lines > LINES).then(|| format!("{path} has {lines} lines; at most {LINES}: it has two subjects"));
    wide.chain(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_too_wide_is_a_complaint() {
        assert_eq!(judge("a.rs", &"x\n".repeat(LINES)), [""; 0]);
        assert_eq!(judge("a.rs", &"x\n".repeat(LINES + 1)), ["a.rs has 401 lines; at most 400: it has two subjects"]);
        let comment = format!("    // {}\n", "ü".repeat(COLUMNS - 7));
        assert_eq!(judge("a.rs", &comment), [""; 0]);
        let wider = comment.replace("// ", "//  ");
        assert_eq!(judge("a.rs", &format!("\n{wider}")), ["a.rs:2: a comment of 133 columns; at most 132"]);
        assert_eq!(judge("a.rs", &wider.replace("//", "..")), [""; 0]);
    }
}
