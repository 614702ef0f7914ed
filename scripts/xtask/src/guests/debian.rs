//! Debian's arm64 packages as data: the kernels, busybox and Xen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::apt::{Apt, Source, archive, only};
use crate::environment::Environment;

/// Modules of the guests in the order in which they need each other; some kernels have the first one built in, and Linux 6.1 lacks
/// the watchdog's.
const MODULES: &[&str] = &["rng-core", "arm_smccc_trng", "arm_smc_wdt"];
/// The same of the newest kernel, which hibernates: the RAM disk with its swap is one more.
const NEWEST_MODULES: &[&str] = &["rng-core", "arm_smccc_trng", "arm_smc_wdt", "brd"];
/// The modules for what a VM is linked with, and by which Linux links on, in the order in which they need each other; each kernel
/// has some of them built in.
pub const LINK_MODULES: &[&str] = &[
    "virtio",
    "virtio_ring",
    "virtio_mmio",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
    "virtio_console",
    "crc16",
    "mbcache",
    "jbd2",
    "crc32c_generic",
    "ext4",
    "llc",
    "stp",
    "bridge",
];
/// The same for a Linux whose VMs are linked by it.
const HOST_MODULES: &[&str] = &["tun", "tap", "vhost_iotlb", "vhost", "vhost_net"];
/// Says which modules were looked for when a kernel was unpacked.
const WANTED: &str = "wanted";
/// The module without which a kernel cannot use the firmware's entropy.
const REQUIRED_MODULE: &str = "arm_smccc_trng";
/// The kernel for virtual machines, without the drivers of real boards; PL011 and PTP are built in.
const CLOUD_PACKAGE: &str = "linux-image-cloud-arm64";
/// The kernel for every board.
const PACKAGE: &str = "linux-image-arm64";
/// The kernel for boards whose cores have pages of 16 KiB; there is none for virtual machines.
const LARGE_PAGES_PACKAGE: &str = "linux-image-arm64-16k";

/// What the packages are for, in the message of a machine that has no source for them.
const NEEDED_FOR: &str = "the guests' kernels come from";
/// Xen's hypervisor in Debian 13.
const XEN_PACKAGE: &str = "xen-hypervisor-4.20-arm64";

/// What the names of the guests end with whose RAM disks have more programs than busybox.
pub const TOOLS: &str = "-tools";
/// The same of those whose RAM disk is a Debian, and has the project's package for it.
pub const ROOT: &str = "-root";

/// The kernels of Debian's that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// That of Debian 12: Linux 6.1.
    Bookworm,
    /// The backport to Debian 12 of Debian 13's: Linux 6.12.
    BookwormBackports,
    /// The same with pages of 16 KiB.
    BookwormBackportsLargePages,
    /// That of Debian 13, for every board, as a host: Linux 6.12.
    TrixieHost,
    /// The newest backport to Debian 13: Linux 7.
    TrixieBackports,
}

impl Release {
    /// The kernel of the known guest `name`; none if it is no Debian guest.
    pub fn of_guest(name: &str) -> Option<Self> {
        match [TOOLS, ROOT].into_iter().find_map(|more| name.strip_suffix(more)).unwrap_or(name) {
            "debian" | "debian-6.12" => Some(Self::BookwormBackports),
            "debian-6.1" => Some(Self::Bookworm),
            "debian-16k" => Some(Self::BookwormBackportsLargePages),
            "debian-7" => Some(Self::TrixieBackports),
            _ => None,
        }
    }

