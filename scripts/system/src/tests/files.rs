//! Files that are not there, are not what they should be, or do not fit.

use super::{Bench, arm64, vm};

#[test]
fn guest_misspelt() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = "debain""#),
        r#"demo.toml:3:9: error: there is no file "FOLDER/debain"
 3 | image = "debain"
   |         ^^^^^^^^
help: did you mean the known guest "debian"?
"#,
    );
}

#[test]
fn no_such_file() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = "guest.img""#),
        r#"demo.toml:3:9: error: there is no file "FOLDER/guest.img"
 3 | image = "guest.img"
   |         ^^^^^^^^^^^
help: paths start at the manifest's folder; the known guests are "debian" and "absent"
"#,
    );
}

#[test]
fn no_such_disk() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"initrd = "disk.img""#),
        r#"demo.toml:6:10: error: there is no file "FOLDER/disk.img"
 6 | initrd = "disk.img"
   |          ^^^^^^^^^^
help: paths start at the manifest's folder; the known guests are "debian" and "absent"
"#,
    );
}

#[test]
fn guest_not_ready() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = "absent""#),
        r#"demo.toml:3:9: error: the files of the known guest "absent": not downloaded
 3 | image = "absent"
   |         ^^^^^^^^
help: run scripts/setup, or name a file instead
"#,
    );
}

#[test]
fn guest_without_disk() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"initrd = "absent""#),
        r#"demo.toml:6:10: error: there is no file "FOLDER/absent"
 6 | initrd = "absent"
   |          ^^^^^^^^
help: the known guest "absent" has no such file; name one
"#,
    );
}

#[test]
fn no_name() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = """#),
        r#"demo.toml:3:9: error: `image` names no file
 3 | image = ""
   |         ^^
help: name a known guest or a file
"#,
    );
}

#[test]
fn no_disk_name() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"initrd = """#),
        r#"demo.toml:6:10: error: `initrd` names no file
 6 | initrd = ""
   |          ^^
help: name a file, or leave the line out
"#,
    );
}

#[test]
fn folder() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path().join("folder")).unwrap();
    bench.says(
        &vm(r#"image = "folder""#),
        r#"demo.toml:3:9: error: "FOLDER/folder" is a folder
 3 | image = "folder"
   |         ^^^^^^^^
help: name a file in it
"#,
    );
}

#[test]
fn unreadable() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = "raw/x""#),
        r#"demo.toml:3:9: error: "FOLDER/raw/x" cannot be read: Not a directory (os error 20)
 3 | image = "raw/x"
   |         ^^^^^^^
help: name a file that can be read
"#,
    );
}

#[test]
fn no_regular_file() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = "/dev/zero""#),
        r#"demo.toml:3:9: error: "/dev/zero" is not a regular file
 3 | image = "/dev/zero"
   |         ^^^^^^^^^^^
help: name a regular file
"#,
    );
}

