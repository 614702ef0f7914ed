//! `scripts/test`: every test of the project. The last line is `N passed, N failed`.

mod arrows;
mod beside;
mod between;
mod broken;
mod cases;
mod coverage;
pub mod damage;
mod errata;
mod expectation;
mod figures;
mod filter;
mod firmware_calls;
mod fuzz;
mod host;
mod imports;
mod kept;
mod libtest;
mod lint;
mod metal_image;
mod miri;
mod nightly;
mod ordering;
mod peers;
mod perfetto;
mod placement;
mod qemu;
mod said;
mod screen;
mod shape;
mod soil;
mod speculation;
mod stolen;
mod tally;
mod trees;
mod workspace;

use std::time::Instant;

use anyhow::Result;

use crate::environment::Environment;
use filter::Filter;
use tally::Tally;

/// A part of the tests: its name, and what runs it with the filter.
type Part = (&'static str, fn(&Environment, &Filter, &mut Tally) -> Result<()>);

/// In the order of their cost: what fails early is known early.
const PARTS: [Part; 10] = [
    ("lint", lint::run),
    ("host", host::run),
    ("trees", trees::run),
    ("loom", host::run_loom),
    ("miri", miri::run),
    ("fuzz", fuzz::run),
    ("coverage", coverage::run),
    ("image", metal_image::run),
    ("qemu", qemu::run),
    ("bench", figures::run),
];

/// Parts that run only where the filter begins with their name: they take a compiler or a build of their own, and minutes.
const BY_NAME_ONLY: [&str; 3] = ["miri", "fuzz", "coverage"];

/// Runs the tests whose name contains `filter`, or those of boards, `all` of them or the README's. Whether all passed and there
/// was at least one.
///
/// # Errors
///
/// `scripts/setup` has not run. Whatever goes wrong in a part is a failure of that part.
pub fn test(filter: Option<&str>, all: bool) -> Result<bool> {
    let environment = Environment::load()?;
    let filter = Filter::new(filter, all);
    let mut total = Tally::default();
    let begin = Instant::now();
    for (name, run) in PARTS {
        if BY_NAME_ONLY.contains(&name) && !filter.text().starts_with(name) {
            if filter.is_empty() {
                total.leave_out(name, &format!("it runs by its name only: scripts/test \"{name} \""));
            }
            continue;
        }
        let start = Instant::now();
        eprintln!("{name} ...");
        let mut tally = Tally::default();
        if let Err(error) = run(&environment, &filter, &mut tally) {
            tally.fail(name, &format!("could not be run: {error:#}"));
        }
        if tally.count() > 0 {
            println!("{name}: {tally} ({:.1} s)\n", start.elapsed().as_secs_f64());
        }
        total.add(&tally);
    }
    if total.count() == 0 {
        let reason = match total.has_left_out() {
            true => format!("every test with '{}' in its name was left out", filter.text()),
            false => format!("no test has '{}' in its name", filter.text()),
        };
        total.fail("filter", &reason);
    }
    total.repeat_failures();
    println!("all parts, with what they build: {:.1} s", begin.elapsed().as_secs_f64());
    println!("{total}");
    Ok(total.failed == 0)
}
