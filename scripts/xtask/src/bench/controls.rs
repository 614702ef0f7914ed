//! What it costs that the control VM makes a management call by its port, is told of events by another one, and is followed by a
//! trace.

use anyhow::{Context, Result};
use bench_guests::configuration::{Configuration, Output, flag};
use bench_guests::controls::Control;

use super::guest::Guest;
use super::measure::{Bench, Outcome, Run, Vm};
use super::measurement::{CPU, Measurement, Measurements, alone, single};
use super::repetition::{COUNT, check_right, closed};

/// What an event takes by itself: what more there is to a pause of which somebody is told.
const EVENT: &str = "event";

/// The keys of all measurements.
pub fn keys() -> Vec<String> {
    Control::ALL.into_iter().map(Control::name).chain([EVENT]).map(str::to_owned).collect()
}

/// The measurements by their keys.
///
/// # Errors
///
/// A run that fails, a call that was not answered, or an event that was not told.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let measured = Control::ALL.map(|control| {
        let key = control.name();
        let outcome = bench.run(&run(key, control))?;
        let measured = counted(&outcome, control).with_context(|| format!("the run '{key}'"))?;
        Ok((key.to_owned(), measured))
    });
    let mut found: Measurements = measured.into_iter().collect::<Result<_>>()?;
    let event = event(&found).context("a pause that was told took no more than one that was not")?;
    found.insert(EVENT.to_owned(), event);
    Ok(found)
}

/// What is more in one of the two measurements than in the other.
fn event(found: &Measurements) -> Option<Measurement> {
    let [told, untold] = [Control::Told, Control::Untold].map(|control| found.get(control.name()));
    let more = told?.value - untold?.value;
    (more > 0.0).then(|| single(more as u64))
}

/// The control VM with its ports, and another one, each on a core of its own.
pub fn run(name: &str, control: Control) -> Run {
    let configuration = Configuration { count: COUNT, tests: 1 << control as u64, ..Configuration::DEFAULT };
    let mut run = alone(name, Guest::Controls, CPU, configuration, "");
    let flags = configuration.flags | flag::PARTNER;
    let configuration = Configuration { flags, output: Output::None as u32, ..configuration };
    run.vms.push(Vm { guest: Guest::Controls, configuration, cores: vec![1], manifest: String::new() });
    run.schedule = "[machine]\ncontrol = \"bench0\"\ncontrol-port = true\n".to_owned();
    (run.cores, run.end) = (2, Some((1, "bench controls: done")));
    run
}

/// What one took, in the middle one of the windows, each of which had its answer or its event.
fn counted(outcome: &Outcome, control: Control) -> Result<Measurement> {
    check_right(outcome, "controls", "a call had no answer or an event was not told, or it was another one")?;
    Ok(Measurement::of(closed(outcome, control as usize)?, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::repetition::tests::outcome;

    #[test]
    fn what_is_measured_counts_if_all_went_well() {
        let told = |right: u32| outcome(Control::Get as usize, 100, 2_000, 2_100, &format!("controls right {right}"));
        let measured = counted(&told(102), Control::Get).unwrap();
        assert_eq!((measured.value, measured.max), (2_000.0, 2_100.0));
        assert!(counted(&told(101), Control::Get).is_err());
        assert!(counted(&told(102), Control::Pause).is_err(), "it was not measured");
    }

    #[test]
    fn an_event_is_what_a_pause_takes_more_when_it_is_told() {
        let both = |told: u64, untold: u64| {
            let found = [(Control::Told, told), (Control::Untold, untold)];
            Measurements::from(found.map(|(control, value)| (control.name().to_owned(), single(value))))
        };
        assert_eq!(event(&both(3_400, 2_000)).map(|event| event.value), Some(1_400.0));
        assert_eq!(event(&both(2_000, 2_000)), None);
        assert_eq!(event(&Measurements::new()), None);
    }
}
