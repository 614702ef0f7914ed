//! Debian's packages and sources as data, through an apt configuration of their own. No foreign architecture is added to
//! this machine, and its package sources stay as they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::environment::Environment;

/// An address and a suite that apt reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// Binary packages, for arm64.
    Packages(&'a str, &'a str),
    /// Source packages.
    Sources(&'a str, &'a str),
}

impl Source<'_> {
    fn line(self) -> String {
        let key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
        match self {
            Self::Packages(address, suite) => format!("deb {key} {address} {suite} main\n"),
            Self::Sources(address, suite) => format!("deb-src {key} {address} {suite} main\n"),
        }
    }
}

/// Address of Debian's archive, which `what` ("the kernels come from").
///
/// # Errors
///
/// No package source of this machine is Debian's.
pub fn archive<'a>(environment: &'a Environment, what: &str) -> Result<&'a str> {
    let address = environment.get("MIRROR")?;
    ensure!(
        !address.is_empty(),
        "this machine has no package source of Debian, which {what}; set DEBIAN_MIRROR to the address \
         of a Debian archive, such as https://mirror.example/debian, and run scripts/setup again"
    );
    Ok(address)
}

/// The only entry of `folder` whose name starts with `prefix`.
///
/// # Errors
///
/// There is none, or more than one.
pub fn only(folder: &Path, prefix: &str) -> Result<PathBuf> {
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

/// apt for arm64 with sources, lists and cache of its own.
#[derive(Debug)]
pub struct Apt {
    folder: PathBuf,
    environment: Environment,
}

impl Apt {
    /// With these sources; lists and cache are kept in `folder`.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn new(environment: &Environment, folder: PathBuf, sources: &[Source<'_>]) -> Result<Self> {
        fs::create_dir_all(folder.join("lists/partial"))?;
        fs::create_dir_all(folder.join("cache/archives/partial"))?;
        fs::write(folder.join("debian.list"), sources.iter().map(|source| source.line()).collect::<String>())?;
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
        let output = started.context("apt could not be started; Debian's packages are fetched with apt")?;
        if !output.status.success() {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            bail!("{what} failed:\n{out}{err}");
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Reads the package lists, unless they were read a short time ago.
    ///
    /// # Errors
    ///
    /// apt.
    pub fn update(&self) -> Result<()> {
        // Lists that this run has read already are new enough for the next package.
        let stamp = self.folder.join("updated");
        let age = fs::metadata(&stamp).and_then(|file| file.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age.as_secs() < 600) {
            return Ok(());
        }
        eprintln!("xtask: reading Debian's package lists from {}", self.environment.get("MIRROR")?);
        let mut command = self.command("apt-get");
        command.arg("update");
        self.output(command, "apt-get update")?;
        Ok(fs::write(stamp, "")?)
    }

    /// The first package on which the newest version of `package` in `suite` depends and whose name starts with `prefix`; none
    /// if there is no such one.
    ///
    /// # Errors
    ///
    /// apt.
    pub fn dependency(&self, package: &str, suite: &str, prefix: &str) -> Result<Option<String>> {
        let mut command = self.command("apt-cache");
        command.args([&format!("-oAPT::Default-Release={suite}"), "--no-all-versions", "show", package]);
        let text = self.output(command, "apt-cache show")?;
        Ok(depends(&text, prefix).map(str::to_owned))
    }

    /// Downloads a package, which apt checks by its hash, and unpacks it into a new folder.
    ///
    /// # Errors
    ///
    /// apt, or the package does not unpack.
    pub fn fetch(&self, package: &str) -> Result<PathBuf> {
        let archive = self.download(package, &["download"])?;
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
        fs::remove_dir_all(self.download_folder())?;
        Ok(fresh)
    }

    /// Downloads packages and the libraries that they depend on (theirs in turn among them),
    /// which apt checks by their hashes, and unpacks all of them into one new folder.
    ///
    /// # Errors
    ///
    /// apt, or a package does not unpack.
    pub fn fetch_with_libraries(&self, packages: &[&str]) -> Result<PathBuf> {
        let all = self.libraries_of(packages)?;
        eprintln!(
            "xtask: downloading {}, and the {} packages of their libraries",
            packages.join(", "),
            all.len() - packages.len()
        );
        let folder = self.new_download_folder()?;
        let mut apt = self.command("apt-get");
        apt.arg("download").args(&all).current_dir(&folder);
        self.output(apt, &format!("the download of {}", packages.join(", ")))?;
        let fresh = self.folder.join("unpacked");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        for archive in fs::read_dir(&folder)? {
            let archive = archive?.path();
            let mut command = Command::new("dpkg-deb");
            command.arg("-x").arg(&archive).arg(&fresh);
            self.output(command, &format!("unpacking {}", archive.display()))?;
        }
        fs::remove_dir_all(&folder)?;
        Ok(fresh)
    }

    /// The packages, and all the libraries that one of them depends on.
    fn libraries_of(&self, packages: &[&str]) -> Result<Vec<String>> {
        let mut all: Vec<String> = packages.iter().map(|&package| package.to_owned()).collect();
        let mut new = all.clone();
        while !new.is_empty() {
            let mut command = self.command("apt-cache");
            command.args(["depends", "--important", "--no-suggests", "--no-recommends"]).args(&new);
            let text = self.output(command, "apt-cache depends")?;
            let found: BTreeSet<_> = libraries(&text).filter(|name| !all.iter().any(|known| known == name)).collect();
            new = found.into_iter().map(str::to_owned).collect();
            all.extend(new.iter().cloned());
        }
        Ok(all)
    }

    /// Downloads a package, which apt checks by its hash, and unpacks the files that match `pattern` into a new folder.
    ///
    /// # Errors
    ///
    /// apt, or the package has no such file.
    pub fn fetch_only(&self, package: &str, pattern: &str) -> Result<PathBuf> {
        let archive = self.download(package, &["download"])?;
        let fresh = self.folder.join("unpacked");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir(&fresh)?;
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--fsys-tarfile").arg(&archive).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut unpack = unpack.spawn().context("dpkg-deb could not be started")?;
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&fresh).args(["-x", "--wildcards", pattern]);
        tar.stdin(unpack.stdout.take().context("dpkg-deb has no output")?);
        let result = self.output(tar, &format!("unpacking {pattern} of {package}"));
        // tar reads to the end, so dpkg-deb ends by itself.
        unpack.wait()?;
        result?;
        fs::remove_dir_all(self.download_folder())?;
        Ok(fresh)
    }

    /// Downloads a source package's tarball of the original, which apt checks by its hash. Debian's own tools for source
    /// packages are not needed for that.
    ///
    /// # Errors
    ///
    /// apt.
    pub fn fetch_original(&self, package: &str) -> Result<PathBuf> {
        self.download(package, &["source", "--download-only", "--tar-only"])
    }

    /// The one file that this command of apt-get's brings.
    fn download(&self, package: &str, command: &[&str]) -> Result<PathBuf> {
        eprintln!("xtask: downloading {package}");
        let folder = self.new_download_folder()?;
        let mut apt = self.command("apt-get");
        apt.args(command).arg(package).current_dir(&folder);
        self.output(apt, &format!("the download of {package}"))?;
        only(&folder, "")
    }

    /// The folder for downloads, empty.
    fn new_download_folder(&self) -> Result<PathBuf> {
        let folder = self.download_folder();
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn download_folder(&self) -> PathBuf {
        self.folder.join("download")
    }
}

/// The first package whose name starts with `prefix` in the field Depends of a package's description.
fn depends<'a>(description: &'a str, prefix: &str) -> Option<&'a str> {
    let depends = description.lines().find_map(|line| line.strip_prefix("Depends: "))?;
    depends.split([' ', ',']).find(|word| word.starts_with(prefix))
}

