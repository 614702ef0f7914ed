//! `start`, `pause`, `resume`, `stop`, `restart`, `recreate`, `forget`.

use controls::lifecycle::{self, Action, EVEN_IF_ELSEWHERE};
use portcullis_abi::manage::RESUME_GIVEN_AWAY;

use super::entry::{Command, Kind, usage};
use super::waiting;
use crate::context::Context;
use crate::error::Error;

macro_rules! lifecycle {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("[`lifecycle::", stringify!($name), "`].")]
            pub static $name: Command = Command {
                name: lifecycle::$name.name,
                arguments: "VM",
                about: lifecycle::$name.about,
                kinds: &[Kind::Vm],
                count: (1, 1),
                run: |context, arguments| run(context, arguments, &$name, &lifecycle::$name),
            };
        )*
    };
}

lifecycle! { START PAUSE STOP RESTART RECREATE FORGET }

/// [`lifecycle::RESUME`].
pub static RESUME: Command = Command {
    name: lifecycle::RESUME.name,
    arguments: "VM [even-if-it-runs-elsewhere]",
    about: lifecycle::RESUME.about,
    kinds: &[Kind::Vm, Kind::Word(&[EVEN_IF_ELSEWHERE])],
    count: (1, 2),
    run: |context, arguments| match *arguments {
        [vm] => ask(context, vm, 0, &lifecycle::RESUME),
        [vm, EVEN_IF_ELSEWHERE] => ask(context, vm, RESUME_GIVEN_AWAY, &lifecycle::RESUME),
        _ => Err(usage(&RESUME)),
    },
};

fn run(context: &mut Context, arguments: &[&str], command: &Command, action: &Action) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(command)) };
    ask(context, vm, 0, action)
}

fn ask(context: &mut Context, vm: &str, how: u64, action: &Action) -> Result<(), Error> {
    let vm = context.vm(vm)?;
    context.call_settled(action.function, [vm, how, 0]).map_err(|error| match error.status {
        Some(status) => action.explain(context.manager, vm, status).into(),
        None => error,
    })?;
    // The next command shall find what this one was for.
    if action.settles { waiting::until_settled(context, vm) } else { Ok(()) }
}
