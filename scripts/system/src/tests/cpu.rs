//! `cpu`: the CPU that a VM is shown.

use portcullis_abi::id_register::{COUNT, number};
use portcullis_abi::state::Cpu;

use super::{Bench, vm};
use crate::board;

fn shown(line: &str) -> Cpu {
    Bench::new().parse(&vm(line)).unwrap().vms[0].cpu.unwrap()
}

fn register(cpu: &Cpu, crm: u64, op2: u64) -> u64 {
    cpu.features[number(crm, op2)]
}

#[test]
fn a_cpu_by_its_name() {
    assert_eq!(Bench::new().parse(&vm("")).unwrap().vms[0].cpu, None);
    let a72 = shown(r#"cpu = "cortex-a72""#);
    assert_eq!((a72.implementation, a72.cache_type, a72.zeroing), ([0x410f_d083, 0, 0], 0x8444_c004, 4));
    assert_eq!(register(&a72, 6, 0), 0x1_1120);
    // CVE-2017-5754 does not concern it, and CVE-2017-5715 does. A GICv3's interface is the board's to have.
    assert_eq!((register(&a72, 4, 0), register(&a72, 1, 1)), (0x1000_0000_0100_0222, 0x1001_1001));
    assert_eq!(shown(r#"cpu = ["cortex-a72"]"#), a72);
    assert_eq!(shown(r#"cpu = { base = "cortex-a72" }"#), a72);
}

#[test]
fn what_several_have_in_common() {
    let [a72, a76] = ["cortex-a72", "cortex-a76"].map(|name| shown(&format!("cpu = {name:?}")));
    let both = shown(r#"cpu = ["cortex-a72", "cortex-a76"]"#);
    assert_eq!(both.implementation, a72.implementation, "named as the first");
    assert_eq!(shown(r#"cpu = ["cortex-a76", "cortex-a72"]"#), Cpu { implementation: a76.implementation, ..both });
    for number in 0..COUNT {
        for other in [&a72, &a76] {
            let common = portcullis_bundle::features::common(number, both.features[number], other.features[number]);
            assert_eq!(common, both.features[number], "{number}");
        }
    }
    // Neither has what the other lacks: atomics, pages of 16 KiB, monitors of AArch32's EL1.
    assert_eq!((register(&both, 6, 0), register(&both, 7, 0), register(&both, 1, 1)), (0x1_1120, 0x1122, 0x1001_0000));
    // The index of a Cortex-A53's instruction cache is virtual.
    assert_eq!(shown(r#"cpu = ["cortex-a72", "cortex-a53"]"#).cache_type, 0x8444_8004);
}

#[test]
fn a_cpu_with_less() {
    let pi = shown(r#"cpu = { base = ["cortex-a72", "cortex-a76"], midr = 0x410f_d082, crypto = false }"#);
    assert_eq!(
        (pi.implementation, register(&pi, 6, 0), register(&pi, 2, 5)),
        ([0x410f_d082, 0, 0], 0x1_0000, 0x1_0001)
    );
    let old = shown(
        r#"cpu = { base = "cortex-a53", registers = { ID_AA64ISAR0_EL1 = 0, ID_AA64PFR0_EL1 = 0x1100_0000_00ff_0222 } }"#,
    );
    assert_eq!((register(&old, 6, 0), register(&old, 4, 0)), (0, 0x1100_0000_00ff_0222));
    assert_eq!((old.implementation[1], pi.implementation[1]), (0x100, 0), "REVIDR_EL1 is that of its MIDR_EL1");
}

#[test]
fn a_cpu_that_is_none() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cpu = "cortex-a73""#),
        r#"demo.toml:6:7: error: there is no CPU "cortex-a73" here
 6 | cpu = "cortex-a73"
   |       ^^^^^^^^^^^^
help: did you mean "cortex-a53"? There are "cortex-a53", "cortex-a55", "cortex-a57", "cortex-a72", "cortex-a76" and "neoverse-n1"
"#,
    );
    bench.says(
        &vm("cpu = [\"neoverse-n1\", \"neoverse-n1\", \"host\"]"),
        r#"demo.toml:6:23: error: "neoverse-n1" is listed twice in `cpu`
 6 | cpu = ["neoverse-n1", "neoverse-n1", "host"]
   |                       ^^^^^^^^^^^^^
help: list it once

demo.toml:6:38: error: there is no CPU "host" here
 6 | cpu = ["neoverse-n1", "neoverse-n1", "host"]
   |                                      ^^^^^^
help: there are "cortex-a53", "cortex-a55", "cortex-a57", "cortex-a72", "cortex-a76" and "neoverse-n1"
"#,
    );
    for (line, says) in [
        ("cpu = 72", "`cpu` is the name of a CPU, or a list of names, but here is a number"),
        ("cpu = []", "`cpu` is the name of a CPU, or a list of names, but here is a list"),
        ("cpu = [72]", "`cpu` is the name of a CPU, or a list of names, but here is a number"),
        ("cpu = { midr = 1 }", "a CPU without `base`"),
        ("cpu = { base = \"cortex-a72\", aes = false }", "unknown key `aes`"),
        ("cpu = { base = \"cortex-a72\", midr = 0x1_0000_0000 }", "0x100000000 in `midr` is out of range"),
        ("cpu = { base = \"cortex-a72\", registers = 1 }", "`registers` is a list of registers in braces"),
    ] {
        let report = bench.report(&vm(line));
        assert!(report.contains(says), "{line}: {report}");
    }
}

#[test]
fn more_than_any_such_core_has() {
    Bench::new().says(
        &vm("cpu = { base = \"cortex-a72\", registers = { ID_AA64ISAR0_EL1 = 0x21_1120, ID_AA64ISAR0 = 0 } }"),
        r#"demo.toml:6:63: error: 0x211120 in `ID_AA64ISAR0_EL1` is more than cortex-a72 has, in the bits 0xf00000
 6 | cpu = { base = "cortex-a72", registers = { ID_AA64ISAR0_EL1 = 0x21_1120, ID_AA64ISAR0 = 0 } }
   |                                                               ^^^^^^^^^
help: keep each field within 0x11120

demo.toml:6:74: error: there is no ID register `ID_AA64ISAR0`
 6 | cpu = { base = "cortex-a72", registers = { ID_AA64ISAR0_EL1 = 0x21_1120, ID_AA64ISAR0 = 0 } }
   |                                                                          ^^^^^^^^^^^^
help: did you mean `ID_AA64ISAR0_EL1`?
"#,
    );
}

#[test]
fn registers_that_no_cpu_has() {
    let said = |name: &str| {
        let line = vm(&format!("cpu = {{ base = \"cortex-a72\", registers = {{ {name} = 0 }} }}"));
        Bench::new().parse(&line).unwrap_err().to_string()
    };
    for near in ["id_aa64isar0_el1", "ID_AA64ISARO_EL1", "ID-AA64ISAR0-EL1"] {
        assert!(said(near).contains("help: did you mean `ID_AA64ISAR0_EL1`?\n"), "{near}: {}", said(near));
    }
    for far in ["MIDR", "SCTLR_EL1", "x"] {
        assert!(said(far).contains("help: there are ID_PFR0_EL1, ID_PFR1_EL1, "), "{far}: {}", said(far));
    }
}

#[test]
fn a_cpu_that_the_board_does_not_have() {
    let mut bench = Bench::new();
    bench.board.cpu = Some(board::Cpu { name: "cortex-a53", memory_model: 0x1122 });
    bench.parse(&vm(r#"cpu = "cortex-a53""#)).unwrap();
    bench.parse(&vm(r#"cpu = ["cortex-a72", "cortex-a53"]"#)).unwrap();
    bench.says(
        &vm(r#"cpu = "cortex-a76""#),
        r#"demo.toml:6:7: error: the cores of qemu-virt (cortex-a53) have less than cortex-a76 in ID_DFR0_EL1
 6 | cpu = "cortex-a76"
   |       ^^^^^^^^^^^^
help: name a CPU with no more than they have in its bits 0xf, or several
"#,
    );
    // Pages of 16 KiB, which a Cortex-A76 has and a Cortex-A72 has not.
    let mut image = super::arm64(0, 32 << 20, 8192);
    image[24] = 2 << 1;
    bench.board.cpu = None;
    bench.file("k16", &image);
    let text = |cpu: &str| vm("image = \"k16\"").replace("cores = [0]", &format!("cores = [0]\ncpu = {cpu:?}"));
    bench.parse(&text("cortex-a76")).unwrap();
    let report = bench.report(&text("cortex-a72"));
    assert!(report.contains("is shown cortex-a72, which lacks the pages of 16 KiB of its kernel"), "{report}");
}
