//! `[[disk]]`.

use portcullis_board::Range;
use portcullis_bundle::links;

use super::{Bench, vm};
use crate::{Ram, Source, Tree};

/// VMs `a` and `b`, and a disk of these lines; the first of them is line 14, the header line 13.
fn disk(lines: &str) -> String {
    ["a", "b"].map(|name| vm("").replace("\"a\"", &format!("{name:?}"))).concat() + "[[disk]]\n" + lines + "\n"
}

#[test]
fn a_disk_is_made_of_a_file_of_ram_or_of_what_another_vm_serves() {
    let bench = Bench::new();
    bench.file("data.img", &[3; 1024]);
    let text = "[[network]]\nname = \"lan\"\nvms = [\"a\", \"b\"]\n".to_owned()
        + &disk("name = \"rom\"\nvm = \"a\"\nimage = \"data.img\"")
        + "[[disk]]\nname = \"same\"\nvm = \"b\"\nimage = \"data.img\"\n"
        + "[[disk]]\nname = \"ram\"\nvm = \"a\"\nscratch = \"2M\"\nblock-size = 4096\n"
        + "[[disk]]\nname = \"far\"\nvm = \"a\"\nserved-by = \"b\"\nsize = 1474560\n"
        + "[[disk]]\nname = \"cd\"\nvm = \"b\"\nserved-by = \"a\"\nsize = \"1G\"\nread-only = true\nexport = \"x\"\ntimeout = \"500ms\"\n";
    let manifest = bench.parse(&text).unwrap();
    let slots: Vec<_> =
        manifest.disks.iter().map(|disk| (disk.name.as_str(), disk.vm, disk.slot, disk.block)).collect();
    assert_eq!(
        slots,
        [("rom", 0, 2, 512), ("same", 1, 2, 512), ("ram", 0, 3, 4096), ("far", 0, 4, 512), ("cd", 1, 3, 512)]
    );
    assert!(matches!(&manifest.disks[0].source, Source::Image(image) if image.bytes == [3; 1024]));

    // What is written is read again as it was meant, an image once.
    let bundle = crate::bundle::Bundle::new(&manifest).unwrap();
    let blob: Vec<u8> = bundle.parts().flatten().copied().collect();
    let bundle = portcullis_bundle::Bundle::parse(&blob).unwrap();
    let disks: Vec<_> = bundle.disks().collect();
    let [rom, same, ram, far, cd] = disks.as_slice() else { panic!("five disks: {disks:?}") };
    let (links::Source::Image(one), links::Source::Image(other)) = (rom.source, same.source) else {
        panic!("two images")
    };
    assert_eq!((one.as_ptr(), one), (other.as_ptr(), &[3; 1024][..]));
    assert_eq!((ram.source, ram.block), (links::Source::Scratch(2 << 20), 4096));
    let export = links::Export { server: 1, size: 1_474_560, read_only: false, name: "", timeout: 30_000 };
    assert_eq!(far.source, links::Source::Served(export));
    let export = links::Export { server: 0, size: 1 << 30, read_only: true, name: "x", timeout: 500 };
    assert_eq!((cd.source, cd.vm, cd.slot), (links::Source::Served(export), 1, 3));
}

