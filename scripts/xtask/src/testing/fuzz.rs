//! The fuzz targets of `fuzz/`, each for a bounded time: what reads foreign bytes, with bytes that nobody has thought of.
//!
//! They are built as `cargo fuzz` builds them. The policy crates forbid `unsafe`, so that no sanitizer is among it.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use portcullis_abi::map::FLASH_BLOCK;
use system::{Board, Images, Manifest, bundle};

use super::filter::Filter;
use super::nightly::Nightly;
use super::tally::Tally;
use crate::environment::Environment;

/// The targets. Those that read sequences of steps begin with nothing, or with what [`KEPT`] has of earlier runs.
const TARGETS: [&str; 13] = [
    "tree", "bundle", "manifest", "gate", "vgic-v2", "vgic-v3", "uart", "flash", "virtio", "links", "controls",
    "stream", "images",
];
/// Where inputs are kept that together reach what long runs have reached, by target, if there are any.
const KEPT: &str = "fuzz/corpus";
/// What a target says of the operations at rings that it has come to; the last line counts.
const OPERATIONS: &str = "ring operations: ";
/// Seconds for each target, and the variable of the environment that says otherwise.
const SECONDS: u64 = 10;
const VARIABLE: &str = "FUZZ_SECONDS";
/// What makes libFuzzer see which way the code takes.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs the targets.
///
/// # Errors
///
/// A seed cannot be read or written, or the variable is no number of seconds.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let targets: Vec<&str> = TARGETS.into_iter().filter(|name| filter.selects("fuzz", name)).collect();
    if targets.is_empty() {
        return Ok(());
    }
    let seconds = seconds()?;
    let Some(nightly) = Nightly::find(environment, "fuzz", tally)? else { return Ok(()) };
    let folder = environment.target().join("fuzz");
    let start = Instant::now();
    let mut build = nightly.cargo("build");
    // With a target named, build scripts and macros are not instrumented.
    let host = nightly.host()?;
    build.args(["--quiet", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
    build.args(targets.iter().flat_map(|name| ["--bin", name]));
    build.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder);
    let status = build.status().context("rustup could not be started")?;
    if !status.success() {
        tally.fail("fuzz", &format!("the targets cannot be built ({status})"));
        return Ok(());
    }
    eprintln!("xtask: the fuzz targets are built, {:.1} s; {seconds} s each", start.elapsed().as_secs_f64());
    for name in targets {
        let program = folder.join(&host).join("release").join(name);
        fuzz(environment, &folder, &program, name, seconds, tally)?;
    }
    Ok(())
}

/// How long each target runs.
fn seconds() -> Result<u64> {
    let Ok(text) = env::var(VARIABLE) else { return Ok(SECONDS) };
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(seconds),
        _ => bail!("{VARIABLE}={text}: expected seconds for each fuzz target, 1 to 86400"),
    }
}

/// One target: seeds and what earlier runs have found, then new inputs until the time is over.
fn fuzz(
    environment: &Environment,
    folder: &Path,
    program: &Path,
    name: &str,
    seconds: u64,
    tally: &mut Tally,
) -> Result<()> {
    let [seeds, corpus, found] = ["seeds", "corpus", "found"].map(|kind| folder.join(kind).join(name));
    for folder in [&seeds, &corpus, &found] {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    plant(environment, name, &seeds)?;
    let start = Instant::now();
    let mut command = Command::new(program);
    command.arg(&corpus).arg(&seeds).arg(format!("-artifact_prefix={}/", found.display()));
    command.arg(format!("-max_total_time={seconds}"));
    command.args(["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"]);
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let inputs = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let inputs = inputs.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    if output.status.success() && inputs > 0 {
        let operations = text.lines().filter_map(|line| line.strip_prefix(OPERATIONS)).next_back();
        let operations = operations.map_or_else(String::new, |count| format!(", {count} ring operations"));
        tally.pass(&format!("fuzz {name}: {inputs} inputs{operations}"), start.elapsed());
    } else {
        let last: Vec<&str> = text.lines().rev().take(30).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        let text = last.join("\n");
        tally.fail(&format!("fuzz {name}"), &format!("{} after {inputs} inputs:\n{text}", output.status));
    }
    Ok(())
}

/// Puts files into the folder of a target's seeds: what is kept of earlier runs, and real files, which are device trees of boards,
/// the manifests, bundles that are made of them.
fn plant(environment: &Environment, name: &str, seeds: &Path) -> Result<()> {
    let kept = environment.root.join(KEPT).join(name);
    if kept.is_dir() {
        for entry in fs::read_dir(&kept).with_context(|| format!("{} cannot be read", kept.display()))? {
            let path = entry?.path();
            let file = path.file_name().context("a file has a name")?;
            fs::copy(&path, seeds.join(file)).with_context(|| format!("{} cannot be copied", path.display()))?;
        }
    }
    let (folder, extension) = match name {
        "tree" => ("platform/tests/data", "dtb"),
        "bundle" | "manifest" => ("scripts/manifests", "toml"),
        _ => return Ok(()),
    };
    let folder = environment.root.join(folder);
    let mut planted = 0_usize;
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        let (Some(stem), true) = (path.file_stem(), path.extension().is_some_and(|found| found == extension)) else {
            continue;
        };
        let seed = seeds.join(stem);
        if name == "bundle" {
            // Those that are wrong on purpose become none.
            let Some(bytes) = bundle_of(&path, seeds)? else { continue };
            fs::write(&seed, bytes)?;
        } else {
            fs::copy(&path, &seed).with_context(|| format!("{} cannot be copied", path.display()))?;
        }
        planted = planted.saturating_add(1);
    }
    if planted == 0 {
        bail!("no file of {} became a seed of {name}", folder.display());
    }
    Ok(())
}

/// The bundle of a manifest, each of whose images is the same small file.
fn bundle_of(manifest: &Path, folder: &Path) -> Result<Option<Vec<u8>>> {
    let guests = AnyGuest::new(folder)?;
    let board = Board {
        name: "qemu-virt".to_owned(),
        cores: 8,
        memory: 2 << 30,
        forwards: true,
        time: true,
        cpu: None,
        ram: None,
        devices: Vec::new(),
    };
    let Ok(manifest) = Manifest::load(manifest, &board, &guests) else { return Ok(None) };
    let bundle = bundle::Bundle::new(&manifest)?;
    Ok(Some(bundle.parts().flatten().copied().collect()))
}

/// Known guests, each of which is a small file, and what they have in their flash, a block of it.
pub(super) struct AnyGuest {
    image: tempfile::NamedTempFile,
    flash: tempfile::NamedTempFile,
}

impl AnyGuest {
    /// Their files are in `folder`, as long as this is there.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let file = |size| {
            let file = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(file.path(), vec![0x14; size])?;
            Ok::<_, std::io::Error>(file)
        };
        Ok(Self { image: file(64)?, flash: file(usize::try_from(FLASH_BLOCK)?)? })
    }
}

impl Images for AnyGuest {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn kernel(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(Some(self.image.path().to_owned()))
    }

    fn initrd(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }

    fn flash(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(Some(self.flash.path().to_owned()))
    }

    fn disk(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(Some(self.flash.path().to_owned()))
    }
}
