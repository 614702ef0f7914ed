//! `implementations`.

use portcullis_bundle::implementations::Implementation;

use super::{Bench, vm};

const GRANTED: &str = "[vm.firmware]\nvendor-hyp-2 = [\"impl-ver\", \"impl-cpus\"]";

#[test]
fn implementations() {
    let text = format!(
        "implementations = [{{ midr = 0x410fd083 }}, {{ aidr = 7, midr = 1, revidr = 0x8000_0000_0000_0000 }}]\n{GRANTED}"
    );
    let manifest = Bench::new().parse(&vm(&text)).unwrap();
    let expected =
        [(0x410f_d083, 0, 0), (1, 1 << 63, 7)].map(|(midr, revidr, aidr)| Implementation { midr, revidr, aidr });
    assert_eq!(manifest.vms[0].implementations, expected);
    assert_eq!(manifest.vms[0].firmware.as_ref().unwrap().to_string(), "impl-ver impl-cpus psci-1.3");
}

#[test]
fn an_implementation_that_is_none() {
    Bench::new().says(
        &vm(&format!("implementations = [{{ revidr = 1 }}, {{ midr = 0x1_0000_0000 }}, {{ midr = 2 }}, {{ midr = 2 }}, {{ midr = 3, part = 4 }}]\n{GRANTED}")),
        r#"demo.toml:6:20: error: a CPU implementation without `midr`
 6 | implementations = [{ revidr = 1 }, { midr = 0x1_0000_0000 }, { midr = 2 }, { midr = 2 }, { midr = 3, part = 4 }]
   |                    ^^^^^^^^^^^^^^
help: write it like `midr = 0x410fd083` inside its braces

demo.toml:6:45: error: 0x100000000 in `midr` is out of range
 6 | implementations = [{ revidr = 1 }, { midr = 0x1_0000_0000 }, { midr = 2 }, { midr = 2 }, { midr = 3, part = 4 }]
   |                                             ^^^^^^^^^^^^^
help: MIDR_EL1 has 32 bits: numbers up to 0xffffffff

demo.toml:6:76: error: the CPU with MIDR 0x2 is listed twice in `implementations`
 6 | implementations = [{ revidr = 1 }, { midr = 0x1_0000_0000 }, { midr = 2 }, { midr = 2 }, { midr = 3, part = 4 }]
   |                                                                            ^^^^^^^^^^^^
help: list it once

demo.toml:6:102: error: unknown key `part`
 6 | implementations = [{ revidr = 1 }, { midr = 0x1_0000_0000 }, { midr = 2 }, { midr = 2 }, { midr = 3, part = 4 }]
   |                                                                                                      ^^^^
help: the keys of a CPU implementation are midr, revidr, aidr
"#,
    );
}

#[test]
fn too_many_implementations() {
    let list = (0..17).map(|midr| format!("{{ midr = {midr} }}")).collect::<Vec<_>>().join(", ");
    let report = Bench::new().report(&vm(&format!("implementations = [{list}]\n{GRANTED}")));
    assert!(report.starts_with("demo.toml:6:19: error: 17 CPUs are more than a VM is told of\n"), "{report}");
    assert!(report.ends_with("help: keep 16 of them at the most, its own cores included\n"), "{report}");
}

#[test]
fn a_list_that_nobody_can_ask_for() {
    let bench = Bench::new();
    let list = "implementations = [{ midr = 2 }]";
    for firmware in ["", "[vm.firmware]", "[vm.firmware]\nvendor-hyp-2 = [\"impl-cpus\"]"] {
        let report = bench.report(&vm(&format!("{list}\n{firmware}")));
        assert!(
            report.starts_with("demo.toml:6:19: error: VM \"a\" cannot ask for its `implementations`\n"),
            "{report}"
        );
        assert!(
            report.contains(r#"help: add vendor-hyp-2 = ["impl-ver", "impl-cpus"] under its [vm.firmware]"#),
            "{report}"
        );
    }
    // A control VM may set the bits before the start.
    bench.parse(&format!("[machine]\ncontrol = \"a\"\n{}", vm(list))).unwrap();
}

#[test]
fn soc_id() {
    let bench = Bench::new();
    let text = vm("soc-id = { version = 0x043b_0102, revision = 0x7fff_ffff }\n[vm.firmware]\nsmccc = \"1.2\"");
    let soc = bench.parse(&text).unwrap().vms[0].soc.unwrap();
    assert_eq!((soc.version, soc.revision), (0x043b_0102, 0x7fff_ffff));
    bench.says(
        &vm("soc-id = { version = 0x8000_0000 }\n[vm.firmware]\nsmccc = \"1.2\""),
        r#"demo.toml:6:10: error: a SoC without `revision`
 6 | soc-id = { version = 0x8000_0000 }
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^
help: write it like `revision = 1` inside its braces

demo.toml:6:22: error: 0x80000000 in `version` is out of range
 6 | soc-id = { version = 0x8000_0000 }
   |                      ^^^^^^^^^^^
help: with bit 31 it would be an error to whoever asks: numbers up to 0x7fffffff
"#,
    );
}

#[test]
fn a_soc_id_that_nobody_can_ask_for() {
    let bench = Bench::new();
    let soc = "soc-id = { version = 1, revision = 0 }";
    bench.says(
        &vm(&format!("{soc}\n[vm.firmware]")),
        r#"demo.toml:6:10: error: VM "a" cannot ask for its `soc-id`, which SMCCC 1.1 has no call for
 6 | soc-id = { version = 1, revision = 0 }
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: add smccc = "1.2" under its [vm.firmware]
"#,
    );
    bench.parse(&format!("[machine]\ncontrol = \"a\"\n{}", vm(soc))).unwrap();
}
