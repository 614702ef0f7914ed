//! Values of one VM.

use super::{Bench, vm};

#[test]
fn name_with_wrong_characters() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"name = "Linux A""#),
        r#"demo.toml:2:8: error: "Linux A" cannot be the name of a VM
 2 | name = "Linux A"
   |        ^^^^^^^^^
help: a name is 1 to 16 characters of a-z, 0-9 and '-', the first one a letter
"#,
    );
}

#[test]
fn name_too_long() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"name = "a23456789-1234567""#),
        r#"demo.toml:2:8: error: "a23456789-1234567" cannot be the name of a VM
 2 | name = "a23456789-1234567"
   |        ^^^^^^^^^^^^^^^^^^^
help: a name is 1 to 16 characters of a-z, 0-9 and '-', the first one a letter
"#,
    );
}

#[test]
fn name_empty() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"name = """#),
        r#"demo.toml:2:8: error: "" cannot be the name of a VM
 2 | name = ""
   |        ^^
help: a name is 1 to 16 characters of a-z, 0-9 and '-', the first one a letter
"#,
    );
}

#[test]
fn memory_form() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = "256MB""#),
        r#"demo.toml:4:10: error: "256MB" is not an amount of bytes
 4 | memory = "256MB"
   |          ^^^^^^^
help: write memory = "256M", memory = "1G" or a number of bytes without quotes
"#,
    );
}

#[test]
fn memory_unaligned() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = "3M""#),
        r#"demo.toml:4:10: error: 3145728 bytes of memory are not a multiple of 2 MiB
 4 | memory = "3M"
   |          ^^^^
help: the nearest are "2M" or "4M"
"#,
    );
}

#[test]
fn memory_too_little() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = 1024"#),
        r#"demo.toml:4:10: error: a VM with 1 KiB of memory
 4 | memory = 1024
   |          ^^^^
help: the least is memory = "2M"
"#,
    );
}

#[test]
fn memory_negative() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = -1"#),
        r#"demo.toml:4:10: error: -1 in `memory` is out of range
 4 | memory = -1
   |          ^^
help: numbers are from 0 to 18446744073709551615
"#,
    );
}

#[test]
fn memory_beyond_64_bits() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = 99999999999999999999"#),
        r#"demo.toml:4:10: error: 99999999999999999999 in `memory` is out of range
 4 | memory = 99999999999999999999
   |          ^^^^^^^^^^^^^^^^^^^^
help: numbers are from 0 to 18446744073709551615
"#,
    );
}

#[test]
fn no_cores() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cores = []"#),
        r#"demo.toml:5:9: error: a VM with 0 cores
 5 | cores = []
   |         ^^
help: list 1 to 8 cores: the VM gets one vCPU on each
"#,
    );
}

#[test]
fn too_many_cores() {
    let mut bench = Bench::new();
    bench.board.cores = 9;
    bench.says(
        &vm(r#"cores = [0, 1, 2, 3, 4, 5, 6, 7, 8]"#),
        r#"demo.toml:5:9: error: a VM with 9 cores
 5 | cores = [0, 1, 2, 3, 4, 5, 6, 7, 8]
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: list 1 to 8 cores: the VM gets one vCPU on each
"#,
    );
}

#[test]
fn core_negative() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cores = [-1]"#),
        r#"demo.toml:5:10: error: -1 in `cores` is out of range
 5 | cores = [-1]
   |          ^^
help: numbers are from 0 to 18446744073709551615
"#,
    );
}

#[test]
fn no_conduit() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"conduits = []"#),
        r#"demo.toml:6:12: error: a VM without a conduit
 6 | conduits = []
   |            ^^
help: name "hvc", "smc" or both: a guest without either cannot even power off
"#,
    );
}

#[test]
fn conduit_misspelt() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"conduits = ["hcv"]"#),
        r#"demo.toml:6:13: error: "hcv" is not a conduit
 6 | conduits = ["hcv"]
   |             ^^^^^
help: did you mean "hvc"?
"#,
    );
}

#[test]
fn conduit_unknown() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"conduits = ["eret"]"#),
        r#"demo.toml:6:13: error: "eret" is not a conduit
 6 | conduits = ["eret"]
   |             ^^^^^^
help: `conduits` knows "hvc" and "smc"
"#,
    );
}

#[test]
fn conduit_twice() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"conduits = ["hvc", "hvc"]"#),
        r#"demo.toml:6:20: error: "hvc" is listed twice in `conduits`
 6 | conduits = ["hvc", "hvc"]
   |                    ^^^^^
help: list it once
"#,
    );
}

#[test]
fn command_line_with_control_characters() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cmdline = "a\u0000b""#),
        r#"demo.toml:6:11: error: the command line contains '\0'
 6 | cmdline = "a\u0000b"
   |           ^^^^^^^^^^
help: write it as one line of printable characters
"#,
    );
}

#[test]
fn device_without_path() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"devices = ["uart"]"#),
        r#"demo.toml:6:12: error: "uart" is not a device tree path
 6 | devices = ["uart"]
   |            ^^^^^^
help: write it like `devices = ["/pl061@9030000"]`
"#,
    );
}

