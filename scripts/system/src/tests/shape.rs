//! What is no manifest, and keys that are not known, not there, or not of the right type.

use super::{Bench, vm};

#[test]
fn no_vm() {
    let bench = Bench::new();
    bench.says(
        "",
        r#"demo.toml:1:1: error: the manifest without `vm`
 1 | 
   | ^
help: add a line like `[[vm]]`
"#,
    );
}

#[test]
fn syntax() {
    let bench = Bench::new();
    bench.says(
        "[[vm]\nname=3",
        r#"demo.toml:1:6: error: unclosed array table, expected `]`
 1 | [[vm]
   |      ^
help: a manifest is TOML: lines of `key = value` under [machine], [[vm]], [vm.firmware], [[core]], [[wire]], [[shared-memory]], [[network]], [[serial]] and [[disk]]
"#,
    );
}

#[test]
fn vm_is_a_list() {
    let bench = Bench::new();
    bench.says(
        "[vm]\nname = \"a\"\n",
        r#"demo.toml:1:1: error: `vm` is a list of sections, but here is a section
 1 | [vm]
   | ^^^^
help: write it like `[[vm]]`
"#,
    );
}

#[test]
fn vm_is_a_list_of_sections() {
    let bench = Bench::new();
    bench.says(
        "vm = [3]",
        r#"demo.toml:1:7: error: `vm` is a list of sections, but here is a number
 1 | vm = [3]
   |       ^
help: write it like `[[vm]]`
"#,
    );
}

#[test]
fn missing_keys() {
    let bench = Bench::new();
    bench.says(
        "[[vm]]\n",
        r#"demo.toml:1:1: error: [[vm]] without `name`
 1 | [[vm]]
   | ^^^^^^
help: add a line like `name = "linux-a"`

demo.toml:1:1: error: [[vm]] without `image`
 1 | [[vm]]
   | ^^^^^^
help: add a line like `image = "guest.img"`

demo.toml:1:1: error: [[vm]] without `memory`
 1 | [[vm]]
   | ^^^^^^
help: add a line like `memory = "256M"`

demo.toml:1:1: error: [[vm]] without `cores`
 1 | [[vm]]
   | ^^^^^^
help: add a line like `cores = [1]`
"#,
    );
}

#[test]
fn key_written_twice() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"name = "a"
name = "b""#),
        r#"demo.toml:3:1: error: duplicate key
 3 | name = "b"
   | ^^^^
help: write each key once; a further VM starts with a further [[vm]]
"#,
    );
}

#[test]
fn unknown_key_near_a_known_one() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memroy = 3"#),
        r#"demo.toml:6:1: error: unknown key `memroy`
 6 | memroy = 3
   | ^^^^^^
help: did you mean `memory`?
"#,
    );
}

#[test]
fn unknown_key() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"kernel = 3"#),
        r#"demo.toml:6:1: error: unknown key `kernel`
 6 | kernel = 3
   | ^^^^^^
help: the keys of [[vm]] are name, image, initrd, cmdline, memory, load, tree, cores, slice, autostart, audit, on-fault, restart, restart-limit, conduits, machine, devices, trust-dma, rtc, flash, suspend, movable, kaslr, implementations, cpu, soc-id, watchdog, firmware
"#,
    );
}

#[test]
fn key_of_another_section() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"psci = "1.1""#),
        r#"demo.toml:6:1: error: unknown key `psci`
 6 | psci = "1.1"
   | ^^^^
help: `psci` belongs to [vm.firmware]: move it directly under that header
"#,
    );
}

#[test]
fn key_of_another_section_misspelt() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"std_hyp = 1"#),
        r#"demo.toml:6:1: error: unknown key `std_hyp`
 6 | std_hyp = 1
   | ^^^^^^^
help: `std-hyp` belongs to [vm.firmware]: move it directly under that header
"#,
    );
}

#[test]
fn key_below_the_wrong_header() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[vm.firmware]
memory = 3"#),
        r#"demo.toml:7:1: error: unknown key `memory`
 7 | memory = 3
   | ^^^^^^
help: `memory` belongs to [[vm]]: move it directly under that header
"#,
    );
}

#[test]
fn section_in_the_wrong_place() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"[firmware]"#),
        r#"demo.toml:6:2: error: unknown key `firmware`
 6 | [firmware]
   |  ^^^^^^^^
help: write it as [vm.firmware]
"#,
    );
}

#[test]
fn string_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"name = 3"#),
        r#"demo.toml:2:8: error: `name` is a string, but here is a number
 2 | name = 3
   |        ^
help: write it like `name = "linux-a"`
"#,
    );
}

#[test]
fn truth_value_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"autostart = 1"#),
        r#"demo.toml:6:13: error: `autostart` is true or false, but here is a number
 6 | autostart = 1
   |             ^
help: write it like `autostart = true`
"#,
    );
}

#[test]
fn amount_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = 1.5"#),
        r#"demo.toml:4:10: error: `memory` is an amount like "256M" or a number of bytes, but here is a number with a fraction
 4 | memory = 1.5
   |          ^^^
help: write it like `memory = "256M"`
"#,
    );
}

#[test]
fn list_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cores = 1"#),
        r#"demo.toml:5:9: error: `cores` is a list of core numbers, but here is a number
 5 | cores = 1
   |         ^
help: write it like `cores = [1]`
"#,
    );
}

#[test]
fn list_of_numbers_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cores = ["0", 1.0]"#),
        r#"demo.toml:5:10: error: `cores` is a list of core numbers, but here is a string
 5 | cores = ["0", 1.0]
   |          ^^^
help: write it like `cores = [1]`

demo.toml:5:15: error: `cores` is a list of core numbers, but here is a number with a fraction
 5 | cores = ["0", 1.0]
   |               ^^^
help: write it like `cores = [1]`
"#,
    );
}

#[test]
fn list_of_strings_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"conduits = ["hvc", 3]"#),
        r#"demo.toml:6:20: error: `conduits` is a list of strings, but here is a number
 6 | conduits = ["hvc", 3]
   |                    ^
help: write it like `conduits = ["hvc", "smc"]`
"#,
    );
}

#[test]
fn section_expected() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"firmware = []"#),
        r#"demo.toml:6:12: error: `firmware` is a section, but here is a list
 6 | firmware = []
   |            ^^
help: write it like `[vm.firmware]`
"#,
    );
}
