//! Whether the cost of a call grows with the number of VMs, of cores that call at once, or of filter ranges, with a GICv2, or
//! where cores are shared.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use bench_guests::calls::{CALLS, FILTERED, SMC};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::sharing::{SLICE, Storm};

use super::collect;
use super::guest::Guest;
use super::measure::{Bench, Clock, Level, Profile, Run, Vm};
use super::measurement::{CPU, MEMORY};
use super::rows::Figure;
use crate::board::Gic;
use crate::el3::El3;

/// Cores of the machine: as many for every run, so that nothing else differs.
const CORES: u32 = 8;
/// Function ids in one filter range.
const RANGE: u32 = 0x10;
/// Function ids of the vendor-specific hypervisor services that stand for nothing.
const VENDOR_UNUSED: u32 = 0x8600_8000;
/// Instructions that one filter range may cost a call.
const PER_RANGE: u64 = 4;

/// What is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// VMs of one vCPU.
    Vms(u32),
    /// vCPUs of one VM that all call at once.
    Cores(u32),
    /// Filter ranges of the one VM, the last of them with the id that is called.
    Ranges(u32),
    /// One VM, with a watchdog and the permission to suspend itself.
    Resting,
    /// One VM, on a machine with a GICv2; all others have a GICv3.
    GicV2,
    /// The VM has its core to itself, two others share another one.
    BesideShared,
    /// The VM shares its core.
    Shared,
}

impl Variation {
    /// Every one, that which the others are compared with first.
    pub const ALL: [Self; 11] = [
        Self::Vms(1),
        Self::Vms(2),
        Self::Vms(4),
        Self::Vms(8),
        Self::Cores(4),
        Self::Ranges(1),
        Self::Ranges(32),
        Self::Resting,
        Self::GicV2,
        Self::BesideShared,
        Self::Shared,
    ];

    /// In words.
    pub fn name(self) -> String {
        match self {
            Self::Vms(1) => "1 VM".to_owned(),
            Self::Vms(count) => format!("{count} VMs"),
            Self::Cores(count) => format!("{count} cores of a VM"),
            Self::Ranges(1) => "1 filter range".to_owned(),
            Self::Ranges(count) => format!("{count} filter ranges"),
            Self::Resting => "watchdog and suspend".to_owned(),
            Self::GicV2 => "GICv2".to_owned(),
            Self::BesideShared => "beside a shared core".to_owned(),
            Self::Shared => "on a shared core".to_owned(),
        }
    }

    /// The name of its figure.
    pub fn figure_name(self) -> String {
        match self {
            Self::Ranges(_) => format!("growth per range of {}", self.name()),
            Self::Vms(_) | Self::Cores(_) | Self::Resting | Self::GicV2 => format!("growth with {}", self.name()),
            Self::BesideShared | Self::Shared => format!("growth {}", self.name()),
        }
    }

    fn run(self) -> Run {
        let flags = Configuration::DEFAULT.flags | flag::PATIENT;
        let mut configuration = Configuration { flags, batches: 30, ..Configuration::DEFAULT };
        let mut manifest = String::new();
        let vms = match self {
            Self::Vms(count) => (0..count).map(|core| vec![core]).collect(),
            Self::GicV2 | Self::BesideShared => vec![vec![0]],
            Self::Cores(count) => vec![(0..count).collect::<Vec<_>>()],
            Self::Ranges(count) => {
                manifest = filters(count);
                vec![vec![0]]
            }
            Self::Resting => {
                manifest = include_str!("resting.toml").to_owned();
                vec![vec![0]]
            }
            Self::Shared => {
                // Few switches: a batch in which there is one is not what a call costs.
                manifest = "slice = \"1s\"".to_owned();
                vec![vec![0]]
            }
        };
        let vms = vms.into_iter().map(|cores| {
            configuration.cores = cores.len() as u32;
            Vm { guest: Guest::Calls, configuration, cores, manifest: manifest.clone() }
        });
        let vms: Vec<_> = vms.chain(self.neighbours()).collect();
        let end = (!self.neighbours().is_empty()).then_some((1, "bench calls: done"));
        let name = format!("growth-{}", self.name().replace(' ', "-").to_lowercase());
        Run {
            name,
            cpu: CPU,
            cores: CORES,
            gic: if self == Self::GicV2 { Gic::V2 } else { Gic::V3 },
            clock: Clock::Threads,
            vms,
            memory: MEMORY,
            schedule: String::new(),
            end,
            profile: Profile::None,
            guests: false,
            el3: El3::None,
            level: Level::Hypervisor,
        }
    }

    /// VMs that are not measured; they call without an end.
    fn neighbours(self) -> Vec<Vm> {
        let cores: &[u32] = match self {
            Self::BesideShared => &[1, 1],
            Self::Shared => &[0],
            Self::Vms(_) | Self::Cores(_) | Self::Ranges(_) | Self::Resting | Self::GicV2 => &[],
        };
        let (flags, tests) = (Configuration::DEFAULT.flags | flag::PARTNER, 1 << Storm::Calls as u64);
        let configuration = Configuration { flags, tests, output: Output::None as u32, ..Configuration::DEFAULT };
        let manifest = format!("slice = \"{SLICE}\"");
        let vm =
            |core: &u32| Vm { guest: Guest::Windows, configuration, cores: vec![*core], manifest: manifest.clone() };
        cores.iter().map(vm).collect()
    }

