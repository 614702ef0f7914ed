//! Banks of flash: what is read of right lines, and what is said about wrong ones.

use super::{Bench, vm};

/// A VM that starts in flash.
fn firmware(line: &str) -> String {
    format!("[[vm]]\nname = \"a\"\nmemory = \"64M\"\ncores = [0]\n{line}\n")
}

/// A bench with `code.fd` and `vars.fd`, of two blocks and three, and `odd.fd`, of 5 bytes.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("code.fd", &[1; 512 << 10]);
    bench.file("vars.fd", &[2; 768 << 10]);
    bench.file("odd.fd", &[3; 5]);
    bench
}

#[test]
fn a_file_a_list_or_nothing() {
    let bench = bench();
    let read = |text: &str| {
        let vm = &bench.parse(text).unwrap().vms[0];
        let sizes: Option<Vec<usize>> =
            vm.flash.as_ref().map(|files| files.iter().map(|file| file.bytes.len() >> 10).collect());
        (vm.kernel.is_some(), vm.tree_low, sizes)
    };
    assert_eq!(read(&vm("")), (true, false, None));
    assert_eq!(read(&vm("flash = []")), (true, false, Some(vec![])));
    assert_eq!(read(&vm(r#"flash = "code.fd""#)), (true, false, Some(vec![512])));
    assert_eq!(read(&firmware(r#"flash = "code.fd""#)), (false, true, Some(vec![512])));
    assert_eq!(read(&firmware(r#"flash = ["code.fd", "vars.fd"]"#)), (false, true, Some(vec![512, 768])));
    assert_eq!(read(&firmware("flash = \"code.fd\"\ntree = \"high\"")), (false, false, Some(vec![512])));
    let disk = bench.parse(&firmware("flash = \"code.fd\"\ninitrd = \"disk\"")).unwrap();
    assert!(disk.vms[0].initrd.is_some());
    assert_eq!(disk.to_string().lines().nth(1).unwrap().split_whitespace().nth(4), Some("code.fd"));
}

#[test]
fn a_vm_with_neither_image_nor_firmware() {
    bench().says(
        &firmware("flash = []"),
        r#"demo.toml:1:1: error: [[vm]] without `image`
 1 | [[vm]]
   | ^^^^^^
help: add a line like `image = "guest.img"`
"#,
    );
}

#[test]
fn wrong_size() {
    bench().says(
        &vm(r#"flash = ["code.fd", "odd.fd"]"#),
        r#"demo.toml:6:21: error: "FOLDER/odd.fd" has 5 bytes, no multiple of the 256 KiB of a block of flash
 6 | flash = ["code.fd", "odd.fd"]
   |                     ^^^^^^^^
help: fill it up: `truncate -s 256K FOLDER/odd.fd`; a bank has 64 MiB
"#,
    );
}

#[test]
fn more_than_a_bank() {
    let bench = bench();
    std::fs::File::create(bench.path().join("large.fd")).unwrap().set_len((64 << 20) + 1).unwrap();
    bench.says(
        &vm(r#"flash = "large.fd""#),
        r#"demo.toml:6:9: error: "FOLDER/large.fd" has 64.1 MiB, more than a bank of flash
 6 | flash = "large.fd"
   |         ^^^^^^^^^^
help: name a file of at most 64 MiB
"#,
    );
}

#[test]
fn no_such_file() {
    bench().says(
        &vm(r#"flash = "none.fd""#),
        r#"demo.toml:6:9: error: there is no file "FOLDER/none.fd"
 6 | flash = "none.fd"
   |         ^^^^^^^^^
help: paths start at the manifest's folder; the known guests are "debian" and "absent"
"#,
    );
}

#[test]
fn empty_file_and_empty_name() {
    let bench = bench();
    bench.file("empty.fd", b"");
    bench.says(
        &vm(r#"flash = ["empty.fd", ""]"#),
        r#"demo.toml:6:10: error: "FOLDER/empty.fd" is empty
 6 | flash = ["empty.fd", ""]
   |          ^^^^^^^^^^
help: name a file with content; was it written completely?

demo.toml:6:22: error: `flash` names no file
 6 | flash = ["empty.fd", ""]
   |                      ^^
help: name a file; flash = [] has two erased banks
"#,
    );
}

#[test]
fn a_third_bank() {
    bench().says(
        &vm(r#"flash = ["code.fd", "vars.fd", "odd.fd"]"#),
        r#"demo.toml:6:32: error: 3 files for the flash, which has two banks
 6 | flash = ["code.fd", "vars.fd", "odd.fd"]
   |                                ^^^^^^^^
help: name the file of the first bank, then that of the second one
"#,
    );
}

#[test]
fn another_type() {
    bench().says(
        &vm("flash = true"),
        r#"demo.toml:6:9: error: `flash` is a file or a list of files, but here is true or false
 6 | flash = true
   |         ^^^^
help: write it like `flash = "firmware.fd"`
"#,
    );
}

#[test]
fn a_load_address_of_nothing() {
    bench().says(
        &firmware("flash = \"code.fd\"\nload = 0x40000000"),
        r#"demo.toml:6:8: error: a load address without an image
 6 | load = 0x40000000
   |        ^^^^^^^^^^
help: leave `load` out: without `image` the VM starts in its flash
"#,
    );
}

#[test]
fn a_device_at_its_place() {
    let bench = bench();
    bench.says(
        &(vm("flash = []") + "devices = [\"/flash@4000000\"]\n"),
        r#"demo.toml:7:12: error: the device "/flash@4000000" lies where the flash of line 6 is
 7 | devices = ["/flash@4000000"]
   |            ^^^^^^^^^^^^^^^^
help: leave `flash` out, or this device: flash takes what is below 0x8000000
"#,
    );
    for elsewhere in ["/pl061@9030000", "/soc/serial@7e21", "/flash"] {
        bench.parse(&(vm("flash = []") + &format!("devices = [{elsewhere:?}]\n"))).unwrap();
    }
}

#[test]
fn no_memory_for_it() {
    let mut bench = bench();
    bench.board.memory = 128 << 20;
    bench.says(
        &vm(r#"flash = "code.fd""#),
        r#"demo.toml:4:10: error: the system needs 148 MiB of memory, but qemu-virt has 128 MiB
 4 | memory = "64M"
   |          ^^^^^
help: give the VMs 20 MiB less: they have 64 MiB for VM "a", 66 MiB for its flash, their images take 2 MiB and the hypervisor 16 MiB
"#,
    );
}

#[test]
fn a_misspelt_key() {
    let report = bench().report(&vm(r#"flsh = "code.fd""#));
    assert!(report.contains("help: did you mean `flash`?"), "{report}");
}
