//! `start`, `pause`, `resume`, `stop`, `restart`, `recreate`, `forget`, `power off`.

use std::thread;
use std::time::{Duration, Instant};

use controls::calls::{Calls, Failure};
use controls::lifecycle::{ACTIONS, Action, EVEN_IF_ELSEWHERE};
use controls::management;
use controls::report::vms::doing;
use controls::status::Status;
use controls::vm::title;
use portcullis_abi::manage::{BUSY, POWER_OFF, RESUME_GIVEN_AWAY};
use serde_json::json;

use super::Session;
use super::waiting::{STEP, until_settled};
use crate::error::Error;
use crate::json;
use crate::port::{Failed, Port, PortError};
use crate::vm::find;

/// How long a command waits until a VM is ready for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of the actions.
pub fn run(session: &mut Session, name: &str) -> Result<(), Error> {
    let action = ACTIONS.iter().find(|action| action.name == name);
    let action = action.ok_or_else(|| Error::Wrong(format!("no command is called {name:?}")))?;
    // Only `resume` has it.
    let anyway = session.matches.try_get_one::<bool>(EVEN_IF_ELSEWHERE).ok().flatten() == Some(&true);
    let how = if anyway { RESUME_GIVEN_AWAY } else { 0 };
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    carry_out(&mut port, action, vm, how)?;
    let (name, state) = (title(&mut port, vm), management::vm_state(&mut port, vm)?);
    let text = format_args!("{name} is {}", doing(&state));
    Ok(session.output.done(text, || json::phase(&name, &state))?)
}

/// Makes the call of an action when the VM is ready for it, and waits for what it is for; `how` is its second argument.
pub(super) fn carry_out(port: &mut Port, action: &Action, vm: u64, how: u64) -> Result<(), Error> {
    let start = Instant::now();
    while let Err(failed) = port.call(action.function, [vm, how, 0]) {
        if failed.status() != Some(Status(BUSY)) || start.elapsed() >= PATIENCE {
            return Err(action.explain(port, vm, failed).into());
        }
        thread::sleep(STEP);
    }
    if action.settles { until_settled(port, vm) } else { Ok(()) }
}

/// `power off`. Nothing comes after it: a port that is cut off is how it should end.
pub fn power_off(session: &mut Session) -> Result<(), Error> {
    let mut port = session.port()?;
    session.output.done(format_args!("the machine is switched off"), || json!({ "power": "off" }))?;
    match port.call(POWER_OFF, [0; 3]) {
        Err(Failed::Port(PortError::CutOff)) => Ok(()),
        Err(failed) => Err(failed.into()),
        Ok(_) => Err(Error::TimeOver("the machine is still on".to_owned())),
    }
}
