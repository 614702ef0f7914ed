//! Reads what `cargo test` prints.

use std::collections::BTreeMap;

/// Lines of output that are kept for a message.
const TAIL: usize = 40;

/// Results of one run of `cargo test`.
#[derive(Debug, Default)]
pub struct Results {
    /// One per test program, in the order of their running.
    pub binaries: Vec<Binary>,
    output: Vec<String>,
    details: BTreeMap<String, String>,
    detail_of: Option<String>,
}

/// Results of one test program.
#[derive(Debug, Default)]
pub struct Binary {
    /// Package or test, and for documentation tests the mark `doc`.
    pub name: String,
    /// Number of tests that passed.
    pub passed: usize,
    /// Names of the tests that failed or were ignored: a test that is not run has not passed.
    pub failures: Vec<String>,
    /// Numbers of the program's own last line.
    totals: Option<Totals>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Totals {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Results {
    /// Takes one line, without its end.
    pub fn take(&mut self, line: &str) {
        if self.output.len() == TAIL {
            self.output.remove(0);
        }
        self.output.push(line.to_owned());
        self.collect_details(line);
        if let Some(name) = heading(line) {
            self.binaries.push(Binary { name, ..Binary::default() });
            return;
        }
        let Some(binary) = self.binaries.last_mut() else { return };
        if let Some(totals) = totals(line) {
            binary.passed = totals.passed;
            binary.totals = Some(totals);
        } else if let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            if result.starts_with("FAILED") {
                binary.failures.push(name.to_owned());
            } else if result.starts_with("ignored") {
                binary.failures.push(format!("{name} (ignored)"));
            }
        }
    }

    /// Tests that passed in all programs.
    pub fn passed(&self) -> usize {
        self.binaries.iter().map(|binary| binary.passed).sum()
    }

    /// What the failed test `name` wrote.
    pub fn details(&self, name: &str) -> &str {
        self.details.get(name).map_or("", String::as_str)
    }

    /// The last lines of the output.
    pub fn tail(&self) -> String {
        self.output.join("\n")
    }

    /// Collects the block `---- NAME stdout ----` of each failed test.
    fn collect_details(&mut self, line: &str) {
        let block = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(name) = block {
            self.detail_of = Some(name.to_owned());
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.detail_of = None;
        } else if let Some(name) = &self.detail_of {
            let text = self.details.entry(name.clone()).or_default();
            text.push_str(line);
            text.push('\n');
        }
    }
}

impl Binary {
    /// What is wrong if the program's results do not add up.
    pub fn inconsistency(&self) -> Option<String> {
        match self.totals {
            None => Some("the test program ended before its last line".to_owned()),
            Some(totals) if totals.failed + totals.ignored != self.failures.len() => Some(format!(
                "the test program counted {} failed and {} ignored tests, but {} were seen",
                totals.failed,
                totals.ignored,
                self.failures.len()
            )),
            Some(_) => None,
        }
    }
}

/// The name of the program that starts here.
fn heading(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{} doc", package.replace('_', "-")));
    }
    let (_, path) = line.strip_prefix("Running ")?.split_once(" (")?;
    let file = path.strip_suffix(')')?.rsplit('/').next()?;
    let (name, _) = file.rsplit_once('-')?;
    Some(name.replace('_', "-"))
}

/// The numbers of a line `test result: ok. 5 passed; 0 failed; 0 ignored; ...`.
fn totals(line: &str) -> Option<Totals> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| numbers.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    Some(Totals { passed: number("passed")?, failed: number("failed")?, ignored: number("ignored")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
   Compiling gate v0.1.0
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.02s
     Running unittests src/lib.rs (target/debug/deps/portcullis_gate-0123abcd)

running 4 tests
test a::good ... ok
test a::bad ... FAILED
test a::lazy ... ignored, takes long
test a::panics - should panic ... ok

failures:

---- a::bad stdout ----
thread 'a::bad' panicked
left: 1

failures:
    a::bad

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests portcullis_gate

running 1 test
test src/lib.rs - f (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn read(text: &str) -> Results {
        let mut results = Results::default();
        text.lines().for_each(|line| results.take(line));
        results
    }

    #[test]
    fn programs_and_their_tests_are_counted() {
        let results = read(OUTPUT);
        let names: Vec<_> = results.binaries.iter().map(|binary| (binary.name.as_str(), binary.passed)).collect();
        assert_eq!(names, [("portcullis-gate", 2), ("portcullis-gate doc", 1)]);
        assert_eq!(results.binaries[0].failures, ["a::bad", "a::lazy (ignored)"]);
        assert!(results.details("a::bad").contains("left: 1"));
        assert!(results.binaries.iter().all(|binary| binary.inconsistency().is_none()));
        assert_eq!(results.passed(), 3);
    }

    #[test]
    fn a_program_that_dies_is_noticed() {
        let (cut, _) = OUTPUT.split_once("test result: FAILED").unwrap();
        assert!(read(cut).binaries[0].inconsistency().unwrap().contains("before its last line"));
        let changed = OUTPUT.replace("1 failed; 1", "2 failed; 1");
        assert!(read(&changed).binaries[0].inconsistency().unwrap().contains("2 failed"));
    }
}
