//! A VM that is saved, restored or handed over: the calls for it, each in a turn of its own at the port, so that others have theirs
//! while its memory is moved.

use std::io::{Read, Write};
use std::thread;
use std::time::Instant;

use clap::ArgMatches;
use controls::calls::{Calls, Failure};
use controls::lifecycle::{Action, FORGET, PAUSE, RECREATE, RESUME, STOP};
use controls::management::{self, State};
use controls::status::Status;
use controls::transfer::Transfer;
use controls::vm::title;
use portcullis_abi::manage::{
    self, BAD_STATE, BUSY, NOT_PERMITTED, PHASE_CREATED, PHASE_FAILED, PHASE_PAUSED, PHASE_RUNNING, PHASE_STOPPED,
    PHASE_SUSPENDED, RESUME_GIVEN_AWAY,
};

use super::lifecycle::carry_out;
use super::waiting::STEP;
use super::{Session, open_port};
use crate::cli;
use crate::error::Error;
use crate::port::{Data, Failed, Place, Port};
use crate::transfer::{in_the_way, standing};
use crate::vm::find;

/// What begins to save a VM. One that runs is paused first.
static SAVE: Action = Action {
    name: "save",
    about: "",
    function: manage::SAVE,
    from: &[PHASE_RUNNING, PHASE_PAUSED, PHASE_SUSPENDED],
    settles: false,
};
/// What begins to restore one. One that is stopped or failed is recreated first.
static RESTORE: Action = Action {
    name: "restore",
    about: "",
    function: manage::RESTORE,
    from: &[PHASE_CREATED, PHASE_STOPPED, PHASE_FAILED],
    settles: false,
};
/// What gives one away.
static GIVE_AWAY: Action =
    Action { name: "migrate", about: "", function: manage::GIVE_AWAY, from: &[PHASE_PAUSED], settles: false };

/// The VM of a command.
pub struct Mover<'a> {
    place: &'a Place,
    matches: &'a ArgMatches,
    vm: u64,
    /// Its name.
    pub name: String,
}

/// The VM as it is moved: what has come is whole, or nothing of it counts.
pub struct Moving {
    data: Data,
    /// Whether the VM ran before.
    pub ran: bool,
}

impl<'a> Mover<'a> {
    /// The VM that the command names.
    pub fn of(session: &Session<'a>) -> Result<Self, Error> {
        let mut port = session.port()?;
        let vm = find(&mut port, session.word("VM"))?;
        // A number may be none's: that is said before the other side of a hand-over is greeted.
        management::vm_state(&mut port, vm)?;
        let name = title(&mut port, vm).to_string();
        Ok(Self { place: session.place, matches: session.matches, vm, name })
    }

    fn port(&self) -> Result<Port, Failed> {
        open_port(self.place, self.matches)
    }

    /// What the VM does.
    pub fn state(&self) -> Result<State, Error> {
        Ok(management::vm_state(&mut self.port()?, self.vm)?)
    }

    fn act(&self, action: &Action, how: u64) -> Result<(), Error> {
        carry_out(&mut self.port()?, action, self.vm, how)
    }

    /// Begins what is moved by the port of data. While another transfer goes on, that is waited for as for a turn at the port.
    fn begin(&self, action: &Action) -> Result<(), Error> {
        let (start, wait) = (Instant::now(), cli::time(self.matches, "wait"));
        loop {
            let mut port = self.port()?;
            let Err(failed) = port.call(action.function, [self.vm, 0, 0]) else { return Ok(()) };
            let busy = failed.status() == Some(Status(BUSY));
            if !busy || start.elapsed() >= wait {
                return Err(self.explain(&mut port, action, failed));
            }
            drop(port);
            thread::sleep(STEP);
        }
    }

    fn explain(&self, port: &mut Port, action: &Action, failed: Failed) -> Error {
        let name = &self.name;
        let text = match failed.status() {
            Some(Status(NOT_PERMITTED)) => format!(
                "{name} may not be moved: its manifest has to say movable = true, and it cannot be the control VM itself"
            ),
            Some(Status(BUSY)) => format!("{}; --wait waits longer", in_the_way(port, self.vm)),
            _ => return action.explain(port, self.vm, failed).into(),
        };
        Error::Call(failed, Some(text))
    }

    /// Begins to save the VM: one that runs is paused for it. Whether it may be saved at all is asked before that.
    pub fn begin_save(&self) -> Result<Moving, Error> {
        let data = Data::open(self.place).map_err(Failed::from)?;
        match self.begin(&SAVE) {
            Ok(()) => return Ok(Moving { data, ran: false }),
            Err(Error::Call(Failed::Status(Status(BAD_STATE)), _)) if self.runs()? => {}
            Err(error) => return Err(error),
        }
        self.act(&PAUSE, 0)?;
        self.begin(&SAVE).map_err(|error| self.after(true, error))?;
        Ok(Moving { data, ran: true })
    }

    fn runs(&self) -> Result<bool, Error> {
        Ok(PAUSE.from.contains(&self.state()?.phase))
    }

    /// The VM goes on that did not stand still before, although `error` has happened.
    pub fn after(&self, ran: bool, error: Error) -> Error {
        let resumed = if ran { self.resume() } else { Ok(()) };
        match resumed {
            Ok(()) => error,
            Err(resumed) => Error::Left(error.into(), format!("and {} could not be resumed: {resumed}", self.name)),
        }
    }

    /// Takes all of the VM to `to`. Returns how many bytes.
    pub fn save(&self, moving: &mut Moving, to: &mut dyn Write) -> Result<u64, Error> {
        moving.data.receive(to, &mut || self.standing())
    }

    /// Begins to restore the VM, and recreates it first if it has run. Returns whether that was so, too.
    pub fn begin_restore(&self) -> Result<(Moving, bool), Error> {
        let data = Data::open(self.place).map_err(Failed::from)?;
        let phase = self.state()?.phase;
        let recreated = matches!(phase, PHASE_STOPPED | PHASE_FAILED);
        if recreated {
            self.act(&RECREATE, 0)?;
        }
        self.begin(&RESTORE)?;
        Ok((Moving { data, ran: false }, recreated))
    }

    /// Has the VM be what comes from `from`. Returns how many bytes.
    pub fn restore(&self, moving: &mut Moving, from: &mut dyn Read) -> Result<u64, Error> {
        moving.data.send(from, &mut || self.standing())
    }

    fn standing(&self) -> Result<(Transfer, String), Error> {
        Ok(standing(&mut self.port()?)?)
    }

    /// Lets the VM go on, which is paused.
    pub fn resume(&self) -> Result<(), Error> {
        self.act(&RESUME, 0)
    }

    /// Lets the VM go on, which may have been given away, but does not run elsewhere.
    pub fn take_back(&self) -> Result<(), Error> {
        self.act(&RESUME, RESUME_GIVEN_AWAY)
    }

    /// Gives the VM away.
    pub fn give_away(&self) -> Result<(), Error> {
        self.act(&GIVE_AWAY, 0)
    }

    /// Stops the VM, which was given away.
    pub fn forget(&self) -> Result<(), Error> {
        self.act(&FORGET, 0)
    }

    /// Throws away what was restored: the VM is as it was created.
    pub fn discard(&self) -> Result<(), Error> {
        self.act(&STOP, 0)?;
        self.act(&RECREATE, 0)
    }
}
