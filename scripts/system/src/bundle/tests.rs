use std::fs;
use std::path::{Path, PathBuf};

use portcullis_abi::firmware::{PSCI_VERSION, STD, VENDOR_HYP};
use portcullis_bundle::{Bundle, BundleError};

use super::{abi, images, write};
use crate::{Board, Images, Manifest};

const TEXT: &str = r#"
[[vm]]
name = "linux-a"
image = "kernel"
initrd = "disk"
cmdline = "console=ttyAMA0 quiet"
memory = "256M"
cores = [2, 0]
[vm.firmware]
std = ["trng"]
vendor-hyp = ["ptp"]
psci = "1.0"

[[vm]]
name = "b"
image = "kernel"
memory = "2M"
cores = [1]
autostart = false
conduits = ["smc"]
"#;

struct NoGuests;

impl Images for NoGuests {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn kernel(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(None)
    }

    fn initrd(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(None)
    }
}

/// The bytes of the bundle of `manifest`.
fn blob(manifest: &Manifest) -> Vec<u8> {
    super::Bundle::new(manifest).unwrap().parts().collect::<Vec<_>>().concat()
}

fn manifest(folder: &Path, text: &str) -> Result<Manifest, crate::Report> {
    // Odd lengths, so that padding matters.
    fs::write(folder.join("kernel"), [0x14; 4097]).unwrap();
    fs::write(folder.join("disk"), [7; 3]).unwrap();
    let board = Board {
        name: "qemu-virt".to_owned(),
        cores: 4,
        memory: 1 << 30,
        forwards: true,
        time: true,
        cpu: None,
        ram: None,
        devices: Vec::new(),
    };
    Manifest::parse("demo.toml", text, folder, &board, &NoGuests)
}

#[test]
fn the_hypervisor_reads_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let blob = blob(&manifest(folder.path(), TEXT).unwrap());
    let bundle = Bundle::parse(&blob).unwrap();
    assert_eq!(bundle.control(), None);
    let vms: Vec<_> = bundle.vms().collect();
    let [a, b] = vms[..] else { panic!("two VMs") };

    assert_eq!((a.name, a.memory, a.cmdline), ("linux-a", 256 << 20, "console=ttyAMA0 quiet"));
    assert_eq!((a.cores.as_slice(), a.settings.autostart, a.settings.conduits), (&[2, 0][..], true, 3));
    assert_eq!((a.kernel, a.initrd, a.dtb), (&[0x14; 4097][..], Some(&[7; 3][..]), None));
    let firmware = a.firmware.unwrap();
    assert_eq!(firmware.named().collect::<Vec<_>>(), [(STD, 1), (VENDOR_HYP, 2), (PSCI_VERSION, 0x1_0000)]);

    assert_eq!((b.name, b.memory, b.cmdline), ("b", 2 << 20, ""));
    assert_eq!((b.cores.as_slice(), b.settings.autostart, b.settings.conduits), (&[1][..], false, 2));
    assert!(b.initrd.is_none() && b.firmware.is_none() && b.devices.iter().next().is_none());
}

#[test]
fn the_control_vm_and_devices_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = manifest(folder.path(), TEXT).unwrap();
    manifest.control = Some("b".to_owned());
    manifest.vms[1].devices = vec!["/a@1".to_owned(), "/b".to_owned()];
    let blob = blob(&manifest);
    let bundle = Bundle::parse(&blob).unwrap();
    assert_eq!(bundle.control(), Some(1));
    let devices: Vec<&str> = bundle.vms().nth(1).unwrap().devices.iter().collect();
    assert_eq!(devices, ["/a@1", "/b"]);
}

