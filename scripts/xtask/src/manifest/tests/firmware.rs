//! `[vm.firmware]`.

use super::{Bench, vm};

#[test]
fn service_misspelt() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
std = ["trgn"]"#),
        r#"demo.toml:7:8: error: "trgn" is not a service of `std`
 7 | std = ["trgn"]
   |        ^^^^^^
help: did you mean "trng"?
"#,
    );
}

#[test]
fn service_unknown() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
std-hyp = ["stolen"]"#),
        r#"demo.toml:7:12: error: "stolen" is not a service of `std-hyp`
 7 | std-hyp = ["stolen"]
   |            ^^^^^^^^
help: `std-hyp` knows "pv-time"
"#,
    );
}

#[test]
fn service_twice() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
vendor-hyp = ["ptp", "ptp"]"#),
        r#"demo.toml:7:22: error: "ptp" is listed twice in `vendor-hyp`
 7 | vendor-hyp = ["ptp", "ptp"]
   |                      ^^^^^
help: list it once
"#,
    );
}

#[test]
fn bit_unsupported() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
std = 3"#),
        r#"demo.toml:7:7: error: bit 1 of `std` is not supported
 7 | std = 3
   |       ^
help: its bits are 0 ("trng")
"#,
    );
}

#[test]
fn bits_unsupported() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
vendor-hyp = 0x86"#),
        r#"demo.toml:7:14: error: bits 2 and 7 of `vendor-hyp` are not supported
 7 | vendor-hyp = 0x86
   |              ^^^^
help: its bits are 0 ("func-feat") and 1 ("ptp")
"#,
    );
}

#[test]
fn register_type() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
std-hyp = "pv-time""#),
        r#"demo.toml:7:11: error: `std-hyp` is a list of services or a number, but here is a string
 7 | std-hyp = "pv-time"
   |           ^^^^^^^^^
help: write it like `std-hyp = ["pv-time"]`
"#,
    );
}

#[test]
fn psci_version() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
psci = "1.2""#),
        r#"demo.toml:7:8: error: "1.2" is not a PSCI version
 7 | psci = "1.2"
   |        ^^^^^
help: `psci` knows "0.2", "1.0" and "1.1"
"#,
    );
}

#[test]
fn psci_type() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
psci = 1.1"#),
        r#"demo.toml:7:8: error: `psci` is a string, but here is a number with a fraction
 7 | psci = 1.1
   |        ^^^
help: write it like `psci = "1.1"`
"#,
    );
}

#[test]
fn filter_forward() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[[vm.firmware.filter]]
base = 0xc2000000
count = 0x100
action = "forward""#),
        r#"demo.toml:6:1: error: a range filter is not supported by this version
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: leave it out: the registers alone then decide, and calls that none of them names are refused
"#,
    );
}

#[test]
fn filter_deny() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[[vm.firmware.filter]]
base = 0xc2000000
count = 0x100
action = "deny""#),
        r#"demo.toml:6:1: error: a range filter is not supported by this version
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: leave it out: the registers alone then decide, and calls that none of them names are refused
"#,
    );
}

#[test]
fn filter_incomplete() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[[vm.firmware.filter]]"#),
        r#"demo.toml:6:1: error: [[vm.firmware.filter]] without `base`
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: add a line like `base = 0xc2000000`

demo.toml:6:1: error: [[vm.firmware.filter]] without `count`
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: add a line like `count = 0x100`

demo.toml:6:1: error: [[vm.firmware.filter]] without `action`
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: add a line like `action = "deny"`

demo.toml:6:1: error: a range filter is not supported by this version
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: leave it out: the registers alone then decide, and calls that none of them names are refused
"#,
    );
}

#[test]
fn filter_wrong() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[[vm.firmware.filter]]
base = 0xffffffff
count = 2
action = "drop""#),
        r#"demo.toml:6:1: error: a range filter is not supported by this version
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: leave it out: the registers alone then decide, and calls that none of them names are refused

demo.toml:8:9: error: a filter of 2 functions from 0xffffffff
 8 | count = 2
   |         ^
help: a range has at least one function and ends at 0xffffffff at the latest

demo.toml:9:10: error: "drop" is not a filter action
 9 | action = "drop"
   |          ^^^^^^
help: `action` knows "deny", "handle" and "forward"
"#,
    );
}
