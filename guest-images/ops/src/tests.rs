//! Commands against the machine of [`crate::fake`].

mod testing;
mod trace;

use std::string::String as Text;

use portcullis_abi::manage::*;
use portcullis_abi::{firmware, function};
use portcullis_gate::Register;

use crate::command::COMMANDS;
use crate::command::entry::{self, Command, TESTING};
use crate::completion;
use crate::context::{Context, Ending, Tally};
use crate::editor::Editor;
use crate::fake::Fake;
use crate::script;
use crate::vocabulary::Shell;

/// Every command of a build for tests.
fn commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().copied().flatten().copied()
}

const NAMES: [&str; 3] = ["ops", "linux-a", "linux-b"];

fn play(fake: &mut Fake, line: &str) -> (Text, Tally, Option<Ending>) {
    let mut out = Text::new();
    let mut context = Context::new(fake, &mut out, COMMANDS);
    script::run(&mut context, line);
    let (tally, ending) = (context.tally, context.ending);
    (out, tally, ending)
}

/// What one command prints, without the frame of the script.
fn output(fake: &mut Fake, command: &str) -> Text {
    let (out, ..) = play(fake, command);
    let lines: Vec<&str> = out.lines().collect();
    lines[1..lines.len() - 1].join("\n")
}

#[test]
fn a_script_counts_what_failed() {
    let mut fake = Fake::new(&NAMES);
    let (out, _, ending) = play(&mut fake, "echo a  b; nonsense; get linux-a std; exit; echo never");
    let expected = "ops> echo a  b\na b\nops> nonsense\n\
                    error: no command is called \"nonsense\"; `help` lists them\n\
                    ops> get linux-a std\nstd = 0x1 (trng)\nops> exit\nops: script: 4 commands, 1 failed\n";
    assert_eq!((out.as_str(), ending), (expected, Some(Ending::Exit)));
}

#[test]
fn the_word_for_unattended_runs_ends_a_script() {
    for line in ["echo x portcullis.exit", "echo x; portcullis.exit", "portcullis.exit"] {
        let (out, _, ending) = play(&mut Fake::new(&NAMES), line);
        assert!(ending == Some(Ending::Exit) && !out.contains("portcullis.exit"), "{out}");
    }
    assert_eq!(play(&mut Fake::new(&NAMES), "echo x.portcullis.exit").2, None);
}

#[test]
fn what_a_vm_has_written_is_shown_as_text() {
    assert_eq!(output(&mut Fake::new(&NAMES), "logs linux-a"), "linux-a has begun\nlogin: ");
    assert!(play(&mut Fake::new(&NAMES), "logs nobody").0.contains("no VM is called \"nobody\""));
}

#[test]
fn links_are_listed_and_counted() {
    let mut fake = Fake::new(&NAMES);
    assert_eq!(
        output(&mut fake, "links"),
        "link  kind     VM       interrupt  state  about\n\
         lan   network  linux-a  48         up     02:00:00:00:01:06\n\
         lan   network  linux-b  48         up     02:00:00:00:02:06\n\
         edge  wire     linux-b  39         low    line 3, drives it\n\
         edge  wire     linux-a  39         low    line 5, sees it"
    );
    let stats = output(&mut fake, "stats linux-b");
    let links: Vec<&str> = stats.lines().rev().take(2).collect();
    assert_eq!(links[0], "wire edge: edges 200");
    assert!(links[1].starts_with("network lan: sent 200, sent-bytes 201, received 202, "), "{}", links[1]);
    assert!(links[1].ends_with(", dropped-small 215, dropped-unsegmented 216"), "{}", links[1]);
    assert!(!output(&mut fake, "stats ops").contains("network"), "it is at no link");
}

#[test]
fn registers_are_set_by_names_and_numbers() {
    let mut fake = Fake::new(&NAMES);
    let (out, ..) = play(
        &mut fake,
        "set linux-a vendor-hyp func-feat+ptp; set 2 std 1; set 2 psci 1.0; set 2 0x6030000000160001 pv-time",
    );
    assert!(out.ends_with("4 commands, 0 failed\n"), "{out}");
    assert_eq!(fake.vms[1].row.get(Register::VendorHyp), 3);
    assert_eq!(fake.vms[1].row.get(Register::Std), 0);
    assert_eq!([Register::Std, Register::StdHyp, Register::VendorHyp].map(|r| fake.vms[2].row.get(r)), [1, 1, 0]);
    assert_eq!(fake.vms[2].row.get(Register::PsciVersion), u64::from(function::PSCI_VERSION_1_0));
    assert_eq!(
        output(&mut fake, "regs linux-b"),
        "register      identifier          value    names         supported\n\
         psci          0x6030000000140000  0x10000  1.0           0x10003\n\
         workaround-1  0x6030000000140001  0x2      not-required  0x2\n\
         workaround-2  0x6030000000140002  0x3      not-required  0x3\n\
         workaround-3  0x6030000000140003  0x2      not-required  0x2\n\
         std           0x6030000000160000  0x1      trng          0x1\n\
         std-hyp       0x6030000000160001  0x1      pv-time       0x1\n\
         vendor-hyp    0x6030000000160002  0x0      none          0x3\n\
         vendor-hyp-2  0x6030000000160003  0x0      none          0x3\n\
         smccc         0xf030000000140000  0x10001  1.1           0x10002\n\
         sip           0xf030000000160000  0x0      none          0x0\n\
         rule clear, written, writable"
    );
}

