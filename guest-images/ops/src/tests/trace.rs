//! The command `trace`.

use super::{Fake, NAMES, output, play};

#[test]
fn a_trace_is_switched_and_told() {
    let mut fake = Fake::new(&NAMES);
    assert_eq!(output(&mut fake, "trace"), "no trace was on yet");
    let error = |fake: &mut Fake, line: &str| output(fake, line);
    assert_eq!(error(&mut fake, "trace off"), "error: BAD_STATE: no trace is on");
    let none = "error: no trace was on of linux-a; `trace on` begins one";
    assert_eq!(error(&mut fake, "trace linux-a"), none);
    assert_eq!(output(&mut fake, "trace on"), "");
    assert_eq!(fake.trace, 0b110, "all but this one");
    assert_eq!(output(&mut fake, "trace"), "a trace is on of linux-a, linux-b");
    assert_eq!(error(&mut fake, "trace on linux-a"), "error: BAD_STATE: a trace is on; `trace off` ends it");
    assert_eq!(output(&mut fake, "trace off"), "");
    assert_eq!(output(&mut fake, "trace on ops 2"), "");
    assert_eq!(fake.trace, 0b101);
    output(&mut fake, "trace off");
    assert_eq!(output(&mut fake, "trace"), "no trace is on; the last one was of ops, linux-b");
}

#[test]
fn the_last_records_are_shown_in_the_order_of_time() {
    let mut fake = Fake::new(&NAMES);
    output(&mut fake, "trace on");
    let all = "2 records of all VMs were overwritten\n   \
               0.999010000  core 0  vCPU 0  enter\n   \
               0.999030000  core 0  vCPU 0  call CPU_SUSPEND refused, by smc, 2000 ns\n   \
               0.999040000  core 1  vCPU 0  interrupt 27\n   \
               0.999050000  core 0  vCPU 0  copy of 64 bytes at lan\n   \
               0.999060000  core 0  vCPU 0  exit device, syndrome 0x92000047, 7000 ns\n   \
               0.999060000  core 0  vCPU 0  leave: waits";
    assert_eq!(output(&mut fake, "trace linux-a"), all);
    let last: Vec<&str> = all.lines().rev().take(2).collect();
    let shown = output(&mut fake, "trace linux-a 2");
    assert_eq!(shown.lines().skip(1).collect::<Vec<_>>(), [last[1], last[0]]);
    assert!(output(&mut fake, "trace linux-b").ends_with("core 1  vCPU 0  enter"));
}

#[test]
fn what_is_wrong_is_said() {
    let mut fake = Fake::new(&NAMES);
    for (line, expected) in [
        ("trace nobody", "no VM is called \"nobody\""),
        ("trace on nobody", "no VM is called \"nobody\""),
        ("trace on 99", "no VM has the number 99"),
        ("trace linux-a few", "COUNT is a number of records"),
        ("trace linux-a 1 2", "it is: trace [on [VM...]|off|VM [COUNT]]"),
        ("trace 7", "UNKNOWN_VM"),
    ] {
        assert!(output(&mut fake, line).contains(expected), "{line}: {}", output(&mut fake, line));
    }
    assert!(!fake.traced);
    assert!(play(&mut Fake::new(&["ops"]), "trace on").0.contains("`trace on 0` is for this one"));
}
