//! The VMs against each other and against the board.

use super::{Bench, vm};

#[test]
fn control_vm() {
    let bench = Bench::new();
    let manifest = bench.parse(&("[machine]\ncontrol = \"a\"\n".to_owned() + &vm(""))).unwrap();
    assert_eq!(manifest.control.as_deref(), Some("a"));
}

#[test]
fn control_vm_that_does_not_exist() {
    let bench = Bench::new();
    bench.says(
        &("[machine]\ncontrol = \"ops\"\n".to_owned() + &vm("")),
        r#"demo.toml:2:11: error: there is no VM "ops"
 2 | control = "ops"
   |           ^^^^^
help: name one of the VMs of this file
"#,
    );
}

#[test]
fn devices_belong_to_one_vm() {
    let bench = Bench::new();
    let manifest = bench.parse(&vm("devices = [\"/pl061@9030000\", \"/b\"]\ntrust-dma = true"));
    let manifest = manifest.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(
        (&manifest.vms[0].devices[..], manifest.vms[0].settings.trust_dma),
        (&["/pl061@9030000".into(), "/b".into()][..], true)
    );
    bench.says(
        &vm(r#"devices = ["/uart", "/b", "/uart"]"#),
        r#"demo.toml:6:27: error: the device "/uart" is already given to VM "a" in line 6
 6 | devices = ["/uart", "/b", "/uart"]
   |                           ^^^^^^^
help: a device belongs to one VM: list it once
"#,
    );
}

#[test]
fn name_twice() {
    let bench = Bench::new();
    bench.says(
        &(vm("") + &vm(r#"cores = [1]"#)),
        r#"demo.toml:8:8: error: a second VM of the name "a"; the first is in line 2
 8 | name = "a"
   |        ^^^
help: give each VM a name of its own
"#,
    );
}

#[test]
fn core_that_the_board_lacks() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"cores = [4]"#),
        r#"demo.toml:5:10: error: there is no core 4 on qemu-virt
 5 | cores = [4]
   |          ^
help: qemu-virt has 4 cores: 0 to 3
"#,
    );
}

#[test]
fn core_on_a_board_of_one() {
    let mut bench = Bench::new();
    bench.board.cores = 1;
    bench.says(
        &vm(r#"cores = [99999999999]"#),
        r#"demo.toml:5:10: error: there is no core 99999999999 on qemu-virt
 5 | cores = [99999999999]
   |          ^^^^^^^^^^^
help: qemu-virt has 1 core: core 0
"#,
    );
}

#[test]
fn memory_that_the_board_lacks() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = "4G""#),
        r#"demo.toml:4:10: error: VM "a" asks for 4 GiB of memory
 4 | memory = "4G"
   |          ^^^^
help: qemu-virt has 1 GiB
"#,
    );
}

