//! What is set: registers, filter, time of day.

use controls::calls::Calls;
use controls::range;
use controls::register::{self, Shown};
use controls::report::{clock, filter, registers};
use controls::vm::title;
use portcullis_abi::manage::{self, RULE_CLEAR, RULE_KEEP, SYSTEM_COUNTER};
use serde_json::json;

use super::Session;
use crate::cli;
use crate::error::Error;
use crate::json;
use crate::vm::find;

/// `set`.
pub fn set(session: &mut Session) -> Result<(), Error> {
    let (name, word) = (session.word("REGISTER").to_owned(), session.word("VALUE"));
    let id = register::identifier(&name)?;
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    registers::set(&mut port, vm, &name, word)?;
    let [value, ..] = port.call(manage::REGISTER_GET, [vm, id, 0])?;
    let text = format_args!("{name} = {value:#x} ({})", Shown { id, value });
    Ok(session.output.done(text, || json::value(id, value))?)
}

/// `clear`.
pub fn clear(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    port.call(manage::REGISTER_CLEAR, [vm, 0, 0])?;
    let name = title(&mut port, vm);
    let text = format_args!("every bitmap register of {name} is clear");
    Ok(session.output.done(text, || json!({ "vm": name.as_str(), "cleared": true }))?)
}

/// `rule`.
pub fn rule(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let rule = match session.word("RULE") {
        "" => {
            let [rule, ..] = port.call(manage::RULE_GET, [vm, 0, 0])?;
            let name = registers::rule_name(rule);
            return Ok(session.output.report(&format_args!("{name}\n"), || json!({ "rule": name }))?);
        }
        "keep" => RULE_KEEP,
        _ => RULE_CLEAR,
    };
    port.call(manage::RULE_SET, [vm, rule, 0])?;
    let name = registers::rule_name(rule);
    Ok(session.output.done(format_args!("rule {name}"), || json!({ "rule": name }))?)
}

/// `filter`.
pub fn filter(session: &mut Session) -> Result<(), Error> {
    let action = range::action(session.word("ACTION"));
    let wanted = match action {
        Some(_) => Some(range::parse(session.word("BASE"), session.word("COUNT"))?),
        None => None,
    };
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let (Some(action), Some(wanted)) = (action, wanted) else {
        let filter = filter::read(&mut port, vm)?;
        return Ok(session.output.report(&filter, || json::filter(&filter))?);
    };
    port.call(manage::FILTER_ADD, [vm, wanted, action])?;
    let range = filter::Range::new([wanted, action, 0]);
    let text = format_args!("{:#010x} to {:#010x}: {}", range.first, range.last(), range.action_name());
    Ok(session.output.done(text, || json::range(&range))?)
}

/// `time`.
pub fn time(session: &mut Session) -> Result<(), Error> {
    let Some((_, matches)) = session.matches.subcommand() else {
        let clock = clock::read(&mut session.port()?)?;
        return Ok(session.output.report(&clock, || json::clock(&clock))?);
    };
    let date = clock::parse(cli::word(matches, "TIME"))?;
    let mut port = session.port()?;
    // The moment is when the counter was read: what the call itself takes does not count.
    let [_, counter, _] = port.call(SYSTEM_COUNTER, [0; 3])?;
    clock::set(&mut port, date, counter)?;
    Ok(session.output.done(format_args!("{date}"), || json!({ "time": date.to_string() }))?)
}
