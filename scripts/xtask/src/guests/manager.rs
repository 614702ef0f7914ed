//! The program `portcullis` for a Linux that is the control VM: static, so that it runs on any of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment::Environment;

/// The target whose programs need no library.
const TARGET: &str = "aarch64-unknown-linux-musl";
/// The package, and the program in it.
const PACKAGE: &str = "portcullis-manager";
const PROGRAM: &str = "portcullis";

/// Builds the program; none where the compiler lacks the target's library (`scripts/setup --manager`).
///
/// # Errors
///
/// Cargo could not be started, or the build failed (it has said why).
pub fn program(environment: &Environment) -> Result<Option<PathBuf>> {
    if !can_be_built(environment)? {
        return Ok(None);
    }
    let target = environment.target().join("manager");
    let mut cargo = Command::new(environment.get("HOST_CARGO")?);
    cargo.args(["build", "--release", "--quiet", "--target", TARGET, "-p", PACKAGE]).current_dir(&environment.root);
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
    Ok(Some(target.join(TARGET).join("release").join(PROGRAM)))
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
