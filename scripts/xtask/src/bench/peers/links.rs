//! Links of KVM's VMs: Debian's kernel and QEMU at both ends of vhost-net and a bridge, and QEMU's virtio-blk before a file in RAM.
//! A VM that QEMU saves, and copies by their host's Linux (`guest-images/linux/peer-links`). Only what the guests do themselves is
//! not counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use peer_links::{REPETITIONS, Work};

use super::other::MACHINE;
use crate::bench::measure::{Bench, CLOCK, Console, ICOUNT};
use crate::bench::measurement::{Measurement, Measurements, single};
use crate::bench::plugin::{self, Test};
use crate::guests::cpio::Archive;
use crate::guests::debian::{self, Kernel, Release};
use crate::guests::{emulator, manager};
use crate::machine::{self, End, Keyboard};

/// The transports of virtio, with their keys in the rows.
pub const TRANSPORTS: [(&str, &str); 2] = [("kvm-pci", "pci"), ("kvm-mmio", "mmio")];
/// Its CPU: the host is nVHE.
const CPU: &str = "cortex-a72";
/// The host's RAM: its RAM disk has QEMU in it, and each guest has 256 MiB.
const MEMORY: &str = "2048M";
/// When a run that hangs is ended: three systems boot, two of them in VMs.
const TIMEOUT: Duration = Duration::from_secs(900);
/// The modules of the guests, which are not those of their host.
const GUEST_MODULES: [&str; 5] = ["failover", "net_failover", "virtio_net", "virtio_blk", "virtio_mmio"];
/// The last line of the host.
const END: &str = "links: all is over";
/// What a line begins with that tells what went wrong.
const FAILED: &str = "links: FAILED";

/// The host's Linux, with all that its VMs boot.
pub struct Host<'a> {
    bench: &'a Bench<'a>,
    kernel: PathBuf,
    initrd: PathBuf,
}

impl<'a> Host<'a> {
    /// Gets it ready.
    ///
    /// # Errors
    ///
    /// A package cannot be had, or a file cannot be written.
    pub fn new(bench: &'a Bench) -> Result<Self> {
        let kernel = debian::kernel(bench.environment, Release::TrixieHost)?;
        let initrd = initial_ram_disk(bench, &kernel)?;
        Ok(Self { bench, kernel: kernel.image, initrd })
    }

    /// Measures the links of KVM's VMs by a transport.
    ///
    /// # Errors
    ///
    /// A run failed.
    pub fn links(&self, key: &str, transport: &str) -> Result<Measurements> {
        let mut found = self.measure(&format!("{key}-network"), "network", transport, &Work::NETWORK)?;
        found.extend(self.measure(&format!("{key}-disk"), "disk", transport, &Work::DISK)?);
        Ok(found)
    }

    /// Measures what a VM takes that QEMU saves to a pipe.
    ///
    /// # Errors
    ///
    /// The run failed.
    pub fn save(&self) -> Result<Measurements> {
        self.measure("kvm-save", "save", "pci", &Work::SAVE)
    }

    /// Measures one copy of each of the lengths that are copied between VMs, by the keys of the rows that have it as their floor.
    ///
    /// # Errors
    ///
    /// The run failed.
    pub fn copies(&self) -> Result<Measurements> {
        Ok(floor(&self.measure("floor-copies", "copy", "pci", &Work::COPIES)?))
    }

    fn measure(&self, name: &str, part: &str, transport: &str, works: &[Work]) -> Result<Measurements> {
        eprintln!("xtask: measuring {name}");
        let line = format!(
            "console=ttyAMA0 quiet panic=-1 ipv6.disable=1 kvm.halt_poll_ns=0 work={part} transport={transport}"
        );
        let tests = run(self.bench, name, &self.kernel, &self.initrd, &line);
        tests.and_then(|tests| counted(&tests, works)).with_context(|| format!("the run of {name}"))
    }
}