#[test]
fn restarts() {
    let bench = Bench::new();
    let limit = |lines: &str| bench.parse(&vm(lines)).unwrap().vms[0].settings.restart_limit;
    assert_eq!(limit(""), 0);
    assert_eq!(limit("restart = \"never\""), 0);
    assert_eq!(limit("restart = \"on-failure\""), 3);
    assert_eq!(limit("restart = \"on-failure\"\nrestart-limit = 1"), 1);
    bench.says(
        &vm("restart-limit = 2"),
        r#"demo.toml:6:17: error: a limit of restarts for a VM that never restarts
 6 | restart-limit = 2
   |                 ^
help: add restart = "on-failure", or leave the limit out
"#,
    );
    bench.says(
        &vm("restart = \"always\"\nrestart-limit = 0"),
        r#"demo.toml:6:11: error: "always" is not a restart policy
 6 | restart = "always"
   |           ^^^^^^^^
help: `restart` knows "never" and "on-failure"

demo.toml:7:17: error: a limit of restarts for a VM that never restarts
 7 | restart-limit = 0
   |                 ^
help: add restart = "on-failure", or leave the limit out
"#,
    );
    bench.says(
        &vm("restart = \"on-failure\"\nrestart-limit = 0"),
        r#"demo.toml:7:17: error: a limit of 0 restarts
 7 | restart-limit = 0
   |                 ^
help: a limit is from 1 to 4294967295; for none at all write restart = "never"
"#,
    );
}

#[test]
fn faults() {
    let stops = |line: &str| Bench::new().parse(&vm(line)).unwrap().vms[0].settings.stop_on_fault;
    assert!(stops("on-fault = \"stop\""));
    assert!(!stops("on-fault = \"abort\"") && !stops(""));
    Bench::new().says(
        &vm("on-fault = \"ignore\""),
        r#"demo.toml:6:12: error: "ignore" is not a way to answer a fault
 6 | on-fault = "ignore"
   |            ^^^^^^^^
help: `on-fault` knows "abort" and "stop"
"#,
    );
    Bench::new().says(
        &vm("on-fault = true"),
        r#"demo.toml:6:12: error: `on-fault` is a string, but here is true or false
 6 | on-fault = true
   |            ^^^^
help: write it like `on-fault = "stop"`
"#,
    );
}

#[test]
fn audit() {
    assert!(Bench::new().parse(&vm("audit = true")).unwrap().vms[0].settings.audit);
}

#[test]
fn machine_unknown() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"machine = ["halt"]"#),
        r#"demo.toml:6:12: error: "halt" is not a right over the machine
 6 | machine = ["halt"]
   |            ^^^^^^
help: `machine` knows "off" and "reset"
"#,
    );
}

#[test]
fn watchdog() {
    let bench = Bench::new();
    for (text, seconds) in [("1s", 1), ("30s", 30), ("60000ms", 60), ("4294967295s", u32::MAX)] {
        let manifest = bench.parse(&vm(&format!("watchdog = {text:?}"))).unwrap();
        assert_eq!(manifest.vms[0].settings.watchdog, seconds);
    }
    assert_eq!(bench.parse(&vm("")).unwrap().vms[0].settings.watchdog, 0);
    for (text, message) in
        [("0s", "a watchdog of 0us"), ("1500ms", "a watchdog of 1500ms"), ("4294967296s", "a watchdog of 4294967296s")]
    {
        bench.says(
            &vm(&format!("watchdog = {text:?}")),
            &format!(
                "demo.toml:6:12: error: {message}\n 6 | watchdog = {text:?}\n   |            {}\nhelp: a watchdog is 1s to 4294967295s, \
                 in whole seconds\n",
                "^".repeat(text.len() + 2)
            ),
        );
    }
    bench.says(
        &vm(r#"watchdog = "soon""#),
        r#"demo.toml:6:12: error: "soon" is not a time
 6 | watchdog = "soon"
   |            ^^^^^^
help: write a whole number of seconds, like "30s"
"#,
    );
    bench.says(
        &vm("watchdog = 30"),
        r#"demo.toml:6:12: error: `watchdog` is a time like "30s", but here is a number
 6 | watchdog = 30
   |            ^^
help: write it like `watchdog = "30s"`
"#,
    );
}

#[test]
fn a_watchdog_is_called_by_smc() {
    let bench = Bench::new();
    bench.says(
        &vm("conduits = [\"hvc\"]\nwatchdog = \"30s\""),
        r#"demo.toml:7:12: error: a watchdog for a VM without the conduit "smc"
 7 | watchdog = "30s"
   |            ^^^^^
help: add "smc" to `conduits`, by which alone Linux' arm_smc_wdt calls, or leave the watchdog out
"#,
    );
}

#[test]
fn suspend_takes_a_psci_that_has_it() {
    let bench = Bench::new();
    let manifest = bench.parse(&vm("suspend = true\n[vm.firmware]\npsci = \"1.0\"")).unwrap();
    assert!(manifest.vms[0].settings.suspend);
    assert!(!bench.parse(&vm("")).unwrap().vms[0].settings.suspend);
    bench.parse(&vm("suspend = false\n[vm.firmware]\npsci = \"0.2\"")).unwrap();
    bench.says(
        &vm("suspend = true\n[vm.firmware]\npsci = \"0.2\""),
        r#"demo.toml:6:11: error: PSCI 0.2 cannot suspend a VM
 6 | suspend = true
   |           ^^^^
help: SYSTEM_SUSPEND came with PSCI 1.0: write psci = "1.0" or a newer one, or leave `suspend` out
"#,
    );
}
