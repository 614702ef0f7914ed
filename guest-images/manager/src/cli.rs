//! Every command with its arguments. What the shell's commands of the same names do, `docs/ops.md` tells too.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use controls::duration;
use controls::lifecycle::{ACTIONS, Action, EVEN_IF_ELSEWHERE, RESUME};
use controls::register::REGISTERS;
use portcullis_abi::manage::{FILTERS, PHASES};

use crate::console;
use crate::metrics::address;

/// The program with all its commands.
pub fn program() -> Command {
    Command::new("portcullis")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Manages the VMs of a Portcullis machine from its control VM")
        .after_help(
            "A VM is a name or a number; numbers are decimal or have 0x. `portcullis man` prints the manual page.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args([
            Arg::new("json")
                .long("json")
                .global(true)
                .action(ArgAction::SetTrue)
                .help("Prints JSON, a value on a line, instead of text"),
            Arg::new("quiet")
                .long("quiet")
                .short('q')
                .global(true)
                .action(ArgAction::SetTrue)
                .help("Says nothing of what was done; what was asked for is printed, and errors"),
            Arg::new("wait")
                .long("wait")
                .global(true)
                .value_name("SECONDS")
                .default_value("2")
                .value_parser(span)
                .help("How long to wait while another program has the port"),
            Arg::new("lock")
                .long("lock")
                .global(true)
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help("The file by which programs take turns at the port [default: /run/portcullis.lock]"),
        ])
        .subcommands(reports())
        .subcommands(ACTIONS.iter().map(|action| action_of(action)))
        .subcommands(settings())
        .subcommands(moves())
        .subcommands(others())
}

/// An action of the lifecycle.
fn action_of(action: &Action) -> Command {
    let command = Command::new(action.name).about(action.about).arg(vm());
    if action.name != RESUME.name {
        return command;
    }
    command.arg(
        Arg::new(EVEN_IF_ELSEWHERE)
            .long(EVEN_IF_ELSEWHERE)
            .action(ArgAction::SetTrue)
            .help("Also a VM that was given away; look first that it does not run there"),
    )
}

/// A VM.
fn vm() -> Arg {
    Arg::new("VM").required(true).help("Name or number of a VM")
}

/// A firmware register. Its words are checked by the command, as an identifier is one, too.
fn register() -> Arg {
    let names: Vec<&str> = REGISTERS.iter().map(|register| register.name).collect();
    Arg::new("REGISTER").required(true).help(format!("{}, or an identifier", names.join(", ")))
}

fn reports() -> [Command; 8] {
    [
        Command::new("vms")
            .about("the VMs and their vCPUs: what they do, what they had of their cores, and why a VM failed")
            .arg(vm().required(false)),
        Command::new("regs").about("its firmware registers").arg(vm()),
        Command::new("get").about("the value of a firmware register").args([vm(), register()]),
        Command::new("links")
            .about("what connects the VMs: networks, serial ports, disks, wires, with the VM at each end"),
        Command::new("stats")
            .about("its calls by service and conduit, its exits by cause, and what passed its links")
            .arg(vm()),
        Command::new("refused").about("its last refused calls, the newest first").arg(vm()),
        Command::new("logs")
            .about("the last that it has written to its console, over its restarts, until it is recreated")
            .arg(vm()),
        Command::new("audit")
            .about("the smallest [vm.firmware] it needs; on: from its start everything is allowed and noted")
            .args([vm(), Arg::new("SWITCH").value_parser(PossibleValuesParser::new(["on", "off"]))]),
    ]
}

fn settings() -> [Command; 5] {
    [
        Command::new("set").about("sets a firmware register").args([
            vm(),
            register(),
            Arg::new("VALUE").required(true).help("Names joined by +, none, all, or a number"),
        ]),
        Command::new("clear").about("clears every bitmap register").arg(vm()),
        Command::new("rule")
            .about("what the first write does to the other bitmaps")
            .args([vm(), Arg::new("RULE").value_parser(PossibleValuesParser::new(["clear", "keep"]))]),
        Command::new("filter").about("its range filter, or one more range").args([
            vm(),
            Arg::new("ACTION").value_parser(PossibleValuesParser::new(FILTERS)).requires_all(["BASE", "COUNT"]),
            Arg::new("BASE").help("The first function: a name, or a number"),
            Arg::new("COUNT").help("The number of functions"),
        ]),
        Command::new("time")
            .about("the time of day in UTC; set: sets it on a board without a real-time clock")
            .subcommand(
                Command::new("set")
                    .about("sets it")
                    .arg(Arg::new("TIME").required(true).help("As 2031-05-17T09:30:00Z, or seconds since 1970")),
            ),
    ]
}

