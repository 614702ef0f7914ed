//! What it costs that VMs reach each other through links.

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::links::Work;

use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm};
use super::measurement::{CPU, Measurement, Measurements, alone};
use super::repetition::{COUNT, closed};

/// VMs at the network: two, and as many as there can be.
pub const VMS: [usize; 2] = [2, 8];
/// What is measured with more VMs at the network as well, and is to be the same.
const WITH_MORE: [Work; 2] = [Work::Frame, Work::Frames];

/// The keys of the measurements of one network.
fn key(work: Work, vms: usize) -> String {
    if vms == VMS[0] { work.name().to_owned() } else { format!("{} of {vms}", work.name()) }
}

/// The keys of all measurements.
pub fn keys() -> Vec<String> {
    let more = WITH_MORE.map(|work| key(work, VMS[1]));
    Work::ALL.into_iter().map(|work| key(work, VMS[0])).chain(more).collect()
}

/// The measurements by their keys.
///
/// # Errors
///
/// A run that fails, or a guest that did not reach the other.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let mut found = Measurements::new();
    for vms in VMS {
        let works = if vms == VMS[0] { &Work::ALL[..] } else { &WITH_MORE };
        let run = network(vms, works);
        let outcome = bench.run(&run)?;
        for work in works {
            let measured =
                counted(&outcome, *work).with_context(|| format!("the run '{}', {}", run.name, work.name()))?;
            found.insert(key(*work, vms), measured);
        }
    }
    Ok(found)
}

/// So many VMs at a network, each on a core of its own, of which the first one has the work done with the second; and a wire
/// between these.
pub fn network(vms: usize, works: &[Work]) -> Run {
    let tests = works.iter().fold(0, |tests, work| tests | 1 << *work as u64);
    let configuration = Configuration { count: COUNT, tests, ..Configuration::DEFAULT };
    let mut run = alone(&format!("links-{vms}"), Guest::Links, CPU, configuration, "");
    for number in 1..vms {
        // The second one answers.
        let tests = if number == 1 { tests } else { 0 };
        let flags = configuration.flags | flag::PARTNER;
        let configuration = Configuration { flags, tests, output: Output::None as u32, ..configuration };
        run.vms.push(Vm { guest: Guest::Links, configuration, cores: vec![number as u32], manifest: String::new() });
    }
    let names: Vec<String> = (0..vms).map(|number| format!("bench{number}")).collect();
    run.schedule = format!(
        "[[network]]\nname = \"lan\"\nvms = {names:?}\n\n[[wire]]\nname = \"edge\"\nfrom = \"bench0\"\nto = \"bench1\"\n"
    );
    run.cores = vms as u32;
    run.guests = true;
    run.end = Some((1, "bench links: done"));
    run
}

/// What a unit of some work took, in the middle one of the windows, all of which must have been closed.
fn counted(outcome: &Outcome, work: Work) -> Result<Measurement> {
    let line = format!("] work {} done", work.name());
    ensure!(outcome.lines.iter().any(|told| told.contains(&line)), "the other VM did not understand what it is to do");
    Ok(Measurement::of(closed(outcome, work as usize)?, work.units() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::repetition::tests::outcome;

    #[test]
    fn work_counts_if_the_other_vm_understood_what_it_is_to_do() {
        let told = |told: &str| outcome(Work::Frames as usize, 100, 40_000, 45_000, told);
        let measured = counted(&told("work frames done"), Work::Frames).unwrap();
        assert_eq!((measured.value, measured.max), (800.0, 900.0));
        assert!(counted(&told("work frames done"), Work::Frame).is_err(), "it was not measured");
        assert!(counted(&told("work frames was not understood"), Work::Frames).is_err());
    }
}
