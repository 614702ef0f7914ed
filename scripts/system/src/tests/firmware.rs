//! `[vm.firmware]`.

use super::super::{Action, Filter};
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
psci = "1.4""#),
        r#"demo.toml:7:8: error: "1.4" is not a PSCI version
 7 | psci = "1.4"
   |        ^^^^^
help: `psci` knows "0.2", "1.0", "1.1", "1.2" and "1.3"
"#,
    );
}

#[test]
fn smccc_version() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
smccc = "1.3""#),
        r#"demo.toml:7:9: error: "1.3" is not a SMCCC version
 7 | smccc = "1.3"
   |         ^^^^^
help: `smccc` knows "1.1" and "1.2"
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
help: write it like `psci = "1.3"`
"#,
    );
}

#[test]
fn filter_forward() {
    let mut bench = Bench::new();
    let text = vm(r#"[[vm.firmware.filter]]
base = 0xc2000000
count = 0x100
action = "forward""#);
    let manifest = bench.parse(&text).unwrap_or_else(|report| panic!("{report}"));
    let filters = &manifest.vms[0].firmware.as_ref().unwrap().filters;
    assert_eq!(filters[..], [Filter { base: 0xc200_0000, count: 0x100, action: Action::Forward }]);
    bench.board.forwards = false;
    bench.says(
        &text,
        r#"demo.toml:6:1: error: qemu-virt has no firmware at EL3 to forward to
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: run it with --el3 tf-a, or write action = "deny" or action = "handle"
"#,
    );
}

#[test]
fn what_is_never_forwarded() {
    let bench = Bench::new();
    for (base, count) in [("0x84000000", 1), ("0xc4000071", 1), ("0x83ffffff", 2), ("0xc6001000", 1), ("0x32000000", 4)]
    {
        let text = vm(&format!("[[vm.firmware.filter]]\nbase = {base}\ncount = {count}\naction = \"forward\""));
        assert!(bench.report(&text).contains("has calls that are never forwarded\n"), "{base}");
    }
    bench.says(
        &vm(r#"[[vm.firmware.filter]]
base = 0x84000008
count = 2
action = "forward""#),
        r#"demo.toml:6:1: error: 0x84000008 to 0x84000009 has calls that are never forwarded
 6 | [[vm.firmware.filter]]
   | ^^^^^^^^^^^^^^^^^^^^^^
help: docs/gate.md lists what is never forwarded: PSCI, FF-A, hypervisor calls, yielding calls and others
"#,
    );
}

#[test]
fn filter_deny() {
    let bench = Bench::new();
    let text = vm(r#"[[vm.firmware.filter]]
base = 0xc2000000
count = 0x100
action = "deny""#);
    let filter = Filter { base: 0xc200_0000, count: 0x100, action: Action::Deny };
    assert_eq!(bench.parse(&text).unwrap().vms[0].firmware.as_ref().unwrap().filters, [filter]);
}

#[test]
fn filters_that_do_not_fit() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[[vm.firmware.filter]]
base = 0x84000050
count = 4
action = "deny"
[[vm.firmware.filter]]
base = 0x84000053
count = 1
action = "handle"
[[vm.firmware.filter]]
base = 0x80008000
count = 1
action = "deny""#),
        r#"demo.toml:10:1: error: 0x84000053 to 0x84000053 overlaps the filter in line 6
 10 | [[vm.firmware.filter]]
    | ^^^^^^^^^^^^^^^^^^^^^^
help: ranges of one VM do not overlap: keep one of the two, or cut it

demo.toml:14:1: error: 0x80008000 to 0x80008000 has Arm architecture calls in it
 14 | [[vm.firmware.filter]]
    | ^^^^^^^^^^^^^^^^^^^^^^
help: no filter touches 0x80000000 to 0x8000ffff and 0xc0000000 to 0xc000ffff
"#,
    );
}

#[test]
fn too_many_filters() {
    let filters = (0..33).map(|n| format!("[[vm.firmware.filter]]\nbase = {}\ncount = 1\naction = \"deny\"\n", n * 2));
    let report = Bench::new().report(&vm(&filters.collect::<String>()));
    assert!(report.contains("33 filters are more than a VM can have"), "{report}");
}

#[test]
fn rule() {
    let bench = Bench::new();
    let manifest = bench.parse(&vm("[vm.firmware]\nrule = \"keep\"\nstd = []")).unwrap();
    let firmware = manifest.vms[0].firmware.as_ref().unwrap();
    assert_eq!((firmware.keep, firmware.registers), (true, [Some(0), None, None, None, None, None]));
    bench.says(
        &vm("[vm.firmware]\nrule = \"kept\""),
        r#"demo.toml:7:8: error: "kept" is not a rule for what is not named
 7 | rule = "kept"
   |        ^^^^^^
help: `rule` knows "clear" and "keep"
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
        r#"demo.toml:8:9: error: a filter of 2 functions from 0xffffffff
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