#[test]
fn images_of_the_same_content_are_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = |vms: usize| {
        let vm = |n| {
            format!("[[vm]]\nname = \"a{n}\"\nimage = \"kernel\"\ninitrd = \"disk\"\nmemory = \"2M\"\ncores = [0]\n")
        };
        (0..vms).map(vm).collect::<String>()
    };
    let size = |vms| blob(&manifest(folder.path(), &text(vms)).unwrap()).len();
    let (one, eight) = (size(1), size(8));
    assert!(eight < one + 4097, "{one} {eight}: the kernel is there twice");
    let blob = blob(&manifest(folder.path(), &text(8)).unwrap());
    let bundle = Bundle::parse(&blob).unwrap();
    let kernels: Vec<_> = bundle.vms().map(|vm| vm.kernel.as_ptr_range()).collect();
    assert!(kernels.len() == 8 && kernels.iter().all(|kernel| kernel == &kernels[0]));
    assert!(bundle.vms().all(|vm| vm.kernel == [0x14; 4097] && vm.initrd == Some(&[7; 3])));
    assert_eq!(blob.len() % abi::ALIGNMENT as usize, 0);
    assert_eq!(images::Images::default().size(), 0);
}

#[test]
fn flash_is_written_with_the_files_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let code = vec![0x5a; 256 << 10];
    fs::write(folder.path().join("code.fd"), &code).unwrap();
    let vm = "[[vm]]\nmemory = \"2M\"\ncores = [0]\n";
    let read = |lines: &str| {
        let blob = blob(&manifest(folder.path(), &format!("{vm}name = \"a\"\n{lines}\n")).unwrap());
        let bundle = Bundle::parse(&blob).unwrap();
        let vm = bundle.vms().next().unwrap();
        let files = vm.flash.map(|files| files.map(|file| file.map(|file| file == code)));
        (vm.starts_in_flash(), vm.wish.tree_low, files, blob.len() >> 18)
    };
    assert_eq!(read("image = \"kernel\""), (false, false, None, 0));
    assert_eq!(read("image = \"kernel\"\nflash = []"), (false, false, Some([None, None]), 0));
    assert_eq!(read("flash = \"code.fd\""), (true, true, Some([Some(true), None]), 1));
    assert_eq!(read("flash = [\"code.fd\", \"code.fd\"]"), (true, true, Some([Some(true); 2]), 1), "once");
}

#[test]
fn a_file_that_no_bank_takes_is_refused_at_boot_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = manifest(folder.path(), TEXT).unwrap();
    let file = |size: usize| crate::Image { path: "f".into(), bytes: vec![1; size] };
    let said = |manifest: &Manifest| Bundle::parse(&blob(manifest)).unwrap_err().to_string();
    manifest.vms[1].flash = Some(vec![file(4096)]);
    assert!(
        said(&manifest).contains("a file of 0x1000 bytes is for its flash; a multiple of 0x40000"),
        "{}",
        said(&manifest)
    );
    manifest.vms[1].flash = Some(vec![file(0)]);
    assert!(said(&manifest).contains("a file of 0x0 bytes is for its flash"));
    manifest.vms[1].flash = Some([(); 3].map(|()| file(256 << 10)).into());
    assert!(said(&manifest).contains("\"flash\" does not have the length or form"), "{}", said(&manifest));
    (manifest.vms[1].flash, manifest.vms[1].kernel) = (Some(vec![]), None);
    assert!(said(&manifest).contains("the property \"kernel\" is missing"), "{}", said(&manifest));
}

#[test]
fn the_checksum_covers_the_blob() {
    let folder = tempfile::tempdir().unwrap();
    let mut blob = blob(&manifest(folder.path(), TEXT).unwrap());
    let last = blob.len() / 2;
    blob[last] ^= 1;
    assert!(matches!(Bundle::parse(&blob), Err(BundleError::Checksum { .. })));
}

