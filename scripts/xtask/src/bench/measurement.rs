//! What is measured of one thing, and the run that most of it comes from: one guest alone.

use std::collections::BTreeMap;

use bench_guests::configuration::Configuration;
use firmware::mode::{Mode, Setting};

use super::guest::Guest;
use super::measure::{Clock, Level, Profile, Run, Vm};
use super::plugin::Test;
use crate::board::Gic;
use crate::el3::El3;

/// The CPU model of the figures: one that needs nothing against speculation.
pub const CPU: &str = "cortex-a53";
/// One whose exits begin with a loop, and what the keys of its measurements begin with.
pub const CPU_WITH_LOOP: (&str, &str) = ("cortex-a72", "a72 ");
/// The same with firmware at EL3 that has SMCCC_ARCH_WORKAROUND_3, with which its exits begin instead; and what the keys begin
/// with.
pub const EL3_WITH_WORKAROUNDS: (El3, &str) = (El3::Test(Setting { mode: Mode::Workarounds, start: 0 }), "a72-el3 ");
/// One with FEAT_RNG, without which there is no entropy to offer.
pub const CPU_WITH_ENTROPY: &str = "max,pauth-impdef=on";

/// What the keys begin with of what a VM does that can be saved and is shown another CPU than its core: it has a counter and an
/// identification of its own.
pub const OWN: &str = "own ";

/// MiB of RAM that a VM has where nothing depends on it.
pub const MEMORY: u32 = 2;

/// One measured thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Instructions: of a call with the HVC or SMC itself, of an operation what is not the guest's.
    pub value: f64,
    /// The largest that was seen, where single operations are seen.
    pub max: f64,
    /// Instructions by kind.
    pub kinds: BTreeMap<String, f64>,
}

impl Measurement {
    /// What one of `units` in each window of a test took, in the middle one of the windows.
    pub fn of(test: &Test, units: u32) -> Self {
        let unit = |count: u64| count as f64 / f64::from(units);
        let kinds = test.kinds.iter().map(|(kind, count)| (kind.clone(), unit(*count))).collect();
        Self { value: unit(test.median), max: unit(test.max), kinds }
    }
}

/// Measurements by key.
pub type Measurements = BTreeMap<String, Measurement>;

/// A measurement that has no more to it than its value.
pub fn single(value: u64) -> Measurement {
    Measurement { value: value as f64, max: value as f64, kinds: BTreeMap::new() }
}

/// A run of one guest alone, on as many cores as it has vCPUs.
pub fn alone(name: &str, guest: Guest, cpu: &'static str, configuration: Configuration, manifest: &str) -> Run {
    let cores = configuration.cores;
    let vm = Vm { guest, configuration, cores: (0..cores).collect(), manifest: manifest.to_owned() };
    let name = name.to_owned();
    Run {
        name,
        cpu,
        cores,
        gic: Gic::V3,
        clock: Clock::Instructions,
        vms: vec![vm],
        memory: MEMORY,
        schedule: String::new(),
        end: None,
        profile: Profile::None,
        guests: false,
        el3: El3::None,
        level: Level::Hypervisor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_its_share_of_a_window() {
        let kinds = BTreeMap::from([("load".to_owned(), 5_000)]);
        let test = Test { count: 100, min: 1, median: 40_000, max: 45_000, kinds, ..Test::default() };
        let kinds = BTreeMap::from([("load".to_owned(), 100.0)]);
        assert_eq!(Measurement::of(&test, 50), Measurement { value: 800.0, max: 900.0, kinds });
        assert_eq!(Measurement::of(&test, 1).value, 40_000.0);
    }
}
