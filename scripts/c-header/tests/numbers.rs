//! The header as a C compiler reads it, against the numbers of the ABI in Rust.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Name in C, bytes, 1 if signed, and value of every constant of the ABI that is a number.
const VALUES: &[(&str, usize, u8, i128)] = &include!(concat!(env!("OUT_DIR"), "/values.rs"));

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// The example of `docs/abi.md`.
fn example() -> &'static str {
    let page = include_str!("../../../docs/abi.md");
    let (_, rest) = page.split_once("```c\n").expect("docs/abi.md has an example in C");
    rest.split_once("```").expect("an end of the example").0
}

/// Runs `compiler` in `folder`. It must be there: a header that nobody compiled is not one that compiles.
fn compile(compiler: &str, arguments: &[&str], folder: &Path) {
    let include = c_header::abi().join("include");
    let result = Command::new(compiler).arg("-I").arg(include).args(arguments).current_dir(folder).output();
    let output = result.unwrap_or_else(|error| panic!("{compiler}: {error}; scripts/setup --header installs it"));
    assert!(output.status.success(), "{compiler} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn c(arguments: &[&str], folder: &Path) {
    compile("cc", arguments, folder);
}

fn run(program: &Path) -> Output {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

#[test]
fn every_number_is_that_of_rust() {
    let folder = TempDir::new().unwrap();
    let mut program = String::from("#include <portcullis.h>\n#include <stdio.h>\nint main(void)\n{\n");
    for (name, ..) in VALUES {
        writeln!(
            program,
            "    printf(\"{name} %d %d %llx\\n\", (int)sizeof({name}), {name} * 0 - 1 < 0, (unsigned long long){name});"
        )
        .unwrap();
    }
    program.push_str("    return 0;\n}\n");
    fs::write(folder.path().join("numbers.c"), program).unwrap();
    c(&["-std=c99", "-Wall", "-Werror", "-o", "numbers", "numbers.c"], folder.path());

    let printed = String::from_utf8(run(&folder.path().join("numbers")).stdout).unwrap();
    assert_eq!(printed.lines().count(), VALUES.len());
    for (line, (name, bytes, signed, value)) in printed.lines().zip(VALUES) {
        // A negative number in 64 bits; an unsigned one never has bit 64.
        let bits = value & i128::from(u64::MAX);
        let [own, c_bytes, c_signed, hexadecimal] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(own, *name);
        assert_eq!(c_bytes, bytes.to_string(), "bytes of {name}");
        assert_eq!(hexadecimal, format!("{bits:x}"), "{name}");
        assert_eq!(c_signed, signed.to_string(), "sign of {name}");
    }
}

#[test]
fn header_alone_is_strict_c_and_cpp() {
    let folder = TempDir::new().unwrap();
    // Each number is used, in the preprocessor and by the compiler: a macro that nobody uses is never read.
    let mut text = String::from("#include <portcullis.h>\n#include <portcullis.h>\n");
    for (number, (name, ..)) in VALUES.iter().enumerate() {
        writeln!(text, "#if !({name} == {name})\n#error {name}\n#endif").unwrap();
        writeln!(text, "extern const uint64_t number_{number};\nconst uint64_t number_{number} = (uint64_t)({name});")
            .unwrap();
    }
    fs::write(folder.path().join("alone.c"), &text).unwrap();
    fs::write(folder.path().join("alone.cpp"), &text).unwrap();
    for standard in ["-std=c99", "-std=c11"] {
        c(&[&[standard, "-ffreestanding", "-nostdlib", "-c", "alone.c"], &STRICT[..]].concat(), folder.path());
    }
    compile("c++", &[&["-std=c++11", "-ffreestanding", "-c", "alone.cpp"], &STRICT[..]].concat(), folder.path());
}

#[test]
fn example_of_the_page_compiles_and_makes_its_call() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("example.c"), example()).unwrap();
    // The machine that the tests run on has no hypervisor: it answers as one with two VMs.
    let stub = "#include <portcullis.h>\n#include <stdio.h>\n\
        int64_t portcullis_call(uint64_t x[4]);\nint64_t pause_vm(uint64_t vm);\n\
        int64_t portcullis_call(uint64_t x[4])\n{\n\
        printf(\"%llx %llu\\n\", (unsigned long long)x[0], (unsigned long long)x[1]);\n\
        return x[1] < 2 ? PORTCULLIS_MANAGE_SUCCESS : PORTCULLIS_MANAGE_UNKNOWN_VM;\n}\n\
        int main(void) { return !(pause_vm(1) == 0 && pause_vm(2) == -4); }\n";
    fs::write(folder.path().join("stub.c"), stub).unwrap();
    c(
        &[&["-std=c99", "-o", "example", "-DPORTCULLIS_TEST", "example.c", "stub.c"], &STRICT[..]].concat(),
        folder.path(),
    );
    let printed = String::from_utf8(run(&folder.path().join("example")).stdout).unwrap();
    let pause = portcullis_abi::manage::PAUSE;
    assert_eq!(printed, format!("{pause:x} 1\n{pause:x} 2\n"));
    // The call itself is instructions of Arm's.
    compile(
        "aarch64-linux-gnu-gcc",
        &[&["-std=gnu99", "-ffreestanding", "-c", "example.c"], &STRICT[..]].concat(),
        folder.path(),
    );
}