/// The keys of the rows with the copy, and how many of it, that each has as its floor.
const FLOORS: [(&str, Work, u32); 10] = [
    ("frame", Work::CopyShort, 1),
    ("frames", Work::CopyShort, 1),
    ("long-frames", Work::CopyLong, 1),
    ("stream", Work::CopyPiece, 1),
    ("ping", Work::CopyShort, 2),
    ("image", Work::CopyPage, 1),
    ("long-image", Work::CopyPiece, 1),
    ("copy-64k", Work::CopyPiece, 1),
    ("save-mib", Work::CopyMib, 1),
    ("restore-mib", Work::CopyMib, 1),
];

/// What copies took, by the keys of the rows that have them as their floor.
fn floor(copies: &Measurements) -> Measurements {
    let of =
        |work: Work, times: u32| copies.get(work.name()).map(|found| single(found.value as u64 * u64::from(times)));
    FLOORS.iter().filter_map(|&(key, work, times)| Some((key.to_owned(), of(work, times)?))).collect()
}

fn run(bench: &Bench, name: &str, kernel: &Path, initrd: &Path, line: &str) -> Result<Vec<Test>> {
    let mut qemu = Command::new(bench.environment.get("QEMU")?);
    qemu.args(["-machine", MACHINE, "-cpu", &format!("{CPU},{CLOCK}"), "-m", MEMORY, "-smp", "1"]);
    qemu.args(["-display", "none", "-nic", "none", "-monitor", "none", "-serial", "stdio", "-accel", "tcg"])
        .args(ICOUNT);
    let counts = bench.folder.join(format!("{name}.count"));
    qemu.args(["-plugin", &format!("{},out={},scope=machine,guests=vm", bench.plugin.display(), counts.display())]);
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd).args(["-append", line]);
    let mut console = Console { lines: Vec::new(), end: Some((1, END)) };
    let end = machine::run(qemu, Keyboard::None, Some(TIMEOUT), &mut console)?;
    fs::write(bench.folder.join(format!("{name}.log")), console.lines.join("\n"))?;
    if !matches!(end, End::Stopped) {
        bail!("it ended with {end:?} before '{END}'; its last line: {:?}", console.lines.last());
    }
    if let Some(failed) = console.lines.iter().find(|line| line.contains(FAILED) || line.contains("panicked")) {
        bail!("{failed}");
    }
    Ok(plugin::read(&counts)?.tests)
}

/// What each unit of the works took: what the sleeps between them take without them is not theirs.
fn counted(tests: &[Test], works: &[Work]) -> Result<Measurements> {
    let test = |work: Work| {
        let test = tests.iter().find(|test| test.id == work as usize);
        let test = test.with_context(|| format!("{} was not counted", work.name()))?;
        let (count, name) = (test.count, work.name());
        ensure!(count == u64::from(REPETITIONS), "{name} was counted {count} times instead of {REPETITIONS}");
        Ok(test)
    };
    let mut found = Measurements::new();
    for &work in works {
        let mut own = test(work)?.clone();
        if let Some(idle) = work.idle() {
            let idle = test(idle)?;
            for count in [&mut own.min, &mut own.median, &mut own.max] {
                *count = count.saturating_sub(idle.median);
            }
            for (kind, count) in &mut own.kinds {
                *count = count.saturating_sub(idle.kinds.get(kind).copied().unwrap_or_default());
            }
        }
        found.insert(work.name().to_owned(), Measurement::of(&own, work.units()));
    }
    Ok(found)
}