#[test]
fn a_vm_that_was_given_away_goes_on_by_a_word_only() {
    let mut fake = Fake::new(&NAMES);
    fake.vms[1].phase = PHASE_GIVEN_AWAY;
    let elsewhere = "; it may run elsewhere, so look there first: `forget` ends it here, `resume` with even-if-it-runs-elsewhere lets it go on here";
    for action in ["start", "pause", "resume", "stop", "restart", "recreate"] {
        let said = output(&mut fake, &format!("{action} linux-a"));
        assert!(said.starts_with("error: BAD_STATE: linux-a is given-away; ") && said.ends_with(elsewhere), "{said}");
    }
    assert!(output(&mut fake, "vms linux-a").contains("given-away"));
    assert_eq!(play(&mut fake, "resume linux-a even-if-it-runs-elsewhere").1.failed, 0);
    assert_eq!(fake.vms[1].phase, PHASE_RUNNING);
    fake.vms[1].phase = PHASE_GIVEN_AWAY;
    output(&mut fake, "forget linux-a; wait linux-a stopped");
    assert_eq!(fake.vms[1].phase, PHASE_STOPPED);
}

#[test]
fn errors_say_what_would_be_right() {
    let mut fake = Fake::new(&NAMES);
    for (command, error) in [
        (
            "set linux-a std ptp",
            "\"ptp\" is no value of std: there are trng, joined by +, none and all, or give a number",
        ),
        ("set linux-a std 2", "UNSUPPORTED: std = 0x2 is not supported here; what is supported is 0x1 (trng)"),
        ("set linux-c std 1", "no VM is called \"linux-c\": there are ops, linux-a, linux-b"),
        ("set 9 std 1", "UNKNOWN_VM: no VM has this number; `vms` lists them"),
        ("set linux-a std", "it is: set VM REGISTER VALUE"),
        (
            "get linux-a nothing",
            "no register is called \"nothing\": there are psci, workaround-1, workaround-2, \
          workaround-3, std, std-hyp, vendor-hyp, vendor-hyp-2, smccc, sip, or give an identifier such as 0x6030000000160000",
        ),
        ("get linux-a 5", "UNKNOWN_REGISTER: no firmware register has this identifier; `regs VM` lists them"),
        ("set ops std 0", "FROZEN: the VM has started; `stop` and `recreate` make it writable again"),
        ("stop linux-a", "BAD_STATE: linux-a is created; stop is for a VM that is running, paused, suspended"),
        ("forget linux-a", "BAD_STATE: linux-a is created; forget is for a VM that is given-away"),
        ("resume linux-a now", "it is: resume VM [even-if-it-runs-elsewhere]"),
        ("pause ops", "NOT_PERMITTED: not permitted on this VM or this board"),
        ("filter linux-a deny 0x84000050", "it is: filter VM [handle|deny|forward BASE COUNT]"),
        (
            "wait linux-a runing",
            "no state is called \"runing\": there are created, running, paused, stopped, failed, suspended, given-away",
        ),
        ("time set yesterday", "\"yesterday\" is no time: 2031-05-17T09:30:00Z, or seconds since 1970"),
        ("power on", "it is: power off"),
    ] {
        assert_eq!(output(&mut fake, command), ["error: ", error].concat(), "{command}");
    }
    fake.control = false;
    assert!(output(&mut fake, "vms").contains("NOT_SUPPORTED: this is not the control VM"));
}

