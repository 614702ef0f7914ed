//! VMs without an image, and what keeps the one that they get.

use super::Bench;

/// A control VM and one without an image, with these lines.
fn system(lines: &str) -> String {
    format!(
        "[machine]\ncontrol = \"ops\"\n[[vm]]\nname = \"ops\"\nimage = \"raw\"\nmemory = \"8M\"\ncores = [0]\n[[vm]]\nname = \"a\"\n\
         image = \"none\"\nmemory = \"8M\"\ncores = [1]\n{lines}"
    )
}

#[test]
fn with_and_without_a_store() {
    for (lines, store) in
        [("", 0), ("store = \"96M\"\nautostart = false\nflash = []\n", 96 << 20), ("store = 2097152\n", 2 << 20)]
    {
        let manifest = Bench::new().parse(&system(lines)).unwrap();
        let a = &manifest.vms[1];
        assert_eq!((a.store, a.kernel.is_some(), a.settings.autostart), (Some(store), false, false));
        assert!(manifest.vms[0].store.is_none() && manifest.vms[0].settings.autostart);
        assert_eq!(manifest.to_string().lines().nth(2).unwrap().split_whitespace().nth(4), Some("none"));
        let bundle = crate::bundle::Bundle::new(&manifest).unwrap();
        let bytes: Vec<u8> = bundle.parts().flatten().copied().collect();
        let read = portcullis_bundle::Bundle::parse(&bytes).unwrap();
        let stores: Vec<_> = read.vms().map(|vm| vm.store).collect();
        assert_eq!(stores, [None, Some(store)], "as the hypervisor reads it");
    }
}

#[test]
fn a_store_for_what_has_an_image() {
    Bench::new().says(
        &super::vm("store = \"96M\""),
        r#"demo.toml:6:9: error: `store` keeps images that the control VM loads, and this VM has its own
 6 | store = "96M"
   |         ^^^^^
help: leave `store` out, or write image = "none"
"#,
    );
}

#[test]
fn what_is_no_size_of_a_store() {
    let bench = Bench::new();
    bench.says(
        &system("store = \"3M\"\n"),
        r#"demo.toml:13:9: error: a store of 3 MiB cannot be had
 13 | store = "3M"
    |         ^^^^
help: a store is a multiple of 2 MiB: write store = "4M", or leave it out
"#,
    );
    bench.says(
        &system("store = \"much\"\n"),
        r#"demo.toml:13:9: error: "much" is not an amount of bytes
 13 | store = "much"
    |         ^^^^^^
help: write store = "96M", store = "1G" or a number of bytes without quotes
"#,
    );
    let none = bench.parse(&system("store = 0\n")).unwrap_err().to_string();
    assert!(none.contains("a store of 0 KiB cannot be had") || none.contains("cannot be had"), "{none}");
    let odd = bench.parse(&system("store = true\n")).unwrap_err().to_string();
    assert!(odd.contains("`store` is an amount"), "{odd}");
}

#[test]
fn what_would_never_be_used() {
    let bench = Bench::new();
    bench.says(
        &system("initrd = \"disk\"\n"),
        r#"demo.toml:13:10: error: an initial RAM disk without an image, by line 10
 13 | initrd = "disk"
    |          ^^^^^^
help: leave `initrd` out: `portcullis load VM --initrd FILE` brings it
"#,
    );
    bench.says(
        &system("autostart = true\n"),
        r#"demo.toml:13:13: error: there is no image to start with, by line 10
 13 | autostart = true
    |             ^^^^
help: leave `autostart` out: the control VM loads an image, then it starts the VM
"#,
    );
    bench.file("code.fd", &[1; 512 << 10]);
    let flash = bench.parse(&system("flash = \"code.fd\"\n")).unwrap_err().to_string();
    assert!(flash.contains("firmware in flash for a VM that starts from what is loaded, by line 10"), "{flash}");
}

#[test]
fn somebody_else_has_to_be_there_to_load_it() {
    let bench = Bench::new();
    let alone = "[[vm]]\nname = \"a\"\nimage = \"none\"\nmemory = \"8M\"\ncores = [1]\n";
    bench.says(
        alone,
        r#"demo.toml:3:9: error: nobody can load an image into VM "a"
 3 | image = "none"
   |         ^^^^^^
help: name a control VM that has an image: [machine] with control = "..."
"#,
    );
    let own = bench.parse(&format!("[machine]\ncontrol = \"a\"\n{alone}")).unwrap_err().to_string();
    assert!(own.contains("VM \"a\" is the control VM, into which nobody else can load an image"), "{own}");
}

#[test]
fn no_memory_for_it() {
    let mut bench = Bench::new();
    bench.board.memory = 64 << 20;
    let report = bench.parse(&system("store = \"96M\"\n")).unwrap_err().to_string();
    assert!(report.contains("but qemu-virt has 64 MiB") && report.contains("96 MiB for its store"), "{report}");
}
