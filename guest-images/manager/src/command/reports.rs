//! What there is to know of VMs.

use std::fmt;

use controls::calls::Calls;
use controls::problem::Problem;
use controls::register::{self, Shown};
use controls::report::counters::Counters;
use controls::report::links::Counted;
use controls::report::{audit, counters, links, log, refusals, registers, vms};
use portcullis_abi::manage::{self, SYSTEM_COUNTER};
use serde_json::json;

use super::Session;
use crate::error::Error;
use crate::json;
use crate::vm::find;

/// `vms`.
pub fn vms(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let chosen = match session.word("VM") {
        "" => None,
        word => Some(find(&mut port, word)?),
    };
    let vms = vms::read(&mut port, chosen)?;
    Ok(session.output.report(&vms, || json::vms(&vms))?)
}

/// `regs`.
pub fn registers(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let registers = registers::read(&mut port, vm)?;
    Ok(session.output.report(&registers, || json::registers(&registers))?)
}

/// `get`.
pub fn get(session: &mut Session) -> Result<(), Error> {
    let name = session.word("REGISTER").to_owned();
    let id = register::identifier(&name)?;
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let [value, ..] = port.call(manage::REGISTER_GET, [vm, id, 0])?;
    let text = format_args!("{name} = {value:#x} ({})\n", Shown { id, value });
    Ok(session.output.report(&text, || json::value(id, value))?)
}

/// `logs`.
pub fn logs(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let mut text = String::new();
    log::read(&mut port, vm, |piece| text.push_str(piece))?;
    Ok(session.output.report(&text, || json!({ "lines": text.lines().collect::<Vec<_>>() }))?)
}

/// `stats`.
pub fn stats(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let (counters, mut links) = (counters::read(&mut port, vm)?, Vec::new());
    for number in 0.. {
        if !links::counted(&mut port, vm, number, |counted| links.push(counted))? {
            break;
        }
    }
    let stats = Stats { counters, links };
    Ok(session.output.report(&stats, || json::stats(&stats.counters, &stats.links))?)
}

/// What was counted of a VM, and at its links.
struct Stats {
    counters: Counters,
    links: Vec<Counted>,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.counters.fmt(f)?;
        self.links.iter().try_for_each(|link| link.fmt(f))
    }
}

/// `links`.
pub fn links(session: &mut Session) -> Result<(), Error> {
    let listed = links::read(&mut session.port()?)?;
    Ok(session.output.report(&listed, || json::links(&listed))?)
}

/// `refused`.
pub fn refused(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let refusals = refusals::read(&mut port, vm)?;
    let [now, _, frequency] = port.call(SYSTEM_COUNTER, [0; 3])?;
    let seen = refusals::Seen { refusals: &refusals, now, frequency };
    Ok(session.output.report(&seen, || json::refusals(&seen))?)
}

/// `audit`.
pub fn audit(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let on = match session.word("SWITCH") {
        "" => {
            let [_, _, frequency] = port.call(SYSTEM_COUNTER, [0; 3])?;
            let audit = audit::read(&mut port, vm, frequency)?;
            return Ok(session.output.report(&audit, || json::audit(&audit))?);
        }
        switch => switch == "on",
    };
    port.call(manage::AUDIT_SET, [vm, u64::from(on), 0]).map_err(Problem::Call)?;
    let name = controls::vm::title(&mut port, vm);
    let what = if on { "will be audited" } else { "will not be audited" };
    Ok(session.output.done(format_args!("{name} {what}"), || json!({ "vm": name.as_str(), "audited": on }))?)
}
