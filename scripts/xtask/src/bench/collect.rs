//! The measurements of this hypervisor, by their keys.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use bench_guests::calls::{CALLS, SMC};
use bench_guests::configuration::{Configuration, flag};
use bench_guests::mark;
use bench_guests::operations::Operation;
use firmware::mode::{Mode, Setting};

use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm};
use super::measurement::{CPU, CPU_WITH_ENTROPY, MEMORY, Measurement, Measurements, OWN, alone, single};
use super::plugin::Test;
use super::switches;
use crate::el3::El3;

/// Operations in a test with one vCPU, and with two.
pub const OPERATIONS: u32 = 500;
const PAIR_OPERATIONS: u32 = 300;

/// Ranges that go to EL3, with the silicon provider's functions that the guest calls in the middle of 32. The VM has a watchdog and
/// may suspend itself, which costs such calls nothing.
const FORWARDING: &str = concat!(include_str!("resting.toml"), include_str!("forwarding.toml"));

/// The measurements of the calls guest, with its default of batches: `hvc NAME`, `smc NAME`.
pub fn calls(outcome: &Outcome, configuration: &Configuration, core: usize) -> Measurements {
    let mut found = Measurements::new();
    for test in outcome.results.tests.iter().filter(|test| test.core == core) {
        let (conduit, index) = if test.id >= SMC { ("smc", test.id - SMC) } else { ("hvc", test.id) };
        let Some(call) = CALLS.get(index) else { continue };
        let measured = Measurement::of(test, configuration.count);
        // The instruction that calls is the guest's own.
        let measured = Measurement { value: measured.value + 1.0, max: measured.max + 1.0, ..measured };
        found.insert(format!("{conduit} {}", call.name), measured);
    }
    found
}

/// The measurements of the interrupts guest: names of operations.
pub fn operations(tests: &[Test]) -> Measurements {
    let all = Operation::SINGLE.iter().chain(&Operation::PAIR);
    let names: BTreeMap<usize, &str> = all.map(|operation| (*operation as usize, operation.name())).collect();
    let mut found = Measurements::new();
    for test in tests {
        let Some(name) = names.get(&test.id) else { continue };
        found.insert((*name).to_owned(), Measurement::of(test, 1));
    }
    found
}

/// Everything that the two tables, the boot and the start of a VM are made of.
///
/// # Errors
///
/// A run that fails, or a guest that says that its figures are not to be trusted.
pub fn all(bench: &Bench) -> Result<Measurements> {
    let mut found = Measurements::new();
    let configuration = Configuration { batches: 20, ..Configuration::DEFAULT };
    for (name, prefix, cpu, manifest) in [
        ("open", "", CPU, ""),
        ("closed", "closed ", CPU, "[vm.firmware]"),
        ("entropy", "entropy ", CPU_WITH_ENTROPY, ""),
    ] {
        let patient = if name == "open" { flag::PATIENT | flag::IDLE } else { 0 };
        let patient = Configuration { flags: configuration.flags | patient, ..configuration };
        let outcome = bench.run(&alone(name, Guest::Calls, cpu, patient, manifest))?;
        let calls = calls(&outcome, &configuration, 0);
        check_ruler(&outcome)?;
        check_clock(&outcome, &calls, &configuration)?;
        if name == "open" {
            check_time(&outcome)?;
            let (fixed, per_mib) = boot(bench, instructions_of_boot(&outcome)?)?;
            found.insert("boot".into(), single(fixed));
            found.insert("boot-mib".into(), single(per_mib));
            found.insert("peak".into(), single(heap_peak(&outcome.lines)?));
        }
        found.extend(calls.into_iter().map(|(key, measurement)| (format!("{prefix}{key}"), measurement)));
    }

    let honest = El3::Test(Setting { mode: Mode::Honest, start: 0 });
    let outcome = bench.run(&Run { el3: honest, ..alone("forward", Guest::Calls, CPU, configuration, FORWARDING) })?;
    check_ruler(&outcome)?;
    let calls = calls(&outcome, &configuration, 0);
    found.extend(calls.into_iter().map(|(key, measurement)| (format!("forward {key}"), measurement)));

    let configuration = Configuration { count: OPERATIONS, ..Configuration::DEFAULT };
    let outcome = bench.run(&alone("interrupts", Guest::Interrupts, CPU, configuration, ""))?;
    check_ruler(&outcome)?;
    found.extend(operations(&outcome.results.tests));
    // The guest runs by itself what EL2 copies with, so its own clock counts.
    let copy = ticks(&outcome, Operation::Copy)?.saturating_sub(ticks(&outcome, Operation::Empty)?);
    found.insert(Operation::Copy.name().to_owned(), single(copy));
    found.extend(own(bench)?);
    let configuration = Configuration { count: PAIR_OPERATIONS, cores: 2, ..Configuration::DEFAULT };
    let outcome = bench.run(&alone("pair", Guest::Interrupts, CPU, configuration, ""))?;
    check_ruler(&outcome)?;
    found.extend(operations(&outcome.results.tests));

    found.insert("restart".into(), single(restart(bench, "restart", CPU, "")?));
    found.insert("seeds".into(), single(seeds(bench)?));
    found.extend(switches::measure(bench)?);
    Ok(found)
}

