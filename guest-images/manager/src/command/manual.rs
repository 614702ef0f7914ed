//! `completions` and `man`: made of the program's own definitions.

use std::io::{self, Write};

use super::Session;
use crate::cli::program;
use crate::error::Error;
use crate::exit;

/// `completions`.
pub fn completions(session: &mut Session) -> Result<(), Error> {
    let Some(&shell) = session.matches.get_one::<clap_complete::Shell>("SHELL") else {
        return Err(Error::Wrong("completions is for a shell: bash, fish, zsh".to_owned()));
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut program(), "portcullis", &mut text);
    session.output.out.write_all(&text)?;
    Ok(session.output.out.flush()?)
}

/// `man`: the program with its options, every command with its own, and the exit statuses.
pub fn page(session: &mut Session) -> Result<(), Error> {
    let mut text = Vec::new();
    render(&mut text)?;
    session.output.out.write_all(&text)?;
    Ok(session.output.out.flush()?)
}

fn render(out: &mut Vec<u8>) -> io::Result<()> {
    let mut program = program();
    program.build();
    let page = clap_mangen::Man::new(program.clone()).section("8");
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    writeln!(out, ".SH COMMANDS")?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace('-', "\\-");
        writeln!(out, ".TP\n\\fB{usage}\\fR\n{}", command.get_about().map(ToString::to_string).unwrap_or_default())?;
    }
    writeln!(out, ".SH \"EXIT STATUS\"")?;
    for (exit, meaning) in exit::ALL {
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", exit as u8, meaning.replace('-', "\\-"))?;
    }
    writeln!(out, ".SH FILES\n.TP\n\\fB/run/portcullis.lock\\fR\nby which programs take turns at the port")
}
