//! `watch`. The hypervisor says what happens, at the port of events; without that the VMs are looked at again and again.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use controls::calls::Calls;
use controls::event::Event;
use controls::management::{State, name_of};
use controls::names::name;
use controls::report::vms::{self, doing};
use portcullis_abi::manage::{EVENT_LINK, EVENT_REFUSALS, FAILURES, LINK, PHASES};
use serde_json::{Value, json};

use super::Session;
use super::waiting::STEP;
use crate::cli;
use crate::error::Error;
use crate::json;
use crate::port::{Events, Failed, PortError};

/// What was seen of the VMs, by number.
type Seen = BTreeMap<u64, (String, State)>;

/// `watch`.
pub fn watch(session: &mut Session) -> Result<(), Error> {
    let (start, interval) = (Instant::now(), cli::time(session.matches, "interval"));
    let limit = session.matches.get_one::<Duration>("for").copied();
    let rest = || limit.map(|limit| limit.saturating_sub(start.elapsed()));
    // What happens from here on is told.
    let mut events = Events::open(session.place).map_err(Failed::from)?;
    let mut seen = Seen::new();
    let mut looked = false;
    loop {
        if events.is_none() || !looked {
            looked = look(session, &mut seen)?;
        }
        if rest() == Some(Duration::ZERO) {
            return Ok(());
        }
        match &mut events {
            // Who has the port now has it for a moment.
            Some(_) if !looked => thread::sleep(STEP),
            Some(events) => {
                let Some(event) = events.next(rest()).map_err(Failed::from)? else { return Ok(()) };
                tell(session, &mut seen, &event)?;
                looked = event.lost == 0;
            }
            // Looks without a pause would keep the port from others.
            None => thread::sleep(interval.max(STEP).min(rest().unwrap_or(Duration::MAX))),
        }
    }
}

/// Looks at all VMs, and says what differs from what was seen. False: another program has the port; what that does is seen at the
/// next look.
fn look(session: &mut Session, seen: &mut Seen) -> Result<bool, Error> {
    let now = match session.port().and_then(|mut port| vms::read(&mut port, None)) {
        Err(Failed::Port(PortError::Busy(..) | PortError::Taken(_))) => return Ok(false),
        now => now?,
    };
    for vm in &now.vms {
        let (name, state) = (vm.name.to_string(), vm.state);
        let before = seen.insert(vm.number, (name, state)).map(|(_, state)| state);
        if before.is_none_or(|before| differs(&before, &state)) {
            let change = Change { name: &vm.name, before, state, failure: vm.failure };
            session.output.report(&change, || change.json())?;
        }
    }
    Ok(true)
}

/// Says what the hypervisor has told.
fn tell(session: &mut Session, seen: &mut Seen, event: &Event) -> Result<(), Error> {
    let link = if event.kind == EVENT_LINK {
        let name = session.port().and_then(|mut port| port.call(LINK, [event.link, 0, 0]));
        name.map_or_else(|_| event.link.to_string(), |[low, high, _]| name_of([low, high]).to_string())
    } else {
        String::new()
    };
    let vm = seen.get(&event.vm).map_or_else(|| event.vm.to_string(), |(name, _)| name.clone());
    let told = Told { event, vm: &vm, link: &link };
    session.output.report(&told, || told.json())?;
    if let (Some((_, now, restarts)), Some((_, state))) = (event.phases(), seen.get_mut(&event.vm)) {
        (state.phase, state.progress, state.restarts) = (now, 0, restarts);
    }
    Ok(())
}

/// Whether something is to be told.
fn differs(before: &State, now: &State) -> bool {
    (before.phase, before.progress, before.restarts) != (now.phase, now.progress, now.restarts)
}

/// An event.
struct Told<'a> {
    event: &'a Event,
    vm: &'a str,
    link: &'a str,
}

impl Told<'_> {
    fn json(&self) -> Value {
        let Self { event, vm, link } = self;
        let mut value = json!({ "event": event.kind_name(), "vm": vm, "time": event.time, "lost": event.lost });
        let more = if let Some((before, now, restarts)) = event.phases() {
            json!({ "before": name(&PHASES, before), "state": name(&PHASES, now), "progress": "", "restarts": restarts })
        } else if let Some((reason, vcpu, syndrome)) = event.failure() {
            json!({ "reason": name(&FAILURES, reason), "vcpu": vcpu, "syndrome": syndrome })
        } else {
            match event.kind {
                EVENT_LINK => json!({ "link": link, "end": event.end, "up": event.value != 0 }),
                EVENT_REFUSALS => json!({ "refused": event.value }),
                kind => json!({ "kind": kind, "value": event.value }),
            }
        };
        if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
            fields.extend(more);
        }
        value
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { event, vm, link } = self;
        if event.lost != 0 {
            writeln!(f, "{} events were lost, as they came too fast", event.lost)?;
        }
        write!(f, "{vm}: ")?;
        if let Some((before, now, restarts)) = event.phases() {
            write!(f, "{} -> {}", name(&PHASES, before), name(&PHASES, now))?;
            if before == now {
                write!(f, ", {restarts} restarts")?;
            }
        } else if let Some((reason, vcpu, syndrome)) = event.failure() {
            write!(f, "fails: {}: vCPU {vcpu}, syndrome {syndrome:#x}", name(&FAILURES, reason))?;
        } else {
            match event.kind {
                EVENT_LINK => write!(f, "link {link} is {}", if event.value == 0 { "down" } else { "up" })?,
                EVENT_REFUSALS => write!(f, "{} calls were refused within a second", event.value)?,
                kind => write!(f, "event {kind}, {:#x}: the hypervisor is newer than this program", event.value)?,
            }
        }
        writeln!(f)
    }
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