fn moves() -> [Command; 3] {
    let file = |help: &'static str| Arg::new("FILE").required(true).value_hint(ValueHint::FilePath).help(help);
    [
        Command::new("save").about("puts all of a VM into a file; it is paused then, and stays so").args([
            vm(),
            file("The file, which only its owner can read; - is standard output"),
            Arg::new("keep-running")
                .long("keep-running")
                .action(ArgAction::SetTrue)
                .help("Lets the VM go on behind it, if it ran"),
        ]),
        Command::new("restore")
            .about("makes a VM the one that was saved; it is paused then. A stopped or failed one is recreated first")
            .args([vm(), file("The file; - is standard input, from which `migrate` is understood, too")]),
        Command::new("migrate").about("hands a VM over to another machine, where it goes on").args([
            vm(),
            Arg::new("to").long("to").value_name("COMMAND").required(true).help(
                "A shell command that runs `portcullis restore VM -` there, as \"ssh other portcullis restore VM -\"",
            ),
            Arg::new("timeout").long("timeout").value_name("SECONDS").default_value("60").value_parser(span).help(
                "How long the other side may take nothing and say nothing while the VM is paused; then it goes on here",
            ),
        ]),
    ]
}

fn others() -> [Command; 10] {
    [
        Command::new("console")
            .about("attaches this terminal to a VM's console: its last lines, what it writes, and keys for it")
            .args([
                vm(),
                Arg::new("escape")
                    .long("escape")
                    .value_name("KEY")
                    .default_value(console::DEFAULT)
                    .value_parser(|word: &str| console::Escape::parse(word).map(|_| word.to_owned()))
                    .help("The key before d, which detaches: ^ and the key that is held with Ctrl, or none"),
                limit(),
            ]),
        Command::new("wait").about("waits until a VM is in a state and nothing is in progress").args([
            vm(),
            Arg::new("STATE").required(true).value_parser(PossibleValuesParser::new(PHASES)),
            Arg::new("SECONDS").default_value("60").value_parser(span).help("How long, at the most"),
        ]),
        Command::new("top")
            .about("the machine on a full screen, with keys that start and end VMs")
            .args([interval("2"), limit()]),
        Command::new("watch")
            .about("shows what changes: a line whenever a VM's state does, for failures, links, and many refused calls")
            .args([interval("1"), limit()]),
        Command::new("trace")
            .about("what cores do with VMs for a time, as a file for https://ui.perfetto.dev; off: ends one that was left on")
            .args([
                Arg::new("SWITCH").value_parser(PossibleValuesParser::new(["off"])),
                Arg::new("out")
                    .long("out")
                    .value_name("FILE")
                    .value_hint(ValueHint::FilePath)
                    .required_unless_present("SWITCH")
                    .conflicts_with("SWITCH")
                    .help("Where it is put when it is complete"),
                Arg::new("for").long("for").value_name("SECONDS").default_value("1").value_parser(span).help("How long"),
                Arg::new("vm")
                    .long("vm")
                    .value_name("VM")
                    .action(ArgAction::Append)
                    .conflicts_with("SWITCH")
                    .help("Follows this VM, and others that are named so [default: all but the control VM]"),
            ]),
        Command::new("metrics")
            .about("all that is counted, in Prometheus' text format: printed, in a file, or to whoever asks by HTTP")
            .args([
                Arg::new("out")
                    .long("out")
                    .value_name("FILE")
                    .value_hint(ValueHint::FilePath)
                    .help("Puts it in this file, which is whole at any time: for a textfile collector"),
                Arg::new("every")
                    .long("every")
                    .value_name("SECONDS")
                    .value_parser(span)
                    .requires("out")
                    .help("Does so again and again, with this pause"),
                Arg::new("listen")
                    .long("listen")
                    .value_name("ADDRESS")
                    .value_parser(address)
                    .conflicts_with("out")
                    .help("Answers GET /metrics: PORT on 127.0.0.1, or ADDRESS:PORT; nobody can change anything there"),
            ]),
        Command::new("load").about("gives a kernel, and what goes with it, to a VM whose manifest has none").args([
            vm(),
            Arg::new("kernel")
                .long("kernel")
                .value_name("FILE")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The kernel: an arm64 Image, or a raw binary"),
            Arg::new("initrd")
                .long("initrd")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help("The initial RAM disk"),
            Arg::new("cmdline")
                .long("cmdline")
                .value_name("TEXT")
                .help("The kernel's command line [default: the manifest's]"),
        ]),
        Command::new("power")
            .about("switches the machine off, whatever runs")
            .arg(Arg::new("SWITCH").required(true).value_parser(PossibleValuesParser::new(["off"]))),
        Command::new("completions")
            .about("prints what a shell needs to complete these commands")
            .arg(Arg::new("SHELL").required(true).value_parser(clap::value_parser!(clap_complete::Shell))),
        Command::new("man").about("prints the manual page"),
    ]
}

