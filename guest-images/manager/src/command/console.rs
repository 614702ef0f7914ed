//! `console`.

use std::path::PathBuf;
use std::time::Duration;

use controls::management;
use controls::report::vms::{self, doing};
use controls::status::Status;
use controls::vm::title;
use portcullis_abi::manage::{PHASE_FAILED, PHASE_STOPPED, STATE_CONTROL, UNKNOWN_VM};

use super::Session;
use crate::console::{End, Escape, attach};
use crate::error::Error;
use crate::port::{Failed, Line, Place, Port};
use crate::vm::find;

/// `console`.
pub fn console(session: &mut Session) -> Result<(), Error> {
    if session.output.json {
        return Err(Error::Wrong("console is a terminal, not JSON; `logs VM --json` is".to_owned()));
    }
    let escape = Escape::parse(session.word("escape")).map_err(Error::Wrong)?;
    let limit = session.matches.get_one::<Duration>("for").copied();
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let state = management::vm_state(&mut port, vm)?;
    let name = title(&mut port, vm);
    drop(port);
    if state.marks & STATE_CONTROL != 0 {
        let text = format!("{name} is the control VM, where you are; `vms` lists the others");
        return Err(Error::Wrong(text));
    }
    let mut line = Line::open(session.place, &name).map_err(Failed::from)?;
    let mut watch =
        Watch { place: session.place, lock: session.lock(), vm, name: name.to_string(), lived: false, ended: false };
    watch.lived = !has_ended(state.phase);
    let mut terminal = (session.place.terminal)()?;
    if !session.output.quiet {
        terminal.say(&format!("attached to {name}, which is {}{}", doing(&state), escape.hint()))?;
    }
    let end = attach(&mut line, &mut terminal, escape, &mut || watch.look(), limit);
    // What is said from here on is not in the terminal as the VM has left it.
    drop(terminal);
    match end? {
        End::Vm(why) => Err(Error::Ended(why)),
        End::Detached | End::TimeOver => {
            let text = format_args!("detached from {name}");
            if session.output.quiet { Ok(()) } else { Ok(writeln!(session.errors, "portcullis: {text}")?) }
        }
    }
}

const fn has_ended(phase: u64) -> bool {
    matches!(phase, PHASE_STOPPED | PHASE_FAILED)
}

/// Whether the VM still runs, or will.
struct Watch<'a> {
    place: &'a Place,
    lock: PathBuf,
    vm: u64,
    name: String,
    /// It has not always been at an end.
    lived: bool,
    /// It was at an end at the last look.
    ended: bool,
}

impl Watch<'_> {
    /// What to say of the VM if it has ended: it has at two looks, as one that fails may start again by itself. One that was at an
    /// end from the beginning may be started. Who has the port now has it for a moment: that is seen at the next look.
    fn look(&mut self) -> Option<String> {
        let found =
            Port::open(self.place, &self.lock, Duration::ZERO).and_then(|mut port| vms::read(&mut port, Some(self.vm)));
        let vms = match found {
            Err(Failed::Status(Status(UNKNOWN_VM))) => return Some(format!("{} is there no more", self.name)),
            found => found.ok()?,
        };
        let vm = vms.vms.first()?;
        let ended = has_ended(vm.state.phase) && vm.state.is_settled();
        self.lived |= !has_ended(vm.state.phase);
        if !ended || !self.lived || !core::mem::replace(&mut self.ended, ended) {
            self.ended = ended;
            return None;
        }
        let failure = vm.failure.map(|failure| format!(": {failure}")).unwrap_or_default();
        Some(format!("{} is {}{failure}", self.name, doing(&vm.state)))
    }
}
