//! What it costs when a core changes over from one VM's guest to another's.

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::sharing::{SLICE, Way};

use super::guest::Guest;
use super::measure::{Bench, Clock, Outcome, Run, Vm};
use super::measurement::{CPU, Measurement, Measurements, alone, single};
use crate::board::Gic;

/// Switches in a test.
const COUNT: u32 = 100;
/// The second core.
const SECOND: usize = 1;

/// The keys of the measurements.
pub const KEYS: [&str; 6] =
    ["switch-wfi", "switch-slice", "switch-interrupt", "switch-slice-gicv2", "tick-shared", "tick-alone"];

/// The switch at the end of a slice.
pub const SLICE_END: (&str, Way) = (KEYS[1], Way::Slice);

/// The measurements by their keys: those of GICv3, one of GICv2, and what runs on its core alone.
///
/// # Errors
///
/// A run that fails.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let mut found = Measurements::new();
    let [wfi, slice, interrupt, slice_gicv2, tick_shared, tick_alone] = KEYS;
    for (key, way, gic) in [
        (wfi, Way::Wait, Gic::V3),
        (slice, Way::Slice, Gic::V3),
        (interrupt, Way::Interrupt, Gic::V3),
        (slice_gicv2, Way::Slice, Gic::V2),
    ] {
        let outcome = bench.run(&Run { gic, ..shared(key, way) })?;
        found.insert(key.to_owned(), counted(&outcome, 0, way).with_context(|| format!("the run '{key}'"))?);
    }
    for (key, guests) in [(tick_shared, 3), (tick_alone, 1)] {
        let outcome = bench.run(&undisturbed(key, guests))?;
        let most = counted(&outcome, SECOND, Way::Alone).with_context(|| format!("the run '{key}'"))?.max;
        found.insert(key.to_owned(), single(most as u64));
    }
    Ok(found)
}

/// Two guests on the first core.
pub fn shared(name: &str, way: Way) -> Run {
    let configuration = Configuration { count: COUNT, tests: 1 << way as u64, ..Configuration::DEFAULT };
    let slice = format!("slice = \"{SLICE}\"");
    let mut run = alone(name, Guest::Switches, CPU, configuration, &slice);
    let flags = configuration.flags | flag::PARTNER;
    let configuration = Configuration { flags, output: Output::None as u32, ..configuration };
    run.vms.push(Vm { guest: Guest::Switches, configuration, cores: vec![0], manifest: slice });
    run.end = Some((1, "bench switches: done"));
    run
}

/// One guest spins, another one on its core waits for ever, and a third one is off; or so many of them. On the second core,
/// since the first one serves the board's clock.
fn undisturbed(name: &str, guests: usize) -> Run {
    let mut run = shared(name, Way::Alone);
    let off = run.vms.last().map(|vm| Vm { manifest: "autostart = false".to_owned(), ..vm.clone() });
    run.vms.extend(off);
    run.vms.truncate(guests);
    run.vms.iter_mut().for_each(|vm| vm.cores = vec![SECOND as u32]);
    Run { cores: 2, clock: Clock::Threads, ..run }
}

/// The only test of a run, whose windows must all have been closed.
///
/// # Errors
///
/// There is none, or it saw fewer switches.
pub fn counted(outcome: &Outcome, core: usize, way: Way) -> Result<Measurement> {
    let test = outcome.results.tests.iter().find(|test| (test.core, test.id) == (core, way as usize));
    let test = test.context("nothing was counted")?;
    let expected = if way == Way::Alone { 1 } else { u64::from(COUNT) };
    // The last one may be under way when the test ends.
    ensure!(test.count + 1 >= expected, "{} of {expected} switches were counted", test.count);
    Ok(Measurement::of(test, 1))
}