#[test]
fn empty() {
    let bench = Bench::new();
    bench.file("empty", b"");
    bench.says(
        &vm(r#"image = "empty""#),
        r#"demo.toml:3:9: error: "FOLDER/empty" is empty
 3 | image = "empty"
   |         ^^^^^^^
help: name a file with content; was it written completely?
"#,
    );
}

#[test]
fn empty_disk() {
    let bench = Bench::new();
    bench.file("empty", b"");
    bench.says(
        &vm(r#"initrd = "empty""#),
        r#"demo.toml:6:10: error: "FOLDER/empty" is empty
 6 | initrd = "empty"
   |          ^^^^^^^
help: name a file with content; was it written completely?
"#,
    );
}

#[test]
fn gzip() {
    let bench = Bench::new();
    bench.file("vmlinuz", b"\x1f\x8b\x08\0");
    bench.says(
        &vm(r#"image = "vmlinuz""#),
        r#"demo.toml:3:9: error: "vmlinuz" is compressed with gzip
 3 | image = "vmlinuz"
   |         ^^^^^^^^^
help: unpack it with `gunzip` and name the result
"#,
    );
}

#[test]
fn zstd() {
    let bench = Bench::new();
    bench.file("vmlinuz", b"\x28\xb5\x2f\xfd");
    bench.says(
        &vm(r#"image = "vmlinuz""#),
        r#"demo.toml:3:9: error: "vmlinuz" is compressed with zstd
 3 | image = "vmlinuz"
   |         ^^^^^^^^^
help: unpack it with `unzstd` and name the result
"#,
    );
}

#[test]
fn zboot() {
    let bench = Bench::new();
    bench.file("vmlinuz", b"MZ\0\0zimg");
    bench.says(
        &vm(r#"image = "vmlinuz""#),
        r#"demo.toml:3:9: error: "vmlinuz" is a compressed kernel for EFI
 3 | image = "vmlinuz"
   |         ^^^^^^^^^
help: name the `Image` of a kernel built without CONFIG_EFI_ZBOOT
"#,
    );
}

#[test]
fn efi() {
    let bench = Bench::new();
    bench.file("grub.efi", b"MZ\0\0");
    bench.says(
        &vm(r#"image = "grub.efi""#),
        r#"demo.toml:3:9: error: "grub.efi" is an EFI program, but no arm64 kernel
 3 | image = "grub.efi"
   |         ^^^^^^^^^^
help: name a kernel for arm64
"#,
    );
}

#[test]
fn elf() {
    let bench = Bench::new();
    bench.file("vmlinux", b"\x7fELF");
    bench.says(
        &vm(r#"image = "vmlinux""#),
        r#"demo.toml:3:9: error: "vmlinux" is an ELF file
 3 | image = "vmlinux"
   |         ^^^^^^^^^
help: make a raw binary of it with `objcopy -O binary`, or name the kernel's `Image`
"#,
    );
}

#[test]
fn x86() {
    let bench = Bench::new();
    let mut kernel = vec![0; 1024];
    kernel[0x202..0x206].copy_from_slice(b"HdrS");
    bench.file("vmlinuz", &kernel);
    bench.says(
        &vm(r#"image = "vmlinuz""#),
        r#"demo.toml:3:9: error: "vmlinuz" is a kernel for x86
 3 | image = "vmlinuz"
   |         ^^^^^^^^^
help: name a kernel for arm64
"#,
    );
}

#[test]
fn disk_as_image() {
    let bench = Bench::new();
    bench.file("initrd.img", b"070701");
    bench.says(
        &vm(r#"image = "initrd.img""#),
        r#"demo.toml:3:9: error: "initrd.img" is an initial RAM disk
 3 | image = "initrd.img"
   |         ^^^^^^^^^^^^
help: name it as `initrd`, and the kernel as `image`
"#,
    );
}

#[test]
fn big_endian() {
    let bench = Bench::new();
    let mut kernel = arm64(0, 4096, 64);
    kernel[24] = 1;
    bench.file("big", &kernel);
    bench.says(
        &vm(r#"image = "big""#),
        r#"demo.toml:3:9: error: the kernel is big-endian
 3 | image = "big"
   |         ^^^^^
help: a little-endian one is needed
"#,
    );
}

#[test]
fn wrong_offset() {
    let bench = Bench::new();
    bench.file("wrong", &arm64(u64::MAX, u64::MAX, 64));
    bench.says(
        &vm(r#"image = "wrong""#),
        r#"demo.toml:3:9: error: the kernel's text_offset 0xffffffffffffffff is wrong
 3 | image = "wrong"
   |         ^^^^^^^
help: a multiple of 4 inside RAM is needed
"#,
    );
}

#[test]
fn wrong_size() {
    let bench = Bench::new();
    bench.file("wrong", &arm64(0, u64::MAX, 64));
    bench.says(
        &vm(r#"image = "wrong""#),
        r#"demo.toml:3:9: error: too much for the 64 MiB of VM "a": the kernel ends 17592186044416.0 MiB into RAM, the device tree has up to 4 KiB
 3 | image = "wrong"
   |         ^^^^^^^
help: name an undamaged kernel: no memory is large enough for what this header says
"#,
    );
}

#[test]
fn file_larger_than_memory() {
    let bench = Bench::new();
    bench.file("large", &[0; 3 << 20]);
    bench.says(
        &vm(r#"image = "large""#).replace("64M", "2M"),
        r#"demo.toml:3:9: error: "FOLDER/large" has 3 MiB, more than the VM's memory
 3 | image = "large"
   |         ^^^^^^^
help: give the VM more than memory = "2M", or a smaller file
"#,
    );
}

#[test]
fn kernel_larger_than_memory() {
    let bench = Bench::new();
    bench.file("large", &arm64(0x8_0000, 100 << 20, 64));
    bench.says(
        &vm(r#"image = "large""#),
        r#"demo.toml:3:9: error: too much for the 64 MiB of VM "a": the kernel ends 100.5 MiB into RAM, the device tree has up to 4 KiB
 3 | image = "large"
   |         ^^^^^^^
help: give it at least memory = "102M"
"#,
    );
}

#[test]
fn no_room_for_the_device_tree() {
    let bench = Bench::new();
    bench.file("exact", &arm64(0, 64 << 20, 64));
    bench.says(
        &vm(r#"image = "exact""#),
        r#"demo.toml:3:9: error: too much for the 64 MiB of VM "a": the kernel ends 64 MiB into RAM, the device tree has up to 4 KiB
 3 | image = "exact"
   |         ^^^^^^^
help: give it at least memory = "66M"
"#,
    );
}

#[test]
fn no_room_for_the_disk() {
    let bench = Bench::new();
    bench.file("large", &[1; 33 << 20]);
    bench.says(
        &vm(r#"image = "debian"
initrd = "large""#),
        r#"demo.toml:4:10: error: too much for the 64 MiB of VM "a": the kernel ends 32 MiB into RAM, the initial RAM disk has 33 MiB, the device tree has up to 4 KiB
 4 | initrd = "large"
   |          ^^^^^^^
help: give it at least memory = "66M"
"#,
    );
}

#[test]
fn no_room_for_the_disk_of_a_known_guest() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"image = "debian""#).replace("64M", "32M"),
        r#"demo.toml:3:9: error: too much for the 32 MiB of VM "a": the kernel ends 32 MiB into RAM, the initial RAM disk has 64 KiB, the device tree has up to 4 KiB
 3 | image = "debian"
   |         ^^^^^^^^
help: give it at least memory = "34M"
"#,
    );
}