    /// Where the metapackage is looked up.
    const fn suite(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::BookwormBackports | Self::BookwormBackportsLargePages => "bookworm-backports",
            Self::TrixieHost => "trixie",
            Self::TrixieBackports => "trixie-backports",
        }
    }

    /// What the version of Linux begins with.
    const fn version(self) -> &'static str {
        match self {
            Self::Bookworm => "6.1",
            Self::BookwormBackports | Self::BookwormBackportsLargePages | Self::TrixieHost => "6.12",
            Self::TrixieBackports => "7",
        }
    }

    /// The metapackage.
    const fn package(self) -> &'static str {
        match self {
            Self::BookwormBackportsLargePages => LARGE_PAGES_PACKAGE,
            Self::TrixieHost => PACKAGE,
            Self::Bookworm | Self::BookwormBackports | Self::TrixieBackports => CLOUD_PACKAGE,
        }
    }

    /// The modules that its guests need, in the order of loading.
    fn modules(self) -> Vec<&'static str> {
        let own = if self == Self::TrixieBackports { NEWEST_MODULES } else { MODULES };
        let host = if self == Self::TrixieHost { HOST_MODULES } else { &[] };
        [own, LINK_MODULES, host].concat()
    }

    /// Whether the kernel has no interface for the tools of libgpiod 1 (CONFIG_GPIO_CDEV_V1).
    pub const fn lacks_first_gpio_interface(self) -> bool {
        matches!(self, Self::TrixieBackports)
    }

    /// Name of the folder with its files.
    fn folder(self) -> String {
        let more = match self {
            Self::BookwormBackportsLargePages => "-16k",
            Self::TrixieHost => "-host",
            Self::Bookworm | Self::BookwormBackports | Self::TrixieBackports => "",
        };
        format!("debian-{}{more}", self.version())
    }

    /// apt with the sources for this kernel and what it needs.
    fn apt(self, environment: &Environment) -> Result<Apt> {
        match self {
            Self::Bookworm | Self::BookwormBackports | Self::BookwormBackportsLargePages => apt(environment),
            Self::TrixieHost => apt_trixie(environment),
            Self::TrixieBackports => {
                let sources = [Source::Packages(archive(environment, NEEDED_FOR)?, self.suite())];
                Apt::new(environment, folder(environment).join("apt-trixie-backports"), &sources)
            }
        }
    }
}

/// An unpacked kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The arm64 Image.
    pub image: PathBuf,
    /// The modules that its RAM disk needs, in the order of loading.
    pub modules: Vec<PathBuf>,
}

/// Folder of everything here.
pub fn folder(environment: &Environment) -> PathBuf {
    environment.target().join("guests")
}

/// The kernel of `release`, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the packages.
pub fn kernel(environment: &Environment, release: Release) -> Result<Kernel> {
    let place = folder(environment).join(release.folder());
    let wanted = release.modules().join("\n");
    if fs::read_to_string(place.join(WANTED)).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(folder(environment))?;
        let fresh = tempfile::tempdir_in(folder(environment))?;
        unpack(&release.apt(environment)?, release, fresh.path())?;
        fs::write(fresh.path().join(WANTED), wanted)?;
        // One that was unpacked for other modules.
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::rename(fresh.keep(), &place).context("the unpacked kernel cannot be moved to its place")?;
    }
    let modules = release.modules().iter().filter_map(|module| only(&place, &format!("{module}.ko")).ok()).collect();
    Ok(Kernel { image: place.join("Image"), modules })
}

/// Downloads the kernel of `release` and its modules into `place`. Up to 6.x all of it is in one package. From 7.x on that
/// package is empty but for what it depends on: one with the kernel, and one with the modules.
fn unpack(apt: &Apt, release: Release, place: &Path) -> Result<()> {
    let suite = release.suite();
    apt.update()?;
    let newest = release.package();
    let package = apt.dependency(newest, suite, "linux-image-")?;
    let package = package.with_context(|| format!("{newest} in {suite} depends on no linux-image-*"))?;
    ensure!(
        package.starts_with(&format!("linux-image-{}.", release.version())),
        "{suite} has {package} now, and no Linux {} any more",
        release.version()
    );
    let into = |from: PathBuf, name: &str| fs::rename(&from, place.join(name)).with_context(|| format!("no {name}"));
    let modules = match apt.dependency(&package, suite, "linux-binary-")? {
        None => {
            let fresh = apt.fetch(&package)?;
            into(only(&fresh.join("boot"), "vmlinuz-")?, "Image")?;
            fresh
        }
        Some(binary) => {
            let fresh = apt.fetch(&binary)?;
            into(only(&fresh.join("usr/lib/modules"), "")?.join("vmlinuz"), "Image")?;
            let modules = apt.dependency(&package, suite, "linux-modules-")?;
            apt.fetch(&modules.with_context(|| format!("{package} depends on no linux-modules-*"))?)?
        }
    };
    keep_image(&place.join("Image"))?;
    let folder =
        ["lib/modules", "usr/lib/modules"].map(|folder| modules.join(folder)).into_iter().find(|at| at.exists());
    for module in find_modules(&folder.context("the kernel's packages have no modules")?, &release.modules())? {
        let name = module.file_name().context("a module without a name")?.to_owned();
        into(module, &name.to_string_lossy())?;
    }
    into(modules.join("package"), "package")?;
    fs::remove_dir_all(&modules)?;
    Ok(())
}

