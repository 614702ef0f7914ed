//! Where an error points, and manifests that cannot even be read as text.

use std::fs;

use super::super::Manifest;
use super::{Bench, Known, vm};

fn load(bench: &Bench, name: &str) -> String {
    let path = bench.path().join(name);
    let report = Manifest::load(&path, &bench.board, &Known(bench.path())).unwrap_err().to_string();
    report.replace(&bench.path().display().to_string(), "FOLDER")
}

#[test]
fn paths_start_at_the_manifests_folder() {
    let bench = Bench::new();
    fs::create_dir(bench.path().join("sub")).unwrap();
    fs::write(bench.path().join("sub/demo.toml"), vm("image = \"../raw\"")).unwrap();
    let manifest = Manifest::load(&bench.path().join("sub/demo.toml"), &bench.board, &Known(bench.path())).unwrap();
    assert_eq!(manifest.vms[0].kernel.as_ref().unwrap().bytes.len(), 4096);
}

#[test]
fn no_manifest() {
    let expected = "\
FOLDER/missing.toml: error: the manifest cannot be read: No such file or directory (os error 2)
help: name a manifest that exists and can be read
";
    assert_eq!(load(&Bench::new(), "missing.toml"), expected);
}

#[test]
fn not_utf8() {
    let bench = Bench::new();
    bench.file("latin.toml", b"[[vm]]\n# \xfc\n");
    let expected = "\
FOLDER/latin.toml:2:3: error: this byte is not UTF-8 text
 2 | # \u{fffd}
   |   ^
help: save the manifest as UTF-8
";
    assert_eq!(load(&bench, "latin.toml"), expected);
}

#[test]
fn columns_count_characters_and_tabs_stay() {
    let bench = Bench::new();
    let text = vm("cores = [0]\nfirmware = {\tstd = [\"trng\", \"\u{e4}\u{f6}\", \"x\"] }");
    let expected = "\
demo.toml:6:29: error: \"\u{e4}\u{f6}\" is not a service of `std`
 6 | firmware = {\tstd = [\"trng\", \"\u{e4}\u{f6}\", \"x\"] }
   |             \t               ^^^^
help: `std` knows \"trng\"

demo.toml:6:35: error: \"x\" is not a service of `std`
 6 | firmware = {\tstd = [\"trng\", \"\u{e4}\u{f6}\", \"x\"] }
   |             \t                     ^^^
help: `std` knows \"trng\"
";
    bench.says(&text, expected);
}

#[test]
fn only_the_first_of_several_lines_is_shown() {
    let expected = "\
demo.toml:5:9: error: a VM with 0 cores
 5 | cores = [
   |         ^
help: list 1 to 8 cores: the VM gets one vCPU on each
";
    Bench::new().says(&vm("cores = [\n]"), expected);
    Bench::new().says(&vm("cores = [\n]").replace('\n', "\r\n"), expected);
}

#[test]
fn nothing_acts_on_the_terminal() {
    let report = Bench::new().report(&vm("name = \"\\u001b[2J\" # \u{85}"));
    assert!(report.contains("error: \"\\u{1b}[2J\" cannot be the name of a VM"), "{report}");
    let shown = |c: char| !c.is_control() || c == '\n';
    assert!(report.chars().all(shown), "{report}");
    // TOML forbids bare control characters, so that they reach the report as a syntax error.
    let report = Bench::new().report(&vm("name = \"\u{1b}[2J\""));
    assert!(report.chars().all(shown), "{report}");
}

#[test]
fn errors_come_in_the_order_of_lines() {
    let report = Bench::new().report(&(vm("cores = [9]") + &vm("name = \"B\"") + "x = 1\n"));
    let lines: Vec<&str> = report.lines().filter(|line| line.starts_with("demo.toml:")).collect();
    let starts = ["demo.toml:5:", "demo.toml:7:", "demo.toml:11:"];
    assert_eq!(lines.len(), starts.len(), "{report}");
    assert!(lines.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{report}");
}

#[test]
fn long_command_line() {
    let report = Bench::new().report(&vm(&format!("cmdline = \"{}\"", "x".repeat(2048))));
    assert!(report.starts_with("demo.toml:6:11: error: the command line has 2048 bytes\n"), "{report}");
    assert!(report.ends_with("help: a kernel takes at most 2047 bytes\n"), "{report}");
    Bench::new().parse(&vm(&format!("cmdline = \"{}\"", "x".repeat(2047)))).unwrap();
}

#[test]
fn two_doors_are_right() {
    let bench = Bench::new();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/two-doors.toml");
    let manifest = Manifest::load(&path, &bench.board, &Known(bench.path())).unwrap();
    let [allowed, denied] = &manifest.vms[..] else { panic!("two VMs") };
    assert_eq!(allowed.firmware, None);
    let denied = denied.firmware.as_ref().unwrap();
    assert_eq!(denied.registers, [None; 6]);
}
