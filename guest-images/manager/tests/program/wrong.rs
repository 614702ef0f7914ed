//! Every command, whatever is wrong with the port or with the VM that it is about: a line, an exit status of that kind, and nothing
//! is done.

use std::fs::{self, File};
use std::path::Path;

use clap::{Arg, Command};
use manager::cli::program;
use manager::exit::Exit;
use manager::port::Place;
use portcullis_abi::manage::{VERSION, WRONG_VERSION};

use crate::rig::{Linux, Reply, honest, run_words};

/// Those that need no port.
const APART: [&str; 3] = ["completions", "man", "help"];
/// That which needs a terminal before anything else.
const OF_A_TERMINAL: &str = "top";

/// Every command that needs the port, with words that are right but for the VM, which is called `vm`.
fn lines(folder: &Path, vm: &str) -> Vec<Vec<String>> {
    let file = folder.join("file");
    fs::write(&file, [0x14; 4096]).unwrap();
    let sample = |command: &Command, argument: &Arg| match argument.get_id().as_str() {
        "VM" => vm.to_owned(),
        "REGISTER" => "std".to_owned(),
        "VALUE" => "none".to_owned(),
        "STATE" => "running".to_owned(),
        "SWITCH" => "off".to_owned(),
        "FILE" | "kernel" | "out" => file.display().to_string(),
        "to" => "exit 1".to_owned(),
        name => panic!("{} {name}: what would be right?", command.get_name()),
    };
    let is_apart = |command: &&Command| APART.contains(&command.get_name()) || command.get_name() == OF_A_TERMINAL;
    let mut program = program();
    program.build();
    let mut lines = Vec::new();
    for command in program.get_subcommands().filter(|command| !is_apart(command)) {
        let mut words = vec![command.get_name().to_owned()];
        let wanted = |argument: &&Arg| {
            // That of `trace` is required unless it is switched off.
            argument.is_required_set() || argument.get_id() == "out" && command.get_name() == "trace"
        };
        for argument in command.get_arguments().filter(wanted) {
            words.extend(argument.get_long().map(|long| format!("--{long}")));
            words.push(sample(command, argument));
        }
        lines.push(words);
    }
    assert!(lines.len() > 25, "{lines:?}");
    lines
}

/// Each of them fails so.
#[track_caller]
fn all_fail(place: &Place, lines: &[Vec<String>], exit: Exit, error: &str) {
    for line in lines {
        let words: Vec<&str> = line.iter().map(String::as_str).chain(["--wait", "0.01"]).collect();
        let (got, out, errors) = run_words(place, &words);
        assert_eq!((got, out.as_str()), (exit, ""), "{line:?}: {errors}");
        assert!(errors.starts_with("portcullis: ") && errors.contains(error), "{line:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{line:?}: {errors}");
    }
}

#[test]
fn whatever_is_wrong_with_the_port() {
    let (linux, folder) = (Linux::new(), tempfile::tempdir().unwrap());
    let lines = lines(folder.path(), "a");
    let mut place = linux.place();
    place.sysfs = linux.folder.path().join("nothing");
    all_fail(&place, &lines, Exit::Absent, "no port is called \"portcullis\"");
    let turn = File::create(linux.folder.path().join("lock")).unwrap();
    turn.lock().unwrap();
    // `watch` waits until it has its turn.
    let others: Vec<_> = lines.iter().filter(|line| line[0] != "watch").cloned().collect();
    all_fail(&linux.place(), &others, Exit::Busy, "--wait waits longer");
    drop((turn, place, linux));
    let linux = Linux::with(|_, [function, ..]| {
        assert_eq!(function, u64::from(VERSION), "nothing is asked of one that is older");
        Reply::Answer([WRONG_VERSION.cast_unsigned(), 0x1_0002, 0, 0])
    });
    all_fail(&linux.place(), &lines, Exit::Version, "the hypervisor is older: it speaks version 1.2 of the interface");
    drop(linux);
    let linux = Linux::with(|machine, request| match request[0] {
        function if function == u64::from(VERSION) => honest(machine, request),
        _ => Reply::Part(9),
    });
    // The machine that goes off takes its port along.
    let cut: Vec<_> = lines.iter().filter(|line| line[0] != "power").cloned().collect();
    all_fail(&linux.place(), &cut, Exit::CutOff, "the port was cut off in the middle of a call");
}

#[test]
fn whatever_is_asked_of_a_vm_that_there_is_not() {
    let linux = Linux::new();
    let before = linux.ok("vms");
    let of_vm = |vm: &str| {
        let lines = lines(linux.folder.path(), vm);
        let lines: Vec<_> = lines.into_iter().filter(|line| line.get(1).is_some_and(|word| word == vm)).collect();
        assert!(lines.len() > 18, "{lines:?}");
        lines
    };
    let nearest =
        "no VM is called \"b-with-16-chars\", did you mean \"b-with-16-chars-\"? There are ops, a, b-with-16-chars-";
    all_fail(&linux.place(), &of_vm("b-with-16-chars"), Exit::NoVm, nearest);
    all_fail(&linux.place(), &of_vm("zzz"), Exit::NoVm, "no VM is called \"zzz\". There are ops, a, b-with-16-chars-");
    for line in of_vm("7") {
        // What is moved by it has an opening of its own.
        let _data = linux.data();
        all_fail(&linux.place(), &[line], Exit::NoVm, "VM");
    }
    assert_eq!(linux.ok("vms"), before, "nothing was done");
}