#[test]
fn memory_with_the_hypervisor() {
    let bench = Bench::new();
    bench.says(
        &vm(r#"memory = "1020M""#),
        r#"demo.toml:4:10: error: the system needs 1038 MiB of memory, but qemu-virt has 1 GiB
 4 | memory = "1020M"
   |          ^^^^^^^
help: give the VMs 14 MiB less: they have 1020 MiB for VM "a", their images take 2 MiB and the hypervisor 16 MiB
"#,
    );
}

#[test]
fn memory_of_all_vms() {
    let bench = Bench::new();
    bench.says(
        &(vm(r#"memory = "512M""#) + &vm("cores = [1]").replace("\"a\"", "\"b\"").replace("64M", "512M")),
        r#"demo.toml:9:10: error: the system needs 1042 MiB of memory, but qemu-virt has 1 GiB
 9 | memory = "512M"
   |          ^^^^^^
help: give the VMs 18 MiB less: they have 512 MiB for VM "a", 512 MiB for VM "b", their images take 2 MiB and the hypervisor 16 MiB
"#,
    );
}

#[test]
fn too_many_vms() {
    let mut bench = Bench::new();
    (bench.board.cores, bench.board.memory) = (33, 4 << 30);
    bench.says(
        &((0..33).map(|n| vm(&format!("cores = [{n}]")).replace("\"a\"", &format!("\"a{n}\""))).collect::<String>()),
        r#"demo.toml:161:1: error: 33 VMs are more than a system can have
 161 | [[vm]]
     | ^^^^^^
help: keep 32 of them at the most
"#,
    );
}

#[test]
fn a_clock_that_is_asked_for_needs_a_time() {
    let mut bench = Bench::new();
    let rtc = |text: &str, bench: &Bench| bench.parse(&vm(text)).map(|manifest| manifest.vms[0].settings.rtc).ok();
    assert_eq!(
        ["", "rtc = true", "rtc = false"].map(|text| rtc(text, &bench)),
        [Some(None), Some(Some(true)), Some(Some(false))]
    );
    bench.board.time = false;
    bench.board.name = "rpi4".to_owned();
    assert_eq!(["", "rtc = false"].map(|text| rtc(text, &bench)), [Some(None), Some(Some(false))]);
    bench.says(
        &vm("rtc = true"),
        r#"demo.toml:6:7: error: VM "a" asks for a real-time clock, and rpi4 does not know the time
 6 | rtc = true
   |       ^^^^
help: leave `rtc` out, or name a control VM, which can set the time and then start this VM
"#,
    );
    bench.says(
        &vm("rtc = \"yes\""),
        r#"demo.toml:6:7: error: `rtc` is true or false, but here is a string
 6 | rtc = "yes"
   |       ^^^^^
help: write it like `rtc = true`
"#,
    );
    let controlled = |text: &str| "[machine]\ncontrol = \"a\"\n".to_owned() + &vm(text);
    bench.says(
        &controlled("rtc = true"),
        r#"demo.toml:8:7: error: VM "a" asks for a real-time clock, and rpi4 does not know the time
 8 | rtc = true
   |       ^^^^
help: write autostart = false: the control VM sets the time, then it starts this VM
"#,
    );
    assert!(bench.parse(&controlled("rtc = true\nautostart = false")).is_ok());
}

/// Where QEMU has things on its `virt` machine with 2 GiB.
fn virt() -> Bench {
    let mut bench = Bench::new();
    let range = portcullis_board::Range { start: 0x4000_0000, end: 0xc000_0000 };
    bench.board.memory = range.size();
    bench.board.ram = Some(crate::Ram {
        range,
        image: portcullis_board::Range::sized(0x4020_0000, 0x1_0000),
        bundle: 0x4800_0000,
        tree: crate::Tree::BehindBundle(2 << 20, 1 << 20),
    });
    bench
}

#[test]
fn memory_in_one_piece() {
    let bench = virt();
    let two = |first: &str, second: &str| {
        let second = vm(&format!("memory = \"{second}\"")).replace("\"a\"", "\"b\"");
        vm(&format!("memory = \"{first}\"")) + &second.replace("cores = [0]", "cores = [1]")
    };
    // EL2's heap lies below 2 GiB: 1 GiB is free above it, 890 MiB are between it and the device tree.
    assert!(bench.parse(&two("1000M", "890M")).is_ok());
    bench.says(
        &two("1000M", "900M"),
        r#"demo.toml:9:10: error: VM "b" wants 900 MiB of memory in one piece; the largest that is left on qemu-virt has 890 MiB
 9 | memory = "900M"
   |          ^^^^^^
help: bundle and heap lie in between: give it memory = "890M", or name the larger VMs first
"#,
    );
}

#[test]
fn images_that_vms_share_count_once() {
    let bench = Bench::new();
    bench.file("large", &[0x14; 40 << 20]);
    let text = |vms: usize| {
        let one = |n| vm(r#"image = "large""#).replace("\"a\"", &format!("\"a{n}\"")).replace("[0]", "[1]");
        (0..vms).map(one).collect::<String>()
    };
    // Eight times 64 MiB, and once or eight times 40 MiB; the board has 560.
    let mut bench = bench;
    bench.board.memory = 576 << 20;
    assert!(bench.parse(&text(8)).is_ok());
}
