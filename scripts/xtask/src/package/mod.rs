//! `scripts/image --package`: the program `portcullis` as a Debian package, with its manual page, completions, the rule by which
//! its ports are a group's, and the service that tells Prometheus.

mod archive;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use self::archive::{Entry, compressed, package};
use crate::environment::Environment;
use crate::guests::manager;

/// Where the files are that are as they are.
const FOLDER: &str = "guest-images/manager/debian";
/// Those files, and where each is installed.
const FILES: [(&str, &str); 5] = [
    ("60-portcullis.rules", "usr/lib/udev/rules.d/60-portcullis.rules"),
    ("portcullis-metrics.service", "usr/lib/systemd/system/portcullis-metrics.service"),
    ("portcullis.tmpfiles", "usr/lib/tmpfiles.d/portcullis.conf"),
    ("portcullis.default", CONFIGURATION),
    ("copyright", "usr/share/doc/portcullis/copyright"),
];
/// What people change, and a new version of the package keeps.
const CONFIGURATION: &str = "etc/default/portcullis";
/// What the program prints for a shell, and where that looks for it.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/portcullis"),
    ("fish", "usr/share/fish/vendor_completions.d/portcullis.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_portcullis"),
];

/// Writes the package into the folder `out`.
///
/// # Errors
///
/// The program cannot be built here, or a file cannot be read or written.
pub fn write(out: &Path) -> Result<()> {
    let environment = Environment::load()?;
    let bytes = made(&environment)?;
    fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    let file = out.join(format!("portcullis_{}_arm64.deb", env!("CARGO_PKG_VERSION")));
    fs::write(&file, &bytes).with_context(|| format!("{} cannot be written", file.display()))?;
    println!("{} ({} bytes)", file.display(), bytes.len());
    Ok(())
}

/// The package, of this checkout.
///
/// # Errors
///
/// The program cannot be built here, or a file cannot be read.
pub fn made(environment: &Environment) -> Result<Vec<u8>> {
    let setup = Command::new(environment.root.join("scripts/setup")).args(["--manager", "--quiet"]).status();
    setup.context("scripts/setup could not be started")?;
    let Some(programs) = manager::programs(environment)? else {
        bail!("this compiler has no library for static programs of Linux; scripts/setup --manager has rustup fetch it")
    };
    let said = |words: &[&str]| say(environment, words);
    let program = fs::read(&programs.manager)?;
    assemble(&environment.root.join(FOLDER), program, &said)
}

/// What the program, built for this machine, prints.
fn say(environment: &Environment, words: &[&str]) -> Result<Vec<u8>> {
    let mut cargo = Command::new(environment.get("HOST_CARGO")?);
    cargo.arg("run").current_dir(&environment.root).env("CARGO_TARGET_DIR", environment.target());
    let output = cargo.args(["--quiet", "-p", "portcullis-manager", "--"]).args(words).output()?;
    ensure!(output.status.success(), "portcullis {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

/// The package of a program that says, asked with these words, its manual page and completions.
fn assemble(folder: &Path, program: Vec<u8>, said: &dyn Fn(&[&str]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let mut files = vec![
        Entry::new("usr/bin/portcullis", true, program),
        Entry::new("usr/share/man/man8/portcullis.8.gz", false, compressed(&said(&["man"])?)?),
    ];
    for (shell, path) in COMPLETIONS {
        files.push(Entry::new(path, false, said(&["completions", shell])?));
    }
    for (name, path) in FILES {
        files.push(Entry::new(path, false, read(name)?));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let size: usize = files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum();
    let control = String::from_utf8(read("control")?).context("control is no text")?;
    let control = control.replace("@VERSION@", env!("CARGO_PKG_VERSION")).replace("@SIZE@", &size.to_string());
    let control = [
        Entry::new("control", false, control),
        Entry::new("conffiles", false, format!("/{CONFIGURATION}\n")),
        Entry::new("postinst", true, read("postinst")?),
        Entry::new("prerm", true, read("prerm")?),
    ];
    Ok(package(&control, &files)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn made() -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FOLDER);
        let said = |words: &[&str]| Ok(words.join(" ").into_bytes());
        assemble(&folder, b"\x7fELF a program".repeat(10_000), &said).unwrap()
    }

    #[test]
    fn a_package_is_the_same_again() {
        assert!(made() == made());
        assert!(made().starts_with(b"!<arch>\ndebian-binary "));
    }

    /// By Debian's own tool, where that is.
    #[test]
    fn dpkg_unpacks_it_and_finds_everything_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.deb");
        fs::write(&file, made()).unwrap();
        let dpkg = |arguments: &[&str]| {
            let output = Command::new("dpkg-deb").args(arguments).output().ok()?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        };
        let Some(control) = dpkg(&["--field", file.to_str().unwrap()]) else { return };
        for line in
            ["Package: portcullis\n", "Architecture: arm64\n", concat!("Version: ", env!("CARGO_PKG_VERSION"), "\n")]
        {
            assert!(
                control.contains(line) && !control.contains("@VERSION@") && !control.contains("@SIZE@"),
                "{control}"
            );
        }
        let listed = dpkg(&["--contents", file.to_str().unwrap()]).unwrap();
        assert!(listed.lines().all(|line| line.contains(" root/root ") && line.contains(" 1970-01-01 ")), "{listed}");
        assert!(listed.starts_with("drwxr-xr-x root/root"), "{listed}");
        let root = folder.path().join("root");
        dpkg(&["--extract", file.to_str().unwrap(), root.to_str().unwrap()]).unwrap();
        let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("usr/bin/portcullis"), mode("usr/lib/udev/rules.d/60-portcullis.rules")), (0o755, 0o644));
        let page =
            Command::new("gzip").arg("-dc").arg(root.join("usr/share/man/man8/portcullis.8.gz")).output().unwrap();
        assert_eq!(page.stdout, b"man");
        for (shell, path) in COMPLETIONS {
            assert_eq!(fs::read_to_string(root.join(path)).unwrap(), format!("completions {shell}"));
        }
        for (name, path) in FILES {
            assert!(root.join(path).exists(), "{name}");
        }
        let scripts = folder.path().join("control");
        dpkg(&["--control", file.to_str().unwrap(), scripts.to_str().unwrap()]).unwrap();
        for script in ["postinst", "prerm"] {
            let checked = Command::new("sh").arg("-n").arg(scripts.join(script)).status().unwrap();
            assert!(checked.success(), "{script}");
            assert_eq!(fs::metadata(scripts.join(script)).unwrap().permissions().mode() & 0o777, 0o755, "{script}");
        }
        let kept = fs::read_to_string(scripts.join("conffiles")).unwrap();
        assert!(kept.lines().all(|path| root.join(path.trim_start_matches('/')).exists()), "{kept}");
    }

    /// What the unit starts and the rule gives away are the program's.
    #[test]
    fn the_service_and_the_rule_speak_of_what_there_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FOLDER);
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let service = read("portcullis-metrics.service");
        assert!(service.contains("\nExecStart=/usr/bin/portcullis metrics --listen ${LISTEN}\n"));
        let port = read("portcullis.default");
        let port = port.lines().find_map(|line| line.strip_prefix("LISTEN=")).unwrap();
        assert!(service.contains(&format!("\nEnvironment=LISTEN={port}\n")) && port.parse::<u16>().is_ok());
        assert!(read("60-portcullis.rules").contains("GROUP=\"portcullis\", MODE=\"0660\""));
        assert!(read("postinst").contains("groupadd --system portcullis"));
        assert!(read("portcullis.tmpfiles").contains("f /run/portcullis.lock 0660 root portcullis"));
    }
}
