//! Debian's arm64 packages as data: the kernel and busybox, through an apt configuration of their own. No foreign
//! architecture is added to this machine, and its package sources stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::environment::Environment;

/// Modules of the guests in the order in which they need each other; some kernels have the first one built in.
const MODULES: [&str; 2] = ["rng-core", "arm_smccc_trng"];
/// The module without which a kernel cannot use the firmware's entropy.
const REQUIRED_MODULE: &str = "arm_smccc_trng";
/// The kernel for virtual machines, without the drivers of real boards; PL011 and PTP are built in.
const KERNEL_PACKAGE: &str = "linux-image-cloud-arm64";

/// Xen's hypervisor in Debian 13.
const XEN_PACKAGE: &str = "xen-hypervisor-4.20-arm64";

/// The kernels of Debian 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The release's own: Linux 6.1.
    Bookworm,
    /// The backport of the next release's: Linux 6.12.
    Backports,
}

impl Release {
    /// The kernel of the known guest `name`; none if it is no Debian guest.
    pub fn of_guest(name: &str) -> Option<Self> {
        match name {
            "debian" | "debian-6.12" => Some(Self::Backports),
            "debian-6.1" => Some(Self::Bookworm),
            _ => None,
        }
    }

    /// Where the metapackage is looked up, and the folder's name.
    const fn package(self) -> (&'static str, &'static str) {
        match self {
            Self::Bookworm => ("bookworm", "debian-6.1"),
            Self::Backports => ("bookworm-backports", "debian-6.12"),
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
/// apt, its hashes, or the content of the package.
pub fn kernel(environment: &Environment, release: Release) -> Result<Kernel> {
    let (suite, name) = release.package();
    let place = folder(environment).join(name);
    if !place.exists() {
        let apt = Apt::new(environment)?;
        apt.update()?;
        let package = apt.dependency(KERNEL_PACKAGE, suite)?;
        let fresh = apt.fetch(&package)?;
        let image = only(&fresh.join("boot"), "vmlinuz-")?;
        keep_image(&image)?;
        fs::rename(&image, fresh.join("Image"))?;
        let found = find_modules(&fresh.join("lib/modules"))?;
        for module in found {
            fs::rename(&module, fresh.join(module.file_name().context("a module without a name")?))?;
        }
        for rest in ["boot", "lib", "usr"] {
            fs::remove_dir_all(fresh.join(rest))?;
        }
        fs::rename(&fresh, &place).context("the unpacked kernel cannot be moved to its place")?;
    }
    let modules = MODULES.iter().filter_map(|module| only(&place, &format!("{module}.ko")).ok()).collect();
    Ok(Kernel { image: place.join("Image"), modules })
}

/// busybox, linked statically, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn busybox(environment: &Environment) -> Result<PathBuf> {
    let place = folder(environment).join("busybox");
    if !place.exists() {
        let apt = Apt::new(environment)?;
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
        let address = archive(environment)?;
        let apt = Apt::with_sources(environment, "apt-trixie", &[(address, "trixie")])?;
        apt.update()?;
        let fresh = apt.fetch(XEN_PACKAGE)?;
        let image = fresh.join("boot/xen-4.20-arm64");
        keep_image(&image)?;
        fs::rename(&image, &place).context("the unpacked Xen cannot be moved to its place")?;
        fs::remove_dir_all(fresh)?;
    }
    Ok(place)
}

/// Address of Debian's archive.
fn archive(environment: &Environment) -> Result<&str> {
    let address = environment.get("MIRROR")?;
    ensure!(
        !address.is_empty(),
        "this machine has no package source of Debian, which the guests' kernels come from; set DEBIAN_MIRROR to the address \
         of a Debian archive, such as https://mirror.example/debian, and run scripts/setup again"
    );
    Ok(address)
}

/// The only entry of `folder` whose name starts with `prefix`.
fn only(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(entry.path());
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("{} has no {prefix}*", folder.display()),
        _ => bail!("{} has more than one {prefix}*", folder.display()),
    }
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

/// The wanted modules below `folder`.
fn find_modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut built_in, mut folders) = (Vec::new(), String::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if name == "modules.builtin" {
                built_in = fs::read_to_string(entry.path())?;
            } else if MODULES.iter().any(|module| name.strip_prefix(module).is_some_and(|rest| rest.starts_with(".ko")))
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

/// apt for arm64 with sources, lists and cache of its own.
struct Apt {
    folder: PathBuf,
    environment: Environment,
}

impl Apt {
    fn new(environment: &Environment) -> Result<Self> {
        let sources = [(archive(environment)?, "bookworm"), (environment.get("BACKPORTS")?, "bookworm-backports")];
        Self::with_sources(environment, "apt", &sources)
    }

    /// With addresses and their suites.
    fn with_sources(environment: &Environment, name: &str, sources: &[(&str, &str)]) -> Result<Self> {
        let folder = folder(environment).join(name);
        fs::create_dir_all(folder.join("lists/partial"))?;
        fs::create_dir_all(folder.join("cache/archives/partial"))?;
        let key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
        let lines = sources.iter().map(|(address, suite)| format!("deb {key} {address} {suite} main\n"));
        fs::write(folder.join("debian.list"), lines.collect::<String>())?;
        Ok(Self { folder, environment: environment.clone() })
    }

    /// A command of apt's, with the configuration.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        let folder = self.folder.display();
        command.args([
            "-q",
            "-oAPT::Architecture=arm64",
            "-oAPT::Architectures=arm64",
            "-oDir::State::status=/dev/null",
        ]);
        command.args(["-oDir::Etc::SourceParts=/dev/null", "-oAPT::Sandbox::User=root", "-oAcquire::Retries=3"]);
        command.arg("-oAPT::Update::Error-Mode=any");
        command.arg(format!("-oDir::Etc::SourceList={folder}/debian.list"));
        command.arg(format!("-oDir::State::Lists={folder}/lists")).arg(format!("-oDir::Cache={folder}/cache"));
        command
    }

    fn output(&self, mut command: Command, what: &str) -> Result<String> {
        let started = command.output();
        let output = started.context("apt could not be started; Debian's arm64 packages are fetched with apt")?;
        if !output.status.success() {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            bail!("{what} failed:\n{out}{err}");
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn update(&self) -> Result<()> {
        // Lists that this run has read already are new enough for the next package.
        let stamp = self.folder.join("updated");
        let age = fs::metadata(&stamp).and_then(|file| file.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age.as_secs() < 600) {
            return Ok(());
        }
        eprintln!("xtask: reading Debian's package lists for arm64 from {}", self.environment.get("MIRROR")?);
        let mut command = self.command("apt-get");
        command.arg("update");
        self.output(command, "apt-get update")?;
        Ok(fs::write(stamp, "")?)
    }

    /// The package that the newest version of the metapackage in `suite` stands for.
    fn dependency(&self, metapackage: &str, suite: &str) -> Result<String> {
        let mut command = self.command("apt-cache");
        command.args([&format!("-oAPT::Default-Release={suite}"), "--no-all-versions", "show", metapackage]);
        let text = self.output(command, "apt-cache show")?;
        let depends = text.lines().find_map(|line| line.strip_prefix("Depends: "));
        let package =
            depends.and_then(|depends| depends.split([' ', ',']).find(|word| word.starts_with("linux-image-")));
        Ok(package.with_context(|| format!("{metapackage} in {suite} depends on no linux-image-*"))?.to_owned())
    }

    /// Downloads a package, which apt checks by its hash, and unpacks it into a new folder.
    fn fetch(&self, package: &str) -> Result<PathBuf> {
        eprintln!("xtask: downloading {package}");
        let download = self.folder.join("download");
        if download.exists() {
            fs::remove_dir_all(&download)?;
        }
        fs::create_dir_all(&download)?;
        let mut command = self.command("apt-get");
        command.args(["download", package]).current_dir(&download);
        self.output(command, &format!("the download of {package}"))?;
        let archive = only(&download, "")?;
        let kept = archive.file_name().context("a package without a name")?.to_owned();
        let fresh = self.folder.join("unpacked");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        let mut command = Command::new("dpkg-deb");
        command.arg("-x").arg(&archive).arg(&fresh);
        self.output(command, &format!("unpacking {package}"))?;
        // The version for whoever wants to know; the archive itself is of no more use.
        fs::write(fresh.join("package"), format!("{}\n", kept.display()))?;
        fs::remove_dir_all(download)?;
        Ok(fresh)
    }
}
