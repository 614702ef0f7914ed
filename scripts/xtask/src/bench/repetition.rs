//! A test in which a guest does the same again and again, each time in a window, after a few times that do not count.

use anyhow::{Context, Result, ensure};
use bench_guests::mark;

use super::collect::check_ruler;
use super::measure::Outcome;
use super::plugin::Test;

/// Windows in a test of what VMs do with each other.
pub const COUNT: u32 = 100;

/// The test with the number `id` of a run whose ruler is right. All its windows must have been closed.
///
/// # Errors
///
/// The ruler is wrong, or there is no such test, or windows of it are missing.
pub fn closed(outcome: &Outcome, id: usize) -> Result<&Test> {
    check_ruler(outcome)?;
    let test = outcome.results.tests.iter().find(|test| test.id == id).context("nothing was counted")?;
    ensure!(test.count == u64::from(COUNT), "{} of {COUNT} windows were closed", test.count);
    Ok(test)
}

/// Makes sure that the guest told of `what` that it went well each time, also before the test.
///
/// # Errors
///
/// Once at least it did not: `wrong` says what that means.
pub fn check_right(outcome: &Outcome, what: &str, wrong: &'static str) -> Result<()> {
    let told = format!("] {what} right {}", COUNT + mark::BEFORE);
    ensure!(outcome.lines.iter().any(|line| line.ends_with(&told)), wrong);
    Ok(())
}

/// What tests of such measurements share, and those of this.
#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::bench::plugin::Results;

    /// What comes of a run with one test of so many windows, whose guest tells this.
    pub fn outcome(id: usize, count: u64, median: u64, max: u64, told: &str) -> Outcome {
        let lines = ["bench: 640000 instructions take 640000 ticks", told, "bench: done"];
        let lines = lines.map(|line| format!("[bench0] {line}")).to_vec();
        let test = Test { id, count, median, max, ..Test::default() };
        Outcome { lines, results: Results { tests: vec![test], ..Results::default() } }
    }

    #[test]
    fn every_window_has_to_be_closed_of_the_test_that_is_asked_for() {
        let well = outcome(3, u64::from(COUNT), 2_000, 2_100, "");
        assert_eq!(closed(&well, 3).unwrap().median, 2_000);
        assert!(closed(&well, 4).is_err(), "it was not measured");
        let short = outcome(3, u64::from(COUNT) - 1, 2_000, 2_100, "");
        assert!(closed(&short, 3).unwrap_err().to_string().contains("99 of 100"));
        let mut crooked = well;
        crooked.lines.remove(0);
        assert!(closed(&crooked, 3).is_err(), "nobody knows what its clock counts");
    }

    #[test]
    fn what_went_wrong_once_is_no_figure() {
        for (told, is_right) in
            [("it right 102", true), ("it right 101", false), ("it", false), ("this right 102", false)]
        {
            assert_eq!(check_right(&outcome(0, 100, 1, 1, told), "it", "once it did not").is_ok(), is_right, "{told}");
        }
    }
}