/// Accesses that trap for a VM alone that has a counter and an identification of its own.
fn own(bench: &Bench) -> Result<Measurements> {
    let tests = [Operation::PhysicalCounter, Operation::PhysicalTimer, Operation::CacheType];
    let tests = tests.iter().fold(0, |all, operation| all | 1 << *operation as u32);
    let configuration = Configuration { count: OPERATIONS, tests, ..Configuration::DEFAULT };
    let mut run = alone("own", Guest::Interrupts, CPU, configuration, "movable = true\ncpu = \"cortex-a53\"");
    // Somebody has to be there who could save it.
    let manager = Configuration { flags: Configuration::DEFAULT.flags | flag::IDLE, ..configuration };
    run.vms.push(Vm {
        guest: Guest::Calls,
        configuration: manager,
        cores: vec![1],
        manifest: "autostart = false".into(),
    });
    run.cores = 2;
    run.schedule = "[machine]\ncontrol = \"bench1\"\n".to_owned();
    let outcome = bench.run(&run)?;
    check_ruler(&outcome)?;
    let found = operations(&outcome.results.tests).into_iter();
    Ok(found.map(|(key, measurement)| (format!("{OWN}{key}"), measurement)).collect())
}

/// Instructions of the longest start of a VM that resets itself again and again.
fn restart(bench: &Bench, name: &str, cpu: &'static str, manifest: &str) -> Result<u64> {
    let flags = Configuration::DEFAULT.flags | flag::RESTART;
    let configuration = Configuration { flags, ..Configuration::DEFAULT };
    let mut run = alone(name, Guest::Calls, cpu, configuration, manifest);
    run.end = Some((4, "start to restart"));
    let outcome = bench.run(&run)?;
    let restarts = outcome.results.tests.iter().filter(|test| test.id == mark::RESTART as usize);
    restarts.map(|test| test.max).max().context("the VM did not start again")
}

/// Instructions that a start with seeds takes more than one without, on a CPU that has entropy.
fn seeds(bench: &Bench) -> Result<u64> {
    let with = restart(bench, "seeded", CPU_WITH_ENTROPY, "")?;
    let without = restart(bench, "unseeded", CPU_WITH_ENTROPY, "kaslr = false")?;
    with.checked_sub(without).filter(|more| *more > 0).context("a start with seeds took no more than one without")
}

/// Instructions of an operation by the guest's own clock: the shortest one.
fn ticks(outcome: &Outcome, operation: Operation) -> Result<u64> {
    let told = format!("] operation {} ticks=", operation.name());
    let line = outcome.lines.iter().find_map(|line| Some(line.split_once(&told)?.1));
    let number = line.and_then(|rest| rest.split(' ').next()).context("an operation was not measured")?;
    Ok(number.parse()?)
}

/// MiB of RAM by which a boot is compared with one that has more to set to zero.
const MORE: u32 = 16;

/// What the boot of a VM with [`MEMORY`] MiB, of so many instructions, takes but for its RAM, and what each MiB of that takes.
fn boot(bench: &Bench, with_memory: u64) -> Result<(u64, u64)> {
    let configuration = Configuration { batches: 1, ..Configuration::DEFAULT };
    let large = Run { memory: MEMORY + MORE, ..alone("large", Guest::Calls, CPU, configuration, "") };
    split(with_memory, instructions_of_boot(&bench.run(&large)?)?)
}

fn split(with_memory: u64, with_more: u64) -> Result<(u64, u64)> {
    let more = with_more.checked_sub(with_memory).context("more RAM took fewer instructions")?;
    let fixed = with_memory.checked_sub((more * u64::from(MEMORY)).div_ceil(MORE.into()));
    Ok((fixed.context("RAM took more instructions than the boot as a whole")?, more.div_ceil(MORE.into())))
}

/// Instructions up to the first one of the guest on core 0.
fn instructions_of_boot(outcome: &Outcome) -> Result<u64> {
    outcome.results.boot.get(&0).copied().context("the guest's first instruction was not seen")
}

/// Bytes of EL2's heap that were in use at once, as the hypervisor tells in the end.
fn heap_peak(lines: &[String]) -> Result<u64> {
    let told =
        lines.iter().find_map(|line| line.strip_prefix("portcullis: EL2's heap held ")?.strip_suffix(" KiB at most"));
    Ok(told.context("the hypervisor did not tell the heap's peak")?.parse::<u64>()? << 10)
}

/// Makes sure that the guests' calls for the time were answered.
///
/// # Errors
///
/// The first one that was not.
pub fn check_time(outcome: &Outcome) -> Result<()> {
    let refused = |line: &&String| line.contains("c ptp x0=ffffffffffffffff");
    let line = outcome.lines.iter().find(refused);
    ensure!(line.is_none(), "a call for the time was not answered: {}", line.map_or("", String::as_str));
    Ok(())
}

