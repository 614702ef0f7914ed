//! Load addresses, places of the device tree, page sizes, and files that are no kernels.

use super::{Bench, arm64, vm};
use crate::Cpu;

#[test]
fn load_and_tree_are_read() {
    let bench = Bench::new();
    let of = |lines: &str| {
        let vm = bench.parse(&vm(lines)).unwrap().vms.remove(0);
        (vm.load, vm.tree_low)
    };
    assert_eq!(of(""), (None, false));
    assert_eq!(of("load = 0x40280000"), (Some(0x4028_0000), false));
    assert_eq!(of("tree = \"low\""), (None, true));
    assert_eq!(of("tree = \"high\"\nload = 0x40000000"), (Some(0x4000_0000), false));
}

#[test]
fn load_outside_ram() {
    let bench = Bench::new();
    for load in ["0x3ffffffc", "0x44000000", "0x40080002", "0"] {
        let report = bench.report(&vm(&format!("load = {load}")));
        assert!(report.starts_with("demo.toml:6:8: error: the load address 0x"), "{report}");
    }
    bench.says(
        &vm("load = 0x44000000"),
        r#"demo.toml:6:8: error: the load address 0x44000000 is no multiple of 4 in the RAM of VM "a"
 6 | load = 0x44000000
   |        ^^^^^^^^^^
help: its RAM is from 0x40000000 on; 0x43fffffc is the last address
"#,
    );
}

#[test]
fn load_too_far_up() {
    let bench = Bench::new();
    bench.says(
        &vm("load = 0x43fff004"),
        r#"demo.toml:3:9: error: too much for the 64 MiB of VM "a": the kernel ends 64.1 MiB into RAM, the device tree has up to 4 KiB
 3 | image = "raw"
   |         ^^^^^
help: give it at least memory = "66M"
"#,
    );
}

#[test]
fn load_with_dma() {
    let bench = Bench::new();
    bench.says(
        &vm("load = 0x40280000\ntrust-dma = true"),
        r#"demo.toml:6:8: error: a load address for a VM whose RAM lies where the board has it
 6 | load = 0x40280000
   |        ^^^^^^^^^^
help: leave `load` out: where the RAM of a VM with `trust-dma` lies is known at boot alone
"#,
    );
}

#[test]
fn tree_without_room_below() {
    let bench = Bench::new();
    bench.says(
        &vm("tree = \"low\"\nload = 0x40000400"),
        r#"demo.toml:6:8: error: the device tree has up to 4 KiB, but the kernel begins 1 KiB into RAM
 6 | tree = "low"
   |        ^^^^^
help: write tree = "high", or give the kernel a higher `load`
"#,
    );
}

#[test]
fn tree_elsewhere() {
    let bench = Bench::new();
    bench.says(
        &vm("tree = \"middle\""),
        r#"demo.toml:6:8: error: "middle" is not a place of the device tree
 6 | tree = "middle"
   |        ^^^^^^^^
help: `tree` knows "low" and "high"
"#,
    );
}

#[test]
fn pages_that_the_board_lacks() {
    let mut bench = Bench::new();
    let mut kernel = arm64(0, 4096, 64);
    kernel[24] = 0xc;
    bench.file("k16", &kernel);
    let text = vm("image = \"k16\"");
    assert!(bench.parse(&text).is_ok(), "nothing is known of the cores");
    bench.board.cpu = Some(Cpu { name: "cortex-a72", memory_model: 0x1124 });
    bench.says(
        &text,
        r#"demo.toml:3:9: error: the kernel has pages of 16 KiB, which the cores of qemu-virt (cortex-a72) lack
 3 | image = "k16"
   |         ^^^^^
help: name a kernel with pages of 4 KiB
"#,
    );
    kernel[24] = 0xe;
    bench.file("k16", &kernel);
    assert!(bench.parse(&text).is_ok(), "64 KiB are there");
}

/// As a user would hand them over: what each is, and what to do.
#[test]
fn files_that_are_no_kernels() {
    let bench = Bench::new();
    let forms: [(usize, &[u8], &str); 7] = [
        (0x24, &0x016f_2818_u32.to_le_bytes(), "a kernel for 32-bit Arm"),
        (0, b"\x5d\0\0\x80\0", "compressed with LZMA"),
        (0, b"\x89LZO\0\r\n\x1a\n", "compressed with LZO"),
        (0, b"ANDROID!", "an Android boot image"),
        (0, b"!<arch>\ndebian-binary", "a Debian package"),
        (0, b"#!/bin/sh\necho this is a script\n", "a script"),
        (0, b"", "nothing but zeros"),
    ];
    for (offset, mark, what) in forms {
        let mut bytes = vec![0; 100_000];
        bytes[offset..offset + mark.len()].copy_from_slice(mark);
        bench.file("file.bin", &bytes);
        let report = bench.report(&vm("image = \"file.bin\""));
        let expected = format!("demo.toml:3:9: error: \"file.bin\" is {what}\n");
        assert!(report.starts_with(&expected) && report.contains("help: "), "{report}");
    }
}