#[test]
fn what_is_wrong_with_a_disk_is_said_where_it_stands() {
    let bench = Bench::new();
    bench.file("odd.img", &[3; 1000]);
    bench.file("data.img", &[3; 1536]);
    let served = |more: &str| format!("name = \"d\"\nvm = \"a\"\nserved-by = \"b\"\nsize = \"1M\"\n{more}");
    for (lines, line, message, help) in [
        ("name = \"d\"\nvm = \"a\"".to_owned(), 13, "a disk without a source", "say where its bytes are"),
        ("vm = \"a\"\nscratch = \"1M\"".to_owned(), 13, "[[disk]] without `name`", "add a line like `name = \"data\"`"),
        ("name = \"d\"\nscratch = \"1M\"".to_owned(), 13, "[[disk]] without `vm`", "add a line like `vm = "),
        (
            "name = \"d\"\nvm = \"a\"\nscratch = \"1M\"\nimage = \"data.img\"".to_owned(),
            17,
            "a disk with `scratch` and `image`",
            "leave one of them out",
        ),
        (
            "name = \"d\"\nvm = \"a\"\nserved-by = \"b\"".to_owned(),
            13,
            "a served disk without `size`",
            "add a line like `size = \"64M\"`",
        ),
        (served("").replace("by = \"b\"", "by = \"a\""), 16, "\"a\" would serve itself", "name another VM"),
        (served("").replace("by = \"b\"", "by = \"c\""), 16, "there is no VM \"c\"", ""),
        (served("").replace("vm = \"a\"", "vm = \"c\""), 15, "there is no VM \"c\"", ""),
        (
            served("").replace("\"1M\"", "1000"),
            17,
            "1000 bytes are no whole number of blocks",
            "a block has 512 bytes: the nearest sizes are 512 and 1024",
        ),
        (
            served("").replace("\"1M\"", "100"),
            17,
            "100 bytes are no whole number of blocks",
            "a block has 512 bytes: 512 is the least",
        ),
        (served("").replace("\"1M\"", "\"0M\""), 17, "a disk of no bytes", "write it like size = \"64M\""),
        (served("").replace("\"1M\"", "\"1K\""), 17, "\"1K\" is not an amount of bytes", "write size = \"64M\""),
        (served("").replace("\"1M\"", "\"8589934592G\""), 17, "a disk of ", ""),
        (served("block-size = 1024"), 18, "blocks of 1024 bytes", "`block-size` is 512 or 4096"),
        (
            served("block-size = 4096").replace("\"1M\"", "4608"),
            17,
            "4608 bytes are no whole number of blocks",
            "a block has 4096 bytes: the nearest sizes are 4096 and 8192",
        ),
        (served("timeout = \"99ms\""), 18, "a timeout of 99ms", "it is 100ms to 86400s"),
        (served("timeout = \"100500us\""), 18, "a timeout of 100500us", "it is 100ms to 86400s, in whole milliseconds"),
        (served("timeout = 30"), 18, "`timeout` is a time like \"30s\", but here is a number", ""),
        (served("timeout = \"soon\""), 18, "\"soon\" is not a time", "write a whole number of ms or s"),
        (served("export = \"a\\nb\""), 18, "\"a\\nb\" cannot be the name of an export", "it has 64 bytes at the most"),
        (served("name-too = 1"), 18, "unknown key `name-too`", ""),
        (served("").replace("\"d\"", "\"Disk\""), 14, "the name \"Disk\" is wrong", "it is 1 to 16 characters"),
        (
            "name = \"d\"\nvm = \"a\"\nscratch = \"1M\"\nsize = \"1M\"".to_owned(),
            17,
            "`size` is for a disk with `served-by`",
            "leave it out",
        ),
        (
            "name = \"d\"\nvm = \"a\"\nimage = \"data.img\"\nread-only = true".to_owned(),
            17,
            "`read-only` is for a disk with `served-by`",
            "leave it out: an image is only read",
        ),
        (
            "name = \"d\"\nvm = \"a\"\nimage = \"none.img\"".to_owned(),
            16,
            "there is no file ",
            "paths start at the manifest's folder",
        ),
        ("name = \"d\"\nvm = \"a\"\nimage = \"\"".to_owned(), 16, "`image` names no file", "name a file"),
        (
            "name = \"d\"\nvm = \"a\"\nscratch = true".to_owned(),
            16,
            "`scratch` is an amount like \"64M\" or a number of bytes, but here is true or false",
            "",
        ),
    ] {
        let report = bench.parse(&disk(&lines)).expect_err(&lines);
        let [first, ..] = report.diagnostics.as_slice() else { panic!("something is wrong") };
        assert!(first.message.starts_with(message) && first.help.starts_with(help), "{lines}:\n{report}");
        assert!(report.to_string().contains(&format!("demo.toml:{line}:")), "line {line}:\n{report}");
    }
    let report = bench.report(&disk("name = \"d\"\nvm = \"a\"\nimage = \"odd.img\""));
    assert!(report.contains("error: \"FOLDER/odd.img\" has 1000 bytes, no whole number of blocks"), "{report}");
    assert!(
        report.contains("help: a block has 512 bytes: the nearest sizes are 512 and 1024; `truncate -s %512 FILE`"),
        "{report}"
    );
    let report = bench.report(&disk("name = \"d\"\nvm = \"a\"\nimage = \"data.img\"\nblock-size = 4096"));
    assert!(report.contains("has 1536 bytes, no whole number of blocks"), "{report}");
    let twice =
        disk("name = \"d\"\nvm = \"a\"\nscratch = \"1M\"") + "[[disk]]\nname = \"d\"\nvm = \"b\"\nscratch = \"1M\"\n";
    let report = bench.report(&twice);
    assert!(report.contains("error: a second disk of the name \"d\"; the first is in line 14"), "{report}");
    let many: String = (0..33).map(|n| format!("[[disk]]\nname = \"d{n}\"\nvm = \"a\"\nscratch = 512\n")).collect();
    let report = bench.report(&(vm("") + &many));
    assert!(report.contains("error: VM \"a\" has more than 32 virtio devices"), "{report}");
}

/// RAM of disks, RAM that VMs share and images of disks count where the board's RAM is shared out.
#[test]
fn what_takes_ram_is_counted() {
    let mut bench = Bench::new();
    bench.file("large.img", &vec![7; 48 << 20]);
    let with = |lines: &str| disk(&format!("name = \"d\"\nvm = \"a\"\n{lines}"));
    bench.board.memory = 192 << 20;
    assert!(bench.parse(&with("scratch = \"32M\"")).is_ok());
    let report = bench.report(&with("scratch = \"64M\""));
    assert!(report.contains("error: the system needs 210 MiB of memory, but qemu-virt has 192 MiB"), "{report}");
    assert!(report.contains("64 MiB for VM \"a\", 64 MiB for VM \"b\", 64 MiB for disk \"d\""), "{report}");
    let report = bench.report(&with("image = \"large.img\""));
    assert!(report.contains("their images take 50 MiB"), "{report}");
    let shared = vm("")
        + &vm("").replace("\"a\"", "\"b\"")
        + "[[shared-memory]]\nname = \"m\"\nsize = \"62M\"\nrw = [\"a\", \"b\"]\n";
    let report = bench.report(&shared);
    assert!(report.contains("64 MiB for shared memory \"m\""), "{report}");
    bench.board.memory = 16 << 20;
    let report = bench.report(&with("image = \"large.img\""));
    assert!(report.contains("has 48 MiB, more than the board's RAM"), "{report}");

    // Each is in one piece.
    let at = |start: u64, end: u64| Range { start: start << 20, end: end << 20 };
    bench.board.memory = 1 << 30;
    bench.board.ram =
        Some(Ram { range: at(1024, 1024 + 256), image: at(1024, 1026), bundle: 1152 << 20, tree: Tree::Unknown });
    assert!(bench.parse(&with("scratch = \"32M\"")).is_ok());
    let report = bench.report(&with("scratch = \"140M\""));
    assert!(report.contains("demo.toml:13:1: error: disk \"d\" wants 140 MiB of memory in one piece; the largest that is left on qemu-virt has 126 MiB"), "{report}");
}
