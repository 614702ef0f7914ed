//! A script: commands from the VM's command line.

use crate::command::entry;
use crate::context::{Context, Ending};
use crate::words;

/// A last word with which a script ends in `exit`, as the tools that run guests unattended append it.
const EXIT: &str = "portcullis.exit";

/// What came of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Commands that were carried out.
    pub commands: u32,
    /// Those that failed.
    pub failed: u32,
}

/// Runs the script of a VM's command line and prints what came of it.
pub fn run(context: &mut Context, line: &str) {
    let line = line.trim();
    let (script, exit) = match line.strip_suffix(EXIT) {
        Some(rest) if rest.is_empty() || rest.ends_with([' ', ';']) => (rest, true),
        _ => (line, false),
    };
    let Outcome { commands, failed } = run_commands(context, script, true);
    if commands != 0 {
        context.sum_up();
        context.line(format_args!("ops: script: {commands} commands, {failed} failed"));
    }
    if exit {
        context.ending = Some(Ending::Exit);
    }
}

/// Runs commands separated by `;`, each shown before it runs if `echo`. One that fails prints why and does not keep the
/// next from running; Ctrl-C and `exit` do.
pub fn run_commands(context: &mut Context, script: &str, echo: bool) -> Outcome {
    let mut outcome = Outcome::default();
    for text in words::commands(script) {
        if echo {
            context.line(format_args!("ops> {text}"));
        }
        outcome.commands = outcome.commands.saturating_add(1);
        if let Err(error) = entry::run_line(context, text) {
            outcome.failed = outcome.failed.saturating_add(1);
            context.line(format_args!("error: {error}"));
            if error.cancelled {
                break;
            }
        }
        if context.ending.is_some() {
            break;
        }
    }
    outcome
}
