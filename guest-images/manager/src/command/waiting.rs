//! `wait` and `watch`.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use controls::lifecycle::phase;
use controls::management::{self, State};
use controls::report::vms::{self, doing};
use controls::vm::title;
use serde_json::{Value, json};

use super::Session;
use super::lifecycle::STEP;
use crate::cli;
use crate::error::Error;
use crate::json;
use crate::port::{Failed, Port, PortError};
use crate::vm::find;

/// How long what is in progress with a VM may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// `wait`. The port is others' between two looks.
pub fn wait(session: &mut Session) -> Result<(), Error> {
    let (wanted, limit) = (phase(session.word("STATE"))?, cli::time(session.matches, "SECONDS"));
    let start = Instant::now();
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    loop {
        let state = management::vm_state(&mut port, vm)?;
        let name = title(&mut port, vm);
        if state.phase == wanted && state.is_settled() {
            let text = format_args!("{name} is {}", doing(&state));
            return Ok(session.output.done(text, || json::phase(&name, &state))?);
        }
        if start.elapsed() >= limit {
            let seconds = limit.as_secs_f64();
            return Err(Error::TimeOver(format!("{name} is still {} after {seconds} s", doing(&state))));
        }
        drop(port);
        thread::sleep(STEP.min(limit.saturating_sub(start.elapsed())));
        port = session.port()?;
    }
}

/// Waits until nothing is in progress with a VM.
pub fn until_settled(port: &mut Port, vm: u64) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        let state = management::vm_state(port, vm)?;
        if state.is_settled() {
            return Ok(());
        }
        if start.elapsed() >= PATIENCE {
            let (name, seconds) = (title(port, vm), PATIENCE.as_secs());
            return Err(Error::TimeOver(format!("{name} is still {} after {seconds} s", state.progress_name())));
        }
        thread::sleep(STEP);
    }
}

/// `watch`.
pub fn watch(session: &mut Session) -> Result<(), Error> {
    let (start, interval) = (Instant::now(), cli::time(session.matches, "interval"));
    let limit = session.matches.get_one::<Duration>("for").copied();
    let mut seen: BTreeMap<u64, (String, State)> = BTreeMap::new();
    loop {
        // Another program may have the port for a while: what it does is seen at the next look.
        match session.port().and_then(|mut port| vms::read(&mut port, None)) {
            Err(Failed::Port(PortError::Busy(..) | PortError::Taken(_))) => {}
            Err(failed) => return Err(failed.into()),
            Ok(now) => {
                for vm in &now.vms {
                    let (name, state) = (vm.name.to_string(), vm.state);
                    let before = seen.insert(vm.number, (name, state)).map(|(_, state)| state);
                    if before.is_none_or(|before| differs(&before, &state)) {
                        let change = Change { name: &vm.name, before, state, failure: vm.failure };
                        session.output.report(&change, || change.json())?;
                    }
                }
            }
        }
        let rest = limit.map(|limit| limit.saturating_sub(start.elapsed()));
        if rest == Some(Duration::ZERO) {
            return Ok(());
        }
        // Looks without a pause would keep the port from others.
        thread::sleep(interval.max(STEP).min(rest.unwrap_or(Duration::MAX)));
    }
}

/// Whether something is to be told.
fn differs(before: &State, now: &State) -> bool {
    (before.phase, before.progress, before.restarts) != (now.phase, now.progress, now.restarts)
}

/// A change of a VM's state, or what it was at first.
struct Change<'a> {
    name: &'a str,
    before: Option<State>,
    state: State,
    failure: Option<vms::Failure>,
}

impl Change<'_> {
    fn json(&self) -> Value {
        let mut value = json::phase(self.name, &self.state);
        if let (Value::Object(fields), Some(before)) = (&mut value, self.before) {
            fields.insert("before".to_owned(), json!(before.phase_name()));
        }
        value
    }
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        if let Some(before) = self.before {
            write!(f, "{} -> ", doing(&before))?;
        }
        write!(f, "{}", doing(&self.state))?;
        if self.before.is_some_and(|before| before.restarts != self.state.restarts) {
            write!(f, ", {} restarts", self.state.restarts)?;
        }
        if let Some(failure) = self.failure.filter(|_| self.state.phase == portcullis_abi::manage::PHASE_FAILED) {
            write!(f, ": {failure}")?;
        }
        writeln!(f)
    }
}