#[test]
fn vms_are_shown_with_what_they_do() {
    let mut fake = Fake::new(&NAMES);
    fake.vms[2].phase = PHASE_FAILED;
    fake.vms[0].vcpus = vec![[12_345_999_999, 1_000_000, 1_234_567]];
    fake.vms[1].vcpus = vec![[0; 3], [86_400_000_000_000, 999_999, 8]];
    play(&mut fake, "audit linux-a on; start linux-a");
    assert_eq!(
        output(&mut fake, "vms"),
        "VM  name     state             vCPUs on  cores  memory  restarts  notes\n\
         0   ops      running           1 of 1    0      8 MiB   0         control\n\
         1   linux-a  running, loading  1 of 2    1,1    8 MiB   0         audited\n\
         2   linux-b  failed            0 of 1    2      8 MiB   0\n\
         linux-b failed: access outside memory and devices: vCPU 0, pc 0x40080000, address 0xdead, syndrome 0x92000045\n\
         name     vCPU  core  state    ran          stolen   switches\n\
         ops      0     0     running  12.345 s     0.001 s  1234567\n\
         linux-a  0     1     running  0.000 s      0.000 s  0\n\
         linux-a  1     1     running  86400.000 s  0.000 s  8\n\
         linux-b  0     2     off      0.000 s      0.000 s  0\n\
         64 MiB of memory are free, 4 cores"
    );
    play(&mut fake, "pause linux-a");
    assert_eq!(
        output(&mut fake, "vms linux-a"),
        "VM  name     state   vCPUs on  cores  memory  restarts  notes\n\
         1   linux-a  paused  0 of 2    1,1    8 MiB   0         audited\n\
         name     vCPU  core  state   ran          stolen   switches\n\
         linux-a  0     1     paused  0.000 s      0.000 s  0\n\
         linux-a  1     1     paused  86400.000 s  0.000 s  8\n\
         64 MiB of memory are free, 4 cores"
    );
}

#[test]
fn the_lifecycle_waits_where_it_has_to() {
    let mut fake = Fake::new(&NAMES);
    let line = "start linux-a; pause linux-a; resume linux-a; restart linux-a; stop linux-a; wait linux-a stopped 5; \
                recreate linux-a; wait linux-a created; expect wrong wait linux-a running 0.1";
    let (out, tally, _) = play(&mut fake, line);
    assert!(out.contains("9 commands, 0 failed"), "{out}");
    assert_eq!(tally, Tally { passed: 1, failed: 0 });
}

#[test]
fn ctrl_c_ends_a_script() {
    let mut fake = Fake::new(&NAMES);
    fake.cancel_sleeps = true;
    let (out, ..) = play(&mut fake, "sleep 100; echo never");
    assert_eq!(out, "ops> sleep 100\nerror: broken off by Ctrl-C\nops: script: 1 commands, 1 failed\n");
}

#[test]
fn expectations_are_cases() {
    let mut fake = Fake::new(&NAMES);
    let line = "expect frozen set ops std 0; expect ok set ops std 1; expect frozen set linux-a std 1; expect wrong set; \
                check linux-a std trng; check linux-a std-hyp all; expect ok expect ok vms";
    let (out, tally, _) = play(&mut fake, line);
    assert_eq!(tally, Tally { passed: 4, failed: 2 }, "{out}");
    for line in [
        "case set ops std 0 is frozen: ok",
        "case set linux-a std 1 is frozen: FAIL got ok",
        "case linux-a std-hyp is all: FAIL expected 1 got 0",
        "error: expect cannot expect itself",
        "cases: 4 passed, 2 failed\nops: script: 7 commands, 1 failed",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
}

#[test]
fn audit_can_be_pasted() {
    let mut fake = Fake::new(&NAMES);
    play(&mut fake, "audit linux-a on; filter linux-a deny 0x82000000 1; filter linux-a forward 0xc2000000 0x100");
    assert_eq!(
        output(&mut fake, "audit linux-a"),
        "# function    by   seconds   name\n\
         # 0x84000000  hvc  0.000000  PSCI_VERSION\n\
         # 0xc4000053  smc  0.002000  TRNG_RND64\n\
         # 0xc2000007  hvc  0.002000  forwarded\n\
         # and 2 more\n\
         [vm.firmware]\nstd = [\"trng\"]\nvendor-hyp = [\"func-feat\", \"ptp\"]\npsci = \"1.1\"\nsmccc = \"1.1\"\n\n\
         [[vm.firmware.filter]]\nbase = 0xc2000000\ncount = 0x100\naction = \"forward\""
    );
}

#[test]
fn counters_and_refusals_are_tables() {
    let mut fake = Fake::new(&NAMES);
    assert_eq!(output(&mut fake, "refused 1"), "nothing was refused");
    fake.vms[1].refused = vec![[0x8400_0050, 0], [u64::from(function::VENDOR_PTP) | 1 << 32 | 1 << 40, 0]];
    let shown = output(&mut fake, "refused 1");
    let words: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[1][1..], ["1", "smc", "0x86000001", "VENDOR_PTP"]);
    assert_eq!(words[2][1..], ["0", "hvc", "0x84000050", "TRNG_VERSION"]);
    assert_eq!(shown.lines().last(), Some("2 of 2 refused calls"));
    let shown = output(&mut fake, "stats 0");
    assert!(shown.contains("\npsci        1                101     201             301\n"), "{shown}");
    let exits: Vec<String> = EXITS.iter().zip(500..).map(|(name, count)| format!("{name} {count}")).collect();
    assert!(shown.ends_with(&format!("exits: {}", exits.join(", "))), "{shown}");
}

