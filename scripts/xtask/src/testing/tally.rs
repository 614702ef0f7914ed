//! Counts results and prints them as they come.

use std::fmt;
use std::time::Duration;

/// Results of some tests.
#[derive(Debug, Default)]
pub struct Tally {
    /// Tests that did what they should.
    pub passed: usize,
    /// All others.
    pub failed: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Counts and prints one passed test.
    pub fn pass(&mut self, name: &str, time: Duration) {
        println!("ok    {name} ({:.1} s)", time.as_secs_f64());
        self.passed += 1;
    }

    /// Counts tests that passed together, and prints them as one line.
    pub fn pass_many(&mut self, name: &str, count: usize) {
        if count > 0 {
            println!("ok    {name}: {count} cases");
        }
        self.passed += count;
    }

    /// Counts and prints one failed test.
    pub fn fail(&mut self, name: &str, reason: &str) {
        println!("FAIL  {name}\n      {}", reason.trim_end().replace('\n', "\n      "));
        self.failures.push(name.to_owned());
        self.failed += 1;
    }

    /// How many tests there were.
    pub const fn count(&self) -> usize {
        self.passed + self.failed
    }

    /// Adds the results of a part.
    pub fn add(&mut self, part: &Self) {
        self.passed += part.passed;
        self.failed += part.failed;
        self.failures.extend_from_slice(&part.failures);
    }

    /// Prints the names of all failures: the reasons may have scrolled away.
    pub fn repeat_failures(&self) {
        for name in &self.failures {
            println!("failed: {name}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}