/// Whether a package is one of libraries, by its name.
fn is_library(package: &str) -> bool {
    package.starts_with("lib") || package.starts_with("zlib")
}

/// The libraries in what `apt-cache depends` prints; of alternatives the first one.
fn libraries(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(|line| line.trim_start());
    lines
        .filter_map(|line| line.strip_prefix("Pre").unwrap_or(line).strip_prefix("Depends: "))
        .filter(|name| is_library(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_lines_of_apts() {
        let packages = Source::Packages("http://mirror.example/debian", "bookworm").line();
        assert!(packages.starts_with("deb [signed-by="), "{packages}");
        assert!(packages.ends_with("] http://mirror.example/debian bookworm main\n"), "{packages}");
        assert!(Source::Sources("a", "trixie").line().starts_with("deb-src "));
    }

    #[test]
    fn dependencies_are_found_by_their_beginning() {
        // As Debian's are, of trixie-backports: linux-image-cloud-arm64, and what it depends on.
        let metapackage = "Package: linux-image-cloud-arm64\nDepends: linux-base-cloud-arm64 (= 7.3.4-1), \
                           linux-image-7.3.4+deb13-cloud-arm64 (= 7.3.4-1)\nDescription: linux-image-x\n";
        assert_eq!(depends(metapackage, "linux-image-"), Some("linux-image-7.3.4+deb13-cloud-arm64"));
        assert_eq!(depends(metapackage, "linux-binary-"), None);
        let image = "Pre-Depends: linux-base (>= 4.17~)\nDepends: dracut | initramfs-tools (>= 0.120+deb8u2), \
                     linux-binary-7.3.4+deb13-cloud-arm64 (= 7.3.4-1), linux-modules-7.3.4+deb13-cloud-arm64 (= 7.3.4-1)\n";
        assert_eq!(depends(image, "linux-modules-"), Some("linux-modules-7.3.4+deb13-cloud-arm64"));
        assert_eq!(depends("Package: x\n", "x"), None);
    }

    #[test]
    fn libraries_are_what_a_package_depends_on_by_that_name() {
        let text = "iperf3\n  Depends: adduser\n |Depends: debconf\n  Depends: <debconf-2.0>\n    cdebconf\n  PreDepends: libc6\n  Depends: libiperf0\n";
        assert_eq!(libraries(text).collect::<Vec<_>>(), ["libc6", "libiperf0"]);
    }

    #[test]
    fn one_entry_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        assert!(only(folder.path(), "a").unwrap_err().to_string().contains("has no a*"));
        fs::write(folder.path().join("a1"), "").unwrap();
        fs::write(folder.path().join("b"), "").unwrap();
        assert_eq!(only(folder.path(), "a").unwrap(), folder.path().join("a1"));
        fs::write(folder.path().join("a2"), "").unwrap();
        assert!(only(folder.path(), "a").unwrap_err().to_string().contains("more than one"));
    }
}