#[test]
fn filters_are_listed() {
    let mut fake = Fake::new(&NAMES);
    let (out, ..) =
        play(&mut fake, "filter 1 deny 0x84000050 4; filter 1; expect overlaps filter 1 handle 0x84000053 1");
    assert!(out.contains("0x84000050  0x84000053  0x4    deny\n"), "{out}");
    assert!(out.contains("is overlaps: ok"), "{out}");
}

#[test]
fn the_time_is_set_and_shown() {
    let mut fake = Fake::new(&NAMES);
    assert!(output(&mut fake, "time").starts_with("unknown"));
    play(&mut fake, "time set 2031-05-17T09:30:00Z");
    assert_eq!(output(&mut fake, "time"), "2031-05-17T09:30:00Z, as it was set");
}

#[test]
fn help_names_every_command() {
    let mut fake = Fake::new(&NAMES);
    let help = output(&mut fake, "help");
    for command in commands() {
        assert!(help.lines().any(|line| line.split_whitespace().next() == Some(command.name)), "{}", command.name);
        assert!(output(&mut fake, &format!("help {}", command.name)).contains(command.about));
    }
    assert!(help.lines().all(|line| line.len() < 160), "{help}");
}

#[test]
fn words_complete_by_their_place() {
    let shell = Shell::new(&mut Fake::new(&NAMES));
    for (before, added) in [
        ("rec", "reate "),
        ("set l", "inux-"),
        ("set linux-a v", "endor-hyp"),
        ("set linux-a vendor-hyp func-feat+p", "tp "),
        ("set linux-a psci 1.", ""),
        ("wait linux-a st", "opped "),
        ("expect frozen set linux-a st", "d"),
        ("help sel", "ftest "),
        ("echo l", ""),
        ("nothing l", ""),
    ] {
        assert_eq!(completion::complete(before, &shell).addition, added, "{before}");
    }
}

/// Random bytes at the keyboard: keys, words of the shell, anything. No panic, and every line is carried out.
#[test]
fn any_bytes_typed_are_survived() {
    let mut random = guest_runtime::random::Random::new(42);
    let mut fake = Fake::new(&NAMES);
    let shell = Shell::new(&mut fake);
    let mut editor = Editor::new("ops> ");
    let words: Vec<&str> = commands()
        .map(|command| command.name)
        .chain(NAMES)
        .chain([
            "std",
            "all",
            "0x6030000000160000",
            "1",
            "-1",
            "ok",
            "deny",
            "0xffffffff",
            "18446744073709551615",
            "hvc",
        ])
        .collect();
    let mut lines = 0;
    for _ in 0..60_000 {
        let piece: Vec<u8> = match random.below(16) {
            0..8 => [random.pick(&words), " "].concat().into_bytes(),
            8..11 => b"\r".to_vec(),
            11 => b"\t".to_vec(),
            12 => b"\x1b[A".to_vec(),
            _ => vec![random.next() as u8],
        };
        for byte in piece {
            let mut out = Text::new();
            if let Some(line) = editor.feed(byte, &shell, &mut out).unwrap() {
                // These take long, and have tests of their own.
                if !["fuzz", "cycle", "sleep"].iter().any(|word| line.contains(word)) {
                    lines += 1;
                    let _ = entry::run_line(&mut Context::new(&mut fake, &mut out, COMMANDS), &line);
                }
            }
        }
    }
    assert!(lines > 1000, "{lines}");
    assert_eq!(fake.vms[0].row.get(Register::Std), 1, "the control VM is frozen");
    assert_eq!(firmware::ALL.len(), Register::ALL.len());
}

#[test]
fn the_documentation_has_every_command() {
    let document = include_str!("../../../docs/ops.md");
    let (shell, testing) = document.split_once("## The commands for tests").unwrap();
    for (group, text) in COMMANDS.iter().zip([shell, testing]) {
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = group
            .iter()
            .map(|command| {
                let line = format!("{} {}", command.name, command.arguments);
                format!("| `{}` | {} |", line.trim().replace('|', "\\|"), command.about)
            })
            .collect();
        assert_eq!(rows, expected);
    }
}

#[test]
fn the_shell_for_use_says_where_the_commands_for_tests_are() {
    let (mut fake, mut out) = (Fake::new(&NAMES), Text::new());
    let mut context = Context::new(&mut fake, &mut out, &COMMANDS[..1]);
    for name in TESTING {
        let error = entry::run_line(&mut context, name).unwrap_err();
        assert_eq!(format!("{error}"), format!("{name} is a command for tests: the image ops-testing has it"));
    }
    assert_eq!(entry::run_line(&mut context, "echo x"), Ok(()));
}
