//! `wait`.

use std::thread;
use std::time::{Duration, Instant};

use controls::lifecycle::phase;
use controls::management;
use controls::report::vms::doing;
use controls::vm::title;

use super::Session;
use crate::cli;
use crate::error::Error;
use crate::json;
use crate::port::Port;
use crate::vm::find;

/// Between two looks at a VM that is waited for.
pub const STEP: Duration = Duration::from_millis(5);
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
