//! The program `portcullis` for a Linux that is the control VM, and the shell's script for tests of its port: static, so that they
//! run on any of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment::Environment;

/// The target whose programs need no library.
const TARGET: &str = "aarch64-unknown-linux-musl";
/// The package of the program.
const PACKAGE: &str = "portcullis-manager";
/// The package of the script, and its feature.
const SCRIPT: [&str; 2] = ["ops-by-port", "ops-by-port/testing"];

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
    let target = environment.target().join("manager");
    let mut cargo = Command::new(environment.get("HOST_CARGO")?);
    cargo.args(["build", "--release", "--quiet", "--target", TARGET, "-p", PACKAGE]).current_dir(&environment.root);
    cargo.args(["-p", SCRIPT[0], "--features", SCRIPT[1]]);
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
    let release = target.join(TARGET).join("release");
    Ok(Some(Programs { manager: release.join("portcullis"), script: release.join("ops-by-port") }))
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
