//! The program `portcullis` for a Linux that is the control VM, and the shell's script for tests of its port: static, so that they
//! run on any of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::environment::Environment;

/// The target whose programs need no library.
const TARGET: &str = "aarch64-unknown-linux-musl";
/// The package of the program.
const PACKAGE: &str = "portcullis-manager";
/// The package of the script, and its feature.
const SCRIPT: [&str; 2] = ["ops-by-port", "ops-by-port/testing"];
/// What the guests of another hypervisor do by their links.
const PEER_LINKS: &str = "peer-links";

/// The programs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `portcullis`.
    pub manager: PathBuf,
    /// The shell's script, with the commands for tests.
    pub script: PathBuf,
}

/// Builds the programs; none where the compiler lacks the target's library (`scripts/setup --manager`).
///
/// # Errors
///
/// Cargo could not be started, or the build failed (it has said why).
pub fn programs(environment: &Environment) -> Result<Option<Programs>> {
    if !can_be_built(environment)? {
        return Ok(None);
    }
    let release = build(environment, &["-p", PACKAGE, "-p", SCRIPT[0], "--features", SCRIPT[1]])?;
    Ok(Some(Programs { manager: release.join("portcullis"), script: release.join("ops-by-port") }))
}

/// Builds the program that does another hypervisor's guests' work while it is counted.
///
/// # Errors
///
/// As for [`programs`], or the compiler lacks the target's library.
pub fn peer_links(environment: &Environment) -> Result<PathBuf> {
    if !can_be_built(environment)? {
        let setup = Command::new(environment.root.join("scripts/setup")).args(["--manager", "--quiet"]).status();
        ensure!(setup.is_ok_and(|status| status.success()), "scripts/setup --manager failed");
    }
    ensure!(can_be_built(environment)?, "the compiler lacks the library of {TARGET} (scripts/setup --manager)");
    Ok(build(environment, &["-p", PEER_LINKS])?.join(PEER_LINKS))
}

/// Builds packages, and says where their programs are.
fn build(environment: &Environment, packages: &[&str]) -> Result<PathBuf> {
    let target = environment.target().join("manager");
    let mut cargo = Command::new(environment.get("HOST_CARGO")?);
    cargo.args(["build", "--release", "--quiet", "--target", TARGET]).args(packages).current_dir(&environment.root);
    // Whatever compiler runs this tool must not reach the one that is asked for here.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(name);
    }
    // It travels in RAM disks and packages: without what a debugger would want.
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    cargo.env("RUSTC", environment.get("HOST_RUSTC")?).env("CARGO_TARGET_DIR", &target);
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", environment.get("METAL_LINKER")?);
    let status = cargo.status().context("cargo could not be started")?;
    if !status.success() {
        bail!("the build for {TARGET} failed ({status})");
    }
    Ok(target.join(TARGET).join("release"))
}

/// Whether the host's compiler has the target's library.
///
/// # Errors
///
/// The compiler does not run.
pub fn can_be_built(environment: &Environment) -> Result<bool> {
    let rustc = environment.get("HOST_RUSTC")?;
    let asked = Command::new(rustc).args(["--print", "sysroot"]).current_dir(&environment.root).output();
    let root = asked.with_context(|| format!("{rustc} could not be started"))?;
    let root = String::from_utf8(root.stdout).context("the compiler's folder is no text")?;
    let library = Path::new(root.trim()).join("lib/rustlib").join(TARGET).join("lib");
    Ok(library.is_dir())
}
