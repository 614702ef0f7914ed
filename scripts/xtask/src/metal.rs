//! Builds the bare-metal programs: the hypervisor and the guests written here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment::Environment;
use crate::errata::mend::mend;

/// The target of everything that runs on the bare machine.
pub const TARGET: &str = "aarch64-unknown-none-softfloat";
/// The hypervisor's package and program.
pub const HYPERVISOR: &str = "portcullis";
/// Packages of the bare-metal programs.
pub const PACKAGES: [&str; 8] = [HYPERVISOR, "bench", "clocks", "conformance", "firmware", OPS, "phc", "vmm"];

/// The control VM's shell.
pub const OPS: &str = "ops";
/// The shell with the commands for tests.
pub const OPS_TESTING: &str = "ops-testing";

/// A cargo command for the bare-metal target, with everything that the chosen compiler needs.
///
/// # Errors
///
/// `target/setup.env` is not complete.
pub fn cargo(environment: &Environment, subcommand: &str) -> Result<Command> {
    let cargo = Path::new(environment.get("METAL_CARGO")?);
    let mut command = match subcommand {
        // Asked for clippy, cargo would take the one of another toolchain that is installed for this user.
        "clippy" => Command::new(cargo.with_file_name("cargo-clippy")),
        _ => Command::new(cargo),
    };
    command.arg(subcommand).current_dir(&environment.root).args(["--target", TARGET]);
    // Whatever compiler runs this tool must not reach the one that is asked for here.
    for name in ["RUSTDOC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(name);
    }
    command.env("CARGO", cargo).env("RUSTC", environment.get("METAL_RUSTC")?);
    command.env("CARGO_TARGET_DIR", target(environment, HYPERVISOR));
    command.env("CARGO_TARGET_AARCH64_UNKNOWN_NONE_SOFTFLOAT_LINKER", environment.get("METAL_LINKER")?);
    command.env("CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY", "never");
    match environment.get("METAL_KIND")? {
        "target" => {}
        // The library's source belongs to exactly this compiler, so its unstable interface fits.
        "build-std" => _ = command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=core,alloc,compiler_builtins"),
        other => bail!("target/setup.env has METAL_KIND '{other}': run scripts/setup again"),
    }
    Ok(command)
}

/// Builds every bare-metal program.
///
/// # Errors
///
/// Cargo could not be started, or the build failed (it has said why).
pub fn build(environment: &Environment) -> Result<()> {
    let mut cargo = cargo(environment, "build")?;
    cargo.args(["--release"]).args(PACKAGES.iter().flat_map(|package| ["-p", package]));
    if program(environment, HYPERVISOR).exists() {
        cargo.arg("--quiet");
    } else {
        eprintln!("xtask: first build for {TARGET}, about a minute");
    }
    run(&mut cargo)
}

/// Builds the shell with the commands for tests, beside the one without them.
///
/// # Errors
///
/// As for [`build`].
pub fn build_ops_testing(environment: &Environment) -> Result<()> {
    let mut cargo = cargo(environment, "build")?;
    cargo.args(["--release", "--quiet", "-p", OPS, "--features", "testing"]);
    // In a folder of its own, as its file has the name of the other's.
    run(cargo.env("CARGO_TARGET_DIR", target(environment, OPS_TESTING)))
}

fn run(cargo: &mut Command) -> Result<()> {
    let status = cargo.status().with_context(|| format!("{} could not be started", cargo.get_program().display()))?;
    if !status.success() {
        bail!("the build for {TARGET} failed ({status})");
    }
    Ok(())
}

/// The ELF file of a bare-metal program.
pub fn program(environment: &Environment, name: &str) -> PathBuf {
    let package = if name == OPS_TESTING { OPS } else { name };
    target(environment, name).join(TARGET).join("release").join(package)
}

/// Where the raw image of a bare-metal program is made.
pub fn image_path(environment: &Environment, name: &str) -> PathBuf {
    environment.target().join(format!("{name}.img"))
}

/// The raw image of a bare-metal program, made from its ELF file.
///
/// # Errors
///
/// The ELF file cannot be read or does not flatten, or the image cannot be written.
pub fn image(environment: &Environment, name: &str) -> Result<PathBuf> {
    let elf = program(environment, name);
    let image = image_path(environment, name);
    flatten(&elf, &image).with_context(|| format!("{} does not become an image", elf.display()))?;
    Ok(image)
}

fn flatten(elf: &Path, image: &Path) -> Result<()> {
    let mut elf = fs::read(elf)?;
    mend(&mut elf)?;
    fs::write(image, crate::flatten::flatten(&elf)?)?;
    Ok(())
}

/// Where a program and all that it is made of is built.
fn target(environment: &Environment, name: &str) -> PathBuf {
    environment.target().join(if name == OPS_TESTING { "metal-testing" } else { "metal" })
}