/// Makes sure that the guest finished, its counter counted instructions, and no operation ended in an exception or met another
/// interrupt than its own.
///
/// # Errors
///
/// The first of these that is not so.
pub fn check_ruler(outcome: &Outcome) -> Result<()> {
    let has = |text: &str| outcome.lines.iter().any(|line| line.contains(text));
    ensure!(has(": 640000 instructions take 640000 ticks"), "the guest's counter does not count instructions");
    ensure!(has(": done"), "the guest did not finish");
    for line in outcome.lines.iter().filter(|line| line.contains("] call ") || line.contains("] operation ")) {
        let bad = line.contains("exception=") || line.contains("wrong=") && !line.contains("wrong=0 exceptions=0");
        ensure!(!bad, "an operation went wrong: {line}");
    }
    Ok(())
}

/// Whether the guest's own clock and the counter agree on every call.
fn check_clock(outcome: &Outcome, calls: &Measurements, configuration: &Configuration) -> Result<()> {
    let mut compared = 0;
    for line in &outcome.lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "call", conduit, name, .., ticks] = words.as_slice() else { continue };
        let Some(ticks) = ticks.strip_prefix("ticks=") else { continue };
        let key = format!("{conduit} {name}");
        let measurement = calls.get(&key).with_context(|| format!("the call {key} was not counted"))?;
        let per_call = ticks.parse::<f64>()? / f64::from(configuration.count);
        // The clock tells the shortest batch, the counter the middle one.
        if per_call > measurement.value || measurement.value - per_call > 0.05 * measurement.value {
            bail!("{key}: {per_call} instructions by the guest's clock, {} by the counter", measurement.value);
        }
        compared += 1;
    }
    ensure!(compared == 2 * CALLS.len(), "{compared} of {} calls were measured", 2 * CALLS.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plugin::Results;

    fn outcome(lines: &[&str]) -> Outcome {
        let mut all = vec!["[b] bench calls: 640000 instructions take 640000 ticks", "[b] bench calls: done"];
        all.extend(lines);
        Outcome { lines: all.into_iter().map(str::to_owned).collect(), results: Results::default() }
    }

    #[test]
    fn calls_count_themselves() {
        let test = Test { id: SMC, count: 3, min: 100, median: 4_000, max: 5_000, ..Test::default() };
        let results = Results { tests: vec![test], ..Results::default() };
        let found = calls(&Outcome { lines: Vec::new(), results }, &Configuration::DEFAULT, 0);
        assert_eq!((found["smc unknown"].value, found["smc unknown"].max), (41.0, 51.0));
    }

    #[test]
    fn a_boot_is_split_into_what_depends_on_memory_and_what_does_not() {
        assert_eq!(split(500_000, 500_000 + 16 * 80_000).unwrap(), (340_000, 80_000));
        assert_eq!(split(500_001, 500_001 + 16 * 80_000 - 1).unwrap(), (340_001, 80_000));
        assert!(split(500_000, 499_999).is_err() && split(1000, 100_000).is_err());
    }

    #[test]
    fn what_went_wrong_is_seen() {
        assert!(check_ruler(&outcome(&["[b] operation timer ticks=1 wrong=0 exceptions=0"])).is_ok());
        assert!(check_ruler(&outcome(&["[b] operation timer ticks=1 wrong=1 exceptions=0"])).is_err());
        assert!(check_ruler(&outcome(&["[b] operation timer ticks=1 wrong=0 exceptions=2"])).is_err());
        assert!(check_ruler(&outcome(&["[b] call smc ptp exception=02"])).is_err());
        assert!(check_ruler(&Outcome { lines: Vec::new(), results: Results::default() }).is_err());
    }

    #[test]
    fn an_operation_s_ticks_are_those_of_its_line() {
        let outcome = outcome(&["[b] operation copy-64k ticks=10300 wrong=0 exceptions=0"]);
        assert_eq!(ticks(&outcome, Operation::Copy).unwrap(), 10_300);
        assert!(ticks(&outcome, Operation::Empty).is_err());
    }

    #[test]
    fn a_time_that_is_not_told_is_seen() {
        let told = "[b] call hvc ptp x0=18a8123400000000 x1=0 ticks=5000";
        assert!(check_time(&outcome(&[told])).is_ok());
        assert!(check_time(&outcome(&[told, "[b] call smc ptp x0=ffffffffffffffff x1=0 ticks=5000"])).is_err());
    }

    #[test]
    fn a_clock_that_differs_is_seen() {
        let calls = Measurements::from([("hvc ptp".to_owned(), Measurement { value: 41.0, ..Measurement::default() })]);
        let line = "[b] call hvc ptp x0=0 x1=0 ticks=5000";
        let error = check_clock(&outcome(&[line]), &calls, &Configuration::DEFAULT).unwrap_err();
        assert!(error.to_string().contains("50 instructions by the guest's clock"), "{error}");
    }
}