/// busybox, linked statically, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn busybox(environment: &Environment) -> Result<PathBuf> {
    let place = folder(environment).join("busybox");
    if !place.exists() {
        let apt = apt(environment)?;
        apt.update()?;
        let fresh = apt.fetch("busybox-static")?;
        fs::rename(fresh.join("bin/busybox"), &place).context("the package busybox-static has no /bin/busybox")?;
        fs::remove_dir_all(fresh)?;
    }
    Ok(place)
}

/// Xen of Debian 13, an arm64 Image, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn xen(environment: &Environment) -> Result<PathBuf> {
    let place = folder(environment).join("xen");
    if !place.exists() {
        let apt = apt_trixie(environment)?;
        apt.update()?;
        let fresh = apt.fetch(XEN_PACKAGE)?;
        let image = fresh.join("boot/xen-4.20-arm64");
        keep_image(&image)?;
        fs::rename(&image, &place).context("the unpacked Xen cannot be moved to its place")?;
        fs::remove_dir_all(fresh)?;
    }
    Ok(place)
}

/// apt with the sources of Debian 12.
pub fn apt(environment: &Environment) -> Result<Apt> {
    let sources = [
        Source::Packages(archive(environment, NEEDED_FOR)?, "bookworm"),
        Source::Packages(environment.get("BACKPORTS")?, "bookworm-backports"),
    ];
    Apt::new(environment, folder(environment).join("apt"), &sources)
}

/// apt with the sources of Debian 13.
pub fn apt_trixie(environment: &Environment) -> Result<Apt> {
    let address = archive(environment, NEEDED_FOR)?;
    Apt::new(environment, folder(environment).join("apt-trixie"), &[Source::Packages(address, "trixie")])
}

/// Makes sure that the file is an arm64 Image, unpacking it if need be.
fn keep_image(file: &Path) -> Result<()> {
    let mut bytes = fs::read(file)?;
    if bytes.starts_with(b"\x1f\x8b") {
        let output = Command::new("gzip").args(["-dc"]).arg(file).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("{} cannot be unpacked", file.display());
        }
        bytes = output.stdout;
        fs::write(file, &bytes)?;
    }
    // The magic number of the header: Linux, Documentation/arch/arm64/booting.rst, section 4.
    if bytes.get(56..60) != Some(b"ARM\x64") {
        bail!("{} is not an arm64 Image", file.display());
    }
    Ok(())
}

/// The `wanted` modules below `folder`.
fn find_modules(folder: &Path, wanted: &[&str]) -> Result<Vec<PathBuf>> {
    let (mut found, mut built_in, mut folders) = (Vec::new(), String::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if name == "modules.builtin" {
                built_in = fs::read_to_string(entry.path())?;
            } else if wanted.iter().any(|module| name.strip_prefix(module).is_some_and(|rest| rest.starts_with(".ko")))
            {
                found.push(entry.path());
            }
        }
    }
    let is_there = |path: &PathBuf| path.to_string_lossy().contains(REQUIRED_MODULE);
    if !found.iter().any(is_there) && !built_in.contains(REQUIRED_MODULE) {
        bail!("the kernel package has no module {REQUIRED_MODULE}");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guest_has_its_kernel() {
        let known = |name| Release::of_guest(name).map(|release| (release.suite(), release.version()));
        assert_eq!(known("debian"), known("debian-6.12"));
        assert_eq!(known("debian-6.12"), Some(("bookworm-backports", "6.12")));
        assert_eq!(known("debian-6.1"), Some(("bookworm", "6.1")));
        assert_eq!(known("debian-7"), Some(("trixie-backports", "7")));
        assert_eq!(known("debian-16k"), known("debian-6.12"));
        assert_eq!([known("debian-tools"), known("debian-6.12-root")], [known("debian"); 2]);
        assert_eq!([known("debian-8"), known("debian-root-tools")], [None; 2]);
    }

    #[test]
    fn no_two_kernels_share_a_folder_or_a_package_of_a_suite() {
        let guests = ["debian-6.12", "debian-6.1", "debian-7", "debian-16k"];
        let guests = guests.map(|name| Release::of_guest(name).unwrap());
        let all: Vec<_> = guests.into_iter().chain([Release::TrixieHost]).collect();
        for (number, one) in all.iter().enumerate() {
            for other in &all[number + 1..] {
                assert_ne!(one.folder(), other.folder());
                assert_ne!((one.suite(), one.package()), (other.suite(), other.package()));
            }
        }
    }
}
