//! What starts and ends VMs.

use portcullis_abi::manage::{self, PHASE_GIVEN_AWAY, PHASES};

use crate::calls::{Calls, Failure};
use crate::management;
use crate::names::{self, Names};
use crate::problem::{Problem, Wrong};
use crate::status::Status;
use crate::vm;

/// The word by which `resume` lets a VM go on that was given away.
pub const EVEN_IF_ELSEWHERE: &str = "even-if-it-runs-elsewhere";

/// A call of the lifecycle.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Its function.
    pub function: u32,
    /// The phases that it starts from.
    pub from: &'static [u64],
    /// Whether what it was for is there only when nothing is in progress any more. Loading takes its time, and other VMs can be
    /// started meanwhile.
    pub settles: bool,
}

macro_rules! actions {
    ($($name:ident, $word:literal, $about:literal, [$($phase:ident),*], $settles:literal;)*) => {
        $(
            #[doc = concat!("`", $word, "`.")]
            pub static $name: Action = Action {
                name: $word,
                about: $about,
                function: manage::$name,
                from: &[$(manage::$phase),*],
                settles: $settles,
            };
        )*
        /// Every action.
        pub static ACTIONS: [&Action; 7] = [$(&$name),*];
    };
}

actions! {
    START, "start", "starts a created VM", [PHASE_CREATED], false;
    PAUSE, "pause", "lets its vCPUs stand still, and their virtual counter with them",
        [PHASE_RUNNING, PHASE_SUSPENDED], true;
    RESUME, "resume", "lets a paused VM go on, and wakes one that its guest has suspended",
        [PHASE_PAUSED, PHASE_SUSPENDED], false;
    STOP, "stop", "switches it off without asking", [PHASE_RUNNING, PHASE_PAUSED, PHASE_SUSPENDED], true;
    RESTART, "restart", "starts it again from its images, with the registers it had",
        [PHASE_RUNNING, PHASE_PAUSED, PHASE_SUSPENDED, PHASE_STOPPED, PHASE_FAILED], false;
    RECREATE, "recreate", "makes a stopped VM new: registers at their defaults and writable",
        [PHASE_STOPPED, PHASE_FAILED, PHASE_CREATED], true;
    FORGET, "forget", "stops a VM that was given away: it goes on elsewhere", [PHASE_GIVEN_AWAY], true;
}

impl Action {
    /// Says of a call that failed because of the VM's phase which phase would be right; what else failed stays as it is.
    pub fn explain<C: Calls + ?Sized>(&self, calls: &mut C, vm: u64, error: C::Error) -> Problem<C::Error> {
        let Some(status @ Status(manage::BAD_STATE)) = error.status() else { return Problem::Call(error) };
        let state = management::vm_state(calls, vm).ok();
        let phase = state.as_ref().map_or("?", |state| state.phase_name());
        let from = Names(self.from.iter().map(|&phase| names::name(&PHASES, phase)));
        let title = vm::title(calls, vm);
        let elsewhere = if state.is_some_and(|state| state.phase == PHASE_GIVEN_AWAY) {
            "; it may run elsewhere, so look there first: `forget` ends it here, `resume` with even-if-it-runs-elsewhere lets it go on here"
        } else {
            ""
        };
        let text = format_args!("{title} is {phase}; {} is for a VM that is {from}{elsewhere}", self.name);
        Problem::Refused(status, Wrong::new(text))
    }
}

/// The phase that a word means.
///
/// # Errors
/// It is the name of none.
pub fn phase(word: &str) -> Result<u64, Wrong> {
    let position = PHASES.iter().position(|phase| *phase == word);
    position
        .map(|position| position as u64)
        .ok_or_else(|| Wrong::new(format_args!("no state is called {word:?}: there are {}", Names(PHASES.into_iter()))))
}
