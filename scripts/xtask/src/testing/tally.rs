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
    left_out: Vec<String>,
}

impl Tally {
    /// Counts and prints one passed test.
    pub fn pass(&mut self, name: &str, time: Duration) {
        println!("ok    {name} ({:.1} s)", time.as_secs_f64());
        self.passed += 1;
    }

    /// Counts and prints a case that passed as part of a longer test.
    pub fn pass_case(&mut self, name: &str) {
        println!("ok    {name}");
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

    /// Prints that tests cannot be run here. They count neither as passed nor as failed.
    pub fn leave_out(&mut self, name: &str, reason: &str) {
        println!("left out: {name}: {reason}");
        self.left_out.push(name.to_owned());
    }

    /// Whether tests were left out.
    pub const fn has_left_out(&self) -> bool {
        !self.left_out.is_empty()
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
        self.left_out.extend_from_slice(&part.left_out);
    }

    /// Prints the names of what was left out and of all failures: the reasons may have scrolled away.
    pub fn repeat_failures(&self) {
        for name in &self.left_out {
            println!("left out: {name}");
        }
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
