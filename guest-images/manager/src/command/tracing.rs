//! `trace`.

use std::path::Path;
use std::time::Duration;

use controls::trace::{bit, others, switch};
use portcullis_abi::manage::SYSTEM_COUNTER;
use prost::Message;
use serde_json::json;

use super::Session;
use crate::cli;
use crate::error::Error;
use crate::file::Replacement;
use crate::port::Port;
use crate::trace::{Capture, capture, convert};
use crate::vm::find;

/// Who can read a file says what VMs do.
const MODE: u32 = 0o600;

/// `trace`.
pub fn trace(session: &mut Session) -> Result<(), Error> {
    if session.word("SWITCH") == "off" {
        switch(&mut session.port()?, 0)?;
        return Ok(session.output.done(format_args!("the trace is off"), || json!({ "trace": "off" }))?);
    }
    let time: Duration = cli::time(session.matches, "for");
    let name = session.word("out").to_owned();
    let failed = |error| Error::File(name.clone(), error);
    // What cannot be written is said before anything is noted.
    let file = Replacement::of(Path::new(&name), MODE).map_err(failed)?;
    let mut port = session.port()?;
    let vms = chosen(session, &mut port)?;
    let names = capture::names(&mut port)?;
    let [_, _, frequency] = controls::calls::Calls::call(&mut port, SYSTEM_COUNTER, [0; 3])?;
    drop(port);
    let capture = Capture::take(&|| session.port(), vms, time)?;
    let (records, lost) = capture.count();
    file.put(&convert(&capture.cores, &names, frequency).encode_to_vec()).map_err(failed)?;
    let of: Vec<&str> =
        names.vms.iter().enumerate().filter(|(vm, _)| vms >> vm & 1 != 0).map(|(_, name)| name.as_str()).collect();
    let text = format_args!(
        "{records} records of {}, {lost} lost: {name}, which https://ui.perfetto.dev opens",
        of.join(", ")
    );
    Ok(session.output.done(text, || json!({ "file": name, "records": records, "lost": lost, "vms": of }))?)
}

/// The VMs that are to be followed, a bit each: those that were named, or all but this one.
fn chosen(session: &Session, port: &mut Port) -> Result<u64, Error> {
    let machine = controls::management::machine(port)?;
    let words: Vec<&String> = session.matches.get_many("vm").into_iter().flatten().collect();
    let mut vms = 0;
    for word in &words {
        let vm = find(port, word)?;
        let none = || Error::NoVm(format!("no VM has the number {vm}; `portcullis vms` lists them"));
        vms |= bit(vm).filter(|_| vm < machine.vms).ok_or_else(none)?;
    }
    if words.is_empty() {
        vms = others(&machine);
        if vms == 0 {
            return Err(Error::Wrong("there is no other VM; --vm names this one".to_owned()));
        }
    }
    Ok(vms)
}