fn interval(default: &'static str) -> Arg {
    let interval = Arg::new("interval").long("interval").value_name("SECONDS").default_value(default);
    interval.value_parser(span).help("Between two looks")
}

fn limit() -> Arg {
    let limit = Arg::new("for").long("for").value_name("SECONDS").value_parser(span);
    limit.help("How long [default: until it is broken off]")
}

fn span(word: &str) -> Result<Duration, String> {
    duration::parse(word).map(Duration::from_micros).map_err(|wrong| wrong.to_string())
}

/// An argument that is a word, or empty if it was not given.
pub fn word<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// An argument that is a span of time and has a default.
pub fn time(matches: &ArgMatches, name: &str) -> Duration {
    matches.get_one::<Duration>(name).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        program().debug_assert();
    }

    /// The shell's `help`, `exit`, `echo` and `sleep` are the Linux shell's own words.
    #[test]
    fn every_command_of_the_shell_is_there() {
        let document = include_str!("../../../docs/ops.md");
        let (shell, _) = document.split_once("## The commands for tests").unwrap();
        for line in shell.lines().filter_map(|line| line.strip_prefix("| `")) {
            let name = line.split(['`', ' ']).next().unwrap();
            if !["help", "exit", "echo", "sleep"].contains(&name) {
                assert!(program().find_subcommand(name).is_some(), "{name}");
            }
        }
    }

    /// Whoever reads the help for the first time finds its words told.
    #[test]
    fn the_words_of_the_help_are_explained() {
        const WORDS: [&str; 13] = [
            "control VM",
            "vCPU",
            "state",
            "conduit",
            "service",
            "firmware register",
            "bitmap register",
            "first write",
            "range filter",
            "audit",
            "exit",
            "link",
            "port",
        ];
        let (_, told) = include_str!("../../../docs/ops.md").split_once("\n## Words\n").unwrap();
        let mut program = program();
        program.build();
        let help: String = std::iter::once(program.clone())
            .chain(program.get_subcommands().cloned())
            .map(|mut command| command.render_long_help().to_string())
            .collect();
        for word in WORDS {
            assert!(told.contains(&format!("\n| {word} | ")), "{word}");
            assert!(help.contains(word), "{word} is in no help");
        }
        // What only those know who have read the specifications.
        for word in ["SMCCC", "EL2", "EL3", "PSCI", "ABI", "hypercall", "GICv", "ESR", "stage 2", "virtqueue"] {
            assert!(!help.contains(word), "{word}");
        }
    }

    /// A word that is neither in the README nor in the shell's page is one that everybody knows, or is not in the help.
    #[test]
    fn no_word_of_the_help_is_only_there() {
        const PLAIN: &str = "answers anything attaches broken change complete completions decimal default detaches done errors escape \
                             failures format hands help instead interval key listen lock look looks manages manual message \
                             nobody options page possible print printed programs quiet standard subcommand timeout too turns understood \
                             usage values whenever";
        // Shells, formats and programs, by their names.
        const NAMES: &str = "bash elvish fish powershell zsh http https json man ssh";
        let told = concat!(include_str!("../../../README.md"), include_str!("../../../docs/ops.md")).to_lowercase();
        let words = |text: &str| -> BTreeSet<String> {
            let words = text.split(|character: char| !character.is_ascii_lowercase());
            words.filter(|word| word.len() > 2).map(str::to_owned).collect()
        };
        let mut known = words(&told);
        known.extend([PLAIN, NAMES].iter().flat_map(|text| words(text)));
        let mut program = program();
        program.build();
        for mut command in std::iter::once(program.clone()).chain(program.get_subcommands().cloned()) {
            let help = command.render_long_help().to_string().to_lowercase();
            let unknown: Vec<String> = words(&help).difference(&known).cloned().collect();
            assert!(
                unknown.is_empty(),
                "{}: {unknown:?}: explain them in docs/ops.md, or say it otherwise",
                command.get_name()
            );
        }
    }

    #[test]
    fn the_documentation_has_every_command() {
        let document = include_str!("../../../docs/controls.md");
        for command in program().get_subcommands() {
            let (name, about) = (command.get_name(), command.get_about().unwrap());
            let found = document.lines().any(|line| {
                line.strip_prefix(&format!("| `{name}"))
                    .is_some_and(|rest| rest.starts_with(['`', ' ']) && rest.ends_with(&format!(" | {about} |")))
            });
            assert!(found, "{name}: {about}");
        }
        for (exit, meaning) in crate::exit::ALL {
            assert!(document.contains(&format!("| {} | {meaning} |\n", exit as u8)), "{exit:?}");
        }
    }
}