    /// Cores that report.
    const fn cores(self) -> usize {
        match self {
            Self::Vms(count) => count as usize,
            // The first vCPU measures, the others only call.
            Self::Cores(_) | Self::Ranges(_) | Self::Resting | Self::GicV2 | Self::BesideShared | Self::Shared => 1,
        }
    }
}

/// A manifest's filters, none of which allows or denies more than the registers do.
fn filters(count: u32) -> String {
    let mut text = "[vm.firmware]\nstd-hyp = [\"pv-time\"]\nvendor-hyp = [\"func-feat\", \"ptp\"]\n".to_owned();
    for number in 0..count {
        let before = count - 1 - number;
        // In turns among the ids of the silicon and those of the hypervisor, whose services are called as well.
        let base = if before.is_multiple_of(2) { FILTERED - before * RANGE } else { VENDOR_UNUSED + before * RANGE };
        text += &format!("[[vm.firmware.filter]]\nbase = {base:#x}\ncount = {RANGE:#x}\naction = \"deny\"\n");
    }
    text
}

/// By how many instructions a call differs from one time to the next, whatever else runs.
fn jitter(call: &str) -> f64 {
    // The time of day: a carry between nanoseconds and seconds, or none.
    if call.ends_with(" ptp") { 2.0 } else { 0.0 }
}

/// Instructions per call under one variation: the slowest core's.
pub type Costs = BTreeMap<String, f64>;

/// Measures one variation.
///
/// # Errors
///
/// The run failed, or a core has not measured every call.
pub fn measure(bench: &Bench, variation: Variation) -> Result<Costs> {
    let run = variation.run();
    let configuration = run.vms.first().context("a run without a VM")?.configuration;
    let outcome = bench.run(&run)?;
    collect::check_time(&outcome)?;
    let mut costs = Costs::new();
    for core in 0..variation.cores() {
        let calls = collect::calls(&outcome, &configuration, core);
        ensure!(calls.len() == 2 * CALLS.len(), "core {core} measured {} of {} calls", calls.len(), 2 * CALLS.len());
        for (call, measurement) in calls {
            let cost = costs.entry(call).or_insert(0.0);
            *cost = measurement.value.max(*cost);
        }
    }
    debug_assert!(costs.len() <= 2 * SMC);
    Ok(costs)
}

/// The figure of `variation`: how many instructions it adds to the call that it adds most to.
pub fn figure(variation: Variation, alone: &Costs, costs: &Costs) -> Figure {
    let added = |call: &String| {
        let difference = costs.get(call).zip(alone.get(call)).map_or(0.0, |(with, without)| with - without);
        // With the other interrupt controller a call takes as many, not fewer either.
        let counts = if variation == Variation::GicV2 { difference.abs() } else { difference };
        (counts - jitter(call)).max(0.0)
    };
    let most = alone.keys().map(added).fold(0.0, f64::max);
    let (per, at_most) = match variation {
        Variation::Ranges(count) => (f64::from(count), PER_RANGE),
        Variation::Vms(_)
        | Variation::Cores(_)
        | Variation::Resting
        | Variation::GicV2
        | Variation::BesideShared
        | Variation::Shared => (1.0, 0),
    };
    Figure { name: variation.figure_name(), value: most / per, at_most: Some(at_most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(pairs: [(&str, f64); 2]) -> Costs {
        pairs.into_iter().map(|(call, cost)| (call.to_owned(), cost)).collect()
    }

    #[test]
    fn growth_is_that_of_the_call_that_grows_most() {
        let alone = costs([("hvc a", 40.0), ("hvc b", 50.0)]);
        let with = costs([("hvc a", 39.0), ("hvc b", 58.0)]);
        let figure = |variation| super::figure(variation, &alone, &with);
        assert_eq!(figure(Variation::Vms(2)).value, 8.0);
        assert_eq!(figure(Variation::Vms(2)).at_most, Some(0));
        assert_eq!(figure(Variation::Ranges(2)).value, 4.0);
        assert_eq!(super::figure(Variation::Cores(4), &alone, &alone).value, 0.0);
        let fewer = costs([("hvc a", 38.0), ("hvc b", 50.0)]);
        assert_eq!(super::figure(Variation::Vms(2), &alone, &fewer).value, 0.0);
        assert_eq!(super::figure(Variation::GicV2, &alone, &fewer).value, 2.0);
    }

    #[test]
    fn filters_end_with_the_id_that_is_called() {
        let text = filters(3);
        assert_eq!(text.matches("[[vm.firmware.filter]]").count(), 3);
        assert!(text.trim_end().ends_with(&format!("base = {FILTERED:#x}\ncount = 0x10\naction = \"deny\"")));
    }
}