/// The host's RAM disk: QEMU, and what its VMs boot.
fn initial_ram_disk(bench: &Bench, kernel: &Kernel) -> Result<PathBuf> {
    let guest = system(bench, "guest", kernel, &|module| GUEST_MODULES.contains(&module))?.finish();
    let mut host = system(bench, "host", kernel, &|module| !GUEST_MODULES.contains(&module))?;
    emulator::add_to(bench.environment, &mut host)?;
    host.file("guest.cpio", false, &guest);
    host.file("Image", false, &fs::read(&kernel.image)?);
    let path = bench.folder.join("kvm-links.cpio");
    fs::write(&path, host.finish()).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// What both have: busybox, the program that does the work, modules, and an init script.
fn system(bench: &Bench, init: &str, kernel: &Kernel, is_wanted: &dyn Fn(&str) -> bool) -> Result<Archive> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let scripts = bench.environment.root.join("guest-images/linux/peer-links");
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "lib", "proc", "sys", "tmp"] {
        archive.folder(folder);
    }
    archive.file("init", true, &read(&scripts.join(init))?);
    archive.file("modules", false, &read(&scripts.join("modules"))?);
    archive.file("bin/busybox", true, &read(&debian::busybox(bench.environment)?)?);
    archive.file("bin/peer-links", true, &read(&manager::peer_links(bench.environment)?)?);
    for path in &kernel.modules {
        let name = path.file_name().and_then(|name| name.to_str()).context("a module without a name")?;
        if is_wanted(name.split('.').next().unwrap_or(name)) {
            archive.file(&format!("lib/{name}"), false, &read(path)?);
        }
    }
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::bench::rows::{self, Row, Table};
    use crate::bench::{links, moving, transfers};
    use crate::environment::Environment;

    fn test(work: Work, median: u64) -> Test {
        let kinds = BTreeMap::from([("eret".to_owned(), median / 1000)]);
        let count = u64::from(REPETITIONS);
        Test { core: 0, id: work as usize, count, min: median - 100, median, max: median + 500, kinds }
    }

    #[test]
    fn what_sleeping_takes_is_not_the_works() {
        let tests = [test(Work::Idle, 1_000_000), test(Work::Frame, 26_000_000), test(Work::Ping, 5_000_000)];
        let found = counted(&tests, &[Work::Frame, Work::Ping]).unwrap();
        assert_eq!(
            (found["frame"].value, found["frame"].max, found["frame"].kinds["eret"]),
            (50_000.0, 50_001.0, 50.0)
        );
        assert_eq!((found["ping"].value, found["ping"].kinds["eret"]), (10_000.0, 10.0));
    }

    #[test]
    fn what_was_not_counted_as_often_as_it_should_is_no_figure() {
        let mut tests = [test(Work::Image, 1_000), test(Work::Frame, 1_000)];
        assert!(counted(&tests, &[Work::Image]).is_ok());
        assert!(counted(&tests, &[Work::LongImage]).unwrap_err().to_string().contains("was not counted"));
        assert!(counted(&tests, &[Work::Frame]).unwrap_err().to_string().contains("idle"));
        tests[0].count -= 1;
        assert!(counted(&tests, &[Work::Image]).unwrap_err().to_string().contains("4 times instead of 5"));
    }

    #[test]
    fn the_work_is_known_by_the_names_of_ours() {
        let ours = [links::keys(), transfers::keys(), moving::KEYS.map(str::to_owned).to_vec()].concat();
        for work in Work::NETWORK.iter().chain(&Work::DISK).chain(&Work::SAVE) {
            assert!(work.name().starts_with("idle") || ours.contains(&work.name().to_owned()), "{}", work.name());
        }
    }

    /// Each floor that the rows have of a copy, and no other, is measured again.
    #[test]
    fn copies_are_the_floors_of_the_rows_that_name_one() {
        let copies = Work::COPIES.iter().map(|work| (work.name().to_owned(), single(work.units().into())));
        let measured: BTreeSet<String> = floor(&copies.collect()).into_keys().collect();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let rows = rows::load(&Environment::at(&root)).unwrap();
        let copied = |row: &&Row| matches!(row.table, Table::Link | Table::Moving) && row.others.contains_key("floor");
        let mut named: BTreeSet<String> = rows.iter().filter(copied).flat_map(|row| row.measure.clone()).collect();
        named.insert("copy-64k".to_owned());
        assert_eq!(measured, named);
    }
}
