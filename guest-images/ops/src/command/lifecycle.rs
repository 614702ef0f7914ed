//! `start`, `pause`, `resume`, `stop`, `restart`, `recreate`.

use portcullis_abi::manage::{self, PHASES};

use super::entry::{Command, Kind, usage};
use super::waiting;
use crate::context::Context;
use crate::error::{Error, Status};
use crate::management;
use crate::register::Names;

macro_rules! lifecycle {
    ($($name:ident, $word:literal, $about:literal, [$($phase:ident),*];)*) => {
        $(
            #[doc = concat!("`", $word, "`.")]
            pub static $name: Command = Command {
                name: $word,
                arguments: "VM",
                about: $about,
                kinds: &[Kind::Vm],
                count: (1, 1),
                run: |context, arguments| {
                    run(context, arguments, &$name, manage::$name, &[$(manage::$phase),*])
                },
            };
        )*
    };
}

lifecycle! {
    START, "start", "starts a created VM", [PHASE_CREATED];
    PAUSE, "pause", "lets its vCPUs stand still, and their virtual counter with them", [PHASE_RUNNING, PHASE_SUSPENDED];
    RESUME, "resume", "lets a paused VM go on, and wakes one that its guest has suspended",
        [PHASE_PAUSED, PHASE_SUSPENDED];
    STOP, "stop", "switches it off without asking", [PHASE_RUNNING, PHASE_PAUSED, PHASE_SUSPENDED];
    RESTART, "restart", "starts it again from its images, with the registers it had",
        [PHASE_RUNNING, PHASE_PAUSED, PHASE_SUSPENDED, PHASE_STOPPED, PHASE_FAILED];
    RECREATE, "recreate", "makes a stopped VM new: registers at their defaults and writable",
        [PHASE_STOPPED, PHASE_FAILED, PHASE_CREATED];
}

fn run(context: &mut Context, arguments: &[&str], command: &Command, function: u32, from: &[u64]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(command)) };
    let vm = context.vm(vm)?;
    let result = context.call_settled(function, [vm, 0, 0]).map_err(|error| match error.status {
        Some(status @ Status(manage::BAD_STATE)) => {
            let phase = management::vm_state(context.manager, vm).map_or("?", |state| state.phase_name());
            let from = Names(from.iter().map(|&phase| management::name(&PHASES, phase)));
            let text = format_args!("{} is {phase}; {} is for a VM that is {from}", context.title(vm), command.name);
            Error::refused(status, text)
        }
        _ => error,
    });
    result?;
    match function {
        // The next command shall find what this one was for.
        manage::PAUSE | manage::STOP | manage::RECREATE => waiting::until_settled(context, vm),
        // Loading takes its time; other VMs can be started meanwhile.
        _ => Ok(()),
    }
}
