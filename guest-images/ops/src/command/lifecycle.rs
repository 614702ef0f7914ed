//! `start`, `pause`, `resume`, `stop`, `restart`, `recreate`.

use controls::lifecycle::{self, Action};

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

lifecycle! { START PAUSE RESUME STOP RESTART RECREATE }

fn run(context: &mut Context, arguments: &[&str], command: &Command, action: &Action) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(command)) };
    let vm = context.vm(vm)?;
    context.call_settled(action.function, [vm, 0, 0]).map_err(|error| match error.status {
        Some(status) => action.explain(context.manager, vm, status).into(),
        None => error,
    })?;
    // The next command shall find what this one was for.
    if action.settles { waiting::until_settled(context, vm) } else { Ok(()) }
}
