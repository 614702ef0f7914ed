//! A script: commands from the VM's command line.

use crate::command;
use crate::context::Context;
use crate::words;

/// A last word with which a script ends in `exit`, as the tools that run guests unattended append it.
const EXIT: &str = "portcullis.exit";

/// Runs the commands of a script, separated by `;`, and prints what came of it. A command that fails does not end it; Ctrl-C
/// and `exit` do.
pub fn run(context: &mut Context, line: &str) {
    let line = line.trim();
    let (script, exit) = match line.strip_suffix(EXIT) {
        Some(rest) if rest.is_empty() || rest.ends_with([' ', ';']) => (rest, true),
        _ => (line, false),
    };
    let (mut count, mut failed) = (0_u32, 0_u32);
    for text in words::commands(script) {
        context.line(format_args!("ops> {text}"));
        count += 1;
        if let Err(error) = command::run_line(context, text) {
            failed += 1;
            context.line(format_args!("error: {error}"));
            if error.cancelled {
                break;
            }
        }
        if context.ending.is_some() {
            break;
        }
    }
    if count != 0 {
        context.sum_up();
        context.line(format_args!("ops: script: {count} commands, {failed} failed"));
    }
    if exit {
        context.ending = Some(crate::context::Ending::Exit);
    }
}