#[test]
fn filters_rules_audit_and_restarts_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = TEXT.replace(
        "psci = \"1.0\"",
        "rule = \"keep\"\n[[vm.firmware.filter]]\nbase = 0xc2000000\ncount = 2\naction = \"deny\"",
    ) + "audit = true\non-fault = \"stop\"\nrestart = \"on-failure\"\nrestart-limit = 7\n";
    let blob = blob(&manifest(folder.path(), &text).unwrap());
    let bundle = Bundle::parse(&blob).unwrap();
    let vms: Vec<_> = bundle.vms().collect();
    let firmware = vms[0].firmware.unwrap();
    assert_eq!((firmware.keep, firmware.named().collect::<Vec<_>>()), (true, vec![(STD, 1), (VENDOR_HYP, 2)]));
    let ranges: Vec<_> = firmware.ranges.iter().map(|range| (range.base, range.count, range.action)).collect();
    assert_eq!(ranges, [(0xc200_0000, 2, 1)]);
    assert_eq!((vms[0].settings.audit, vms[0].settings.restart_limit), (false, 0));
    assert_eq!((vms[1].settings.audit, vms[1].settings.restart_limit), (true, 7));
    assert_eq!((vms[0].settings.stop_on_fault, vms[1].settings.stop_on_fault), (false, true));
}

#[test]
fn slices_and_cyclic_cores_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = TEXT.replace("cores = [1]", "cores = [2, 1, 2]\nslice = [\"5ms\", \"100us\", \"1s\"]")
        + r#"
[[core]]
number = 2
schedule = "cyclic"
frame = "10ms"
windows = [{ vm = "b", length = "2ms" }, { vm = "linux-a", at = "5ms", length = "4ms" }]
background = ["linux-a", "b"]
[[core]]
number = 1
schedule = "cyclic"
frame = "1ms"
windows = [{ vm = "b", at = "100us", length = "900us" }]
"#;
    let blob = blob(&manifest(folder.path(), &text).unwrap());
    let bundle = Bundle::parse(&blob).unwrap();
    let slices: Vec<_> = bundle.vms().map(|vm| [0, 1, 2].map(|vcpu| vm.slices.microseconds(vcpu))).collect();
    assert_eq!(slices, [[5_000; 3], [5_000, 100, 1_000_000]]);
    let cores: Vec<_> = bundle
        .cores()
        .map(|core| {
            let windows: Vec<_> = core.windows().map(|window| (window.vm, window.start, window.length)).collect();
            (core.number, core.frame, windows, core.background)
        })
        .collect();
    let expected = [(1, 1_000, vec![(1, 100, 900)], 0), (2, 10_000, vec![(1, 0, 2_000), (0, 5_000, 4_000)], 0b11)];
    assert_eq!(cores, expected);
}

#[test]
fn written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), TEXT).unwrap();
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("bundle.img");
    write(&manifest, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), blob(&manifest));
    fs::write(&path, "old").unwrap();
    write(&manifest, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), blob(&manifest), "an older bundle is replaced");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1, "nothing else is left behind");

    // A folder in the file's place cannot be replaced.
    let taken = out.path().join("taken");
    fs::create_dir_all(taken.join("full")).unwrap();
    let error = write(&manifest, &taken).unwrap_err().to_string();
    assert!(error.starts_with(&format!("the bundle {} cannot be written: ", taken.display())), "{error}");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 2, "the temporary file is gone");
    assert!(write(&manifest, &out.path().join("missing/bundle.img")).is_err());
}

#[test]
#[cfg(unix)]
fn everyone_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.img");
    write(&manifest(folder.path(), TEXT).unwrap(), &path).unwrap();
    fs::write(folder.path().join("ordinary"), "").unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("bundle.img"), mode("ordinary"), "as any file that this user writes");
}

#[test]
fn what_makes_a_manifest_makes_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    // The reader's own checks are the same or weaker, so that whatever makes a manifest makes a bundle.
    for memory in ["2M", "4M", "64M", "512M"] {
        for cmdline in ["", "a", &"x".repeat(2047)] {
            let rest = format!("memory = \"{memory}\"\ncmdline = \"{cmdline}\"\n");
            let text = format!("[[vm]]\nname = \"a\"\nimage = \"kernel\"\ncores = [0]\n{rest}");
            let blob = blob(&manifest(folder.path(), &text).unwrap());
            Bundle::parse(&blob).unwrap();
        }
    }
}
