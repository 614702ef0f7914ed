use portcullis_abi::bundle::{CONDUIT_HVC, CONDUIT_SMC, MACHINE_OFF, MACHINE_RESET};

use super::super::Firmware;
use super::{Bench, vm};

const DEMO: &str = r#"
[machine]

[[vm]]
name = "linux-a"
image = "debian"
cmdline = "console=ttyAMA0"
memory = "256M"
cores = [0, 1]
autostart = false
conduits = ["smc"]
machine = ["reset", "off"]
devices = []
suspend = true

[vm.firmware]
std = ["trng"]
std-hyp = 1
vendor-hyp = ["ptp", "func-feat"]
vendor-hyp-2 = ["impl-cpus"]
psci = "1.0"
smccc = "1.2"

[[vm]]
name = "b"
image = "raw"
initrd = "disk"
memory = 0x400_0000
cores = [3]

[vm.firmware]
"#;

#[test]
fn every_key() {
    let manifest = Bench::new().parse(DEMO).unwrap();
    assert_eq!(manifest.control, None);
    let [a, b] = &manifest.vms[..] else { panic!("two VMs") };
    assert_eq!((a.name.as_str(), a.cmdline.as_str(), a.memory), ("linux-a", "console=ttyAMA0", 256 << 20));
    assert_eq!((&a.cores[..], a.settings.autostart, a.settings.conduits), (&[0, 1][..], false, CONDUIT_SMC));
    assert_eq!((a.settings.machine, a.settings.suspend), (MACHINE_OFF | MACHINE_RESET, true));
    assert_eq!(a.kernel.as_ref().unwrap().path.file_name().unwrap(), "Image");
    assert_eq!(a.initrd.as_ref().unwrap().bytes.len(), 64 << 10, "a known guest brings its RAM disk");
    let expected = Firmware {
        registers: [Some(1), Some(1), Some(3), Some(2), Some(0x1_0000), Some(0x1_0002)],
        keep: false,
        filters: Vec::new(),
    };
    assert_eq!(a.firmware, Some(expected));

    assert_eq!((&b.cores[..], b.settings.autostart, b.settings.conduits), (&[3][..], true, CONDUIT_HVC | CONDUIT_SMC));
    assert_eq!((b.settings.machine, b.settings.suspend), (0, false));
    assert_eq!((b.kernel.as_ref().unwrap().bytes.len(), b.memory, b.cmdline.as_str()), (4096, 64 << 20, ""));
    assert_eq!(b.initrd.as_ref().unwrap().path.file_name().unwrap(), "disk");
    let cleared = Firmware { registers: [None; 6], keep: false, filters: Vec::new() };
    assert_eq!(b.firmware, Some(cleared), "an empty section names nothing");
}

#[test]
fn defaults() {
    let manifest = Bench::new().parse(&vm("")).unwrap();
    assert_eq!(manifest.vms[0].firmware, None);
    assert_eq!(manifest.vms[0].initrd, None);
    assert!(manifest.vms[0].settings.autostart);
    assert_eq!(manifest.vms[0].slices, [5_000]);
    assert!(manifest.cores.is_empty());
}

#[test]
fn summary() {
    let manifest = Bench::new().parse(&(DEMO.to_owned() + &vm("name = \"c\"").replace("[0]", "[2]"))).unwrap();
    let expected = "\
VM       cores  memory   image  services
linux-a  0,1    256 MiB  Image  trng pv-time func-feat ptp impl-cpus psci-1.0 smccc-1.2
b        3      64 MiB   raw    psci-1.3
c        2      64 MiB   raw    default
";
    assert_eq!(manifest.to_string(), expected);
}

#[test]
fn limits_that_still_fit() {
    let mut bench = Bench::new();
    bench.board.cores = 8;
    bench.parse(&vm("cores = [0, 1, 2, 3, 4, 5, 6, 7]")).unwrap();
    bench.parse(&vm("name = \"a23456789-123456\"")).unwrap();
    bench.parse(&vm("memory = 2097152")).unwrap();
    // 1 GiB less the hypervisor's 16 MiB and 2 MiB for the images.
    bench.parse(&vm("memory = \"1006M\"")).unwrap();
    bench.parse(&vm("memory = \"1008M\"")).unwrap_err();
    let eight: String = (0..8)
        .map(|n| vm("memory = \"2M\"").replace("\"a\"", &format!("\"a{n}\"")).replace("[0]", &format!("[{n}]")))
        .collect();
    assert_eq!(bench.parse(&eight).unwrap().vms.len(), 8);
}
