//! Builds TF-A in a folder of its own. What is built comes to its place in one step, so a build that was interrupted
//! leaves nothing that looks like a result.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, thread};

use anyhow::{Context, Result, bail, ensure};

use super::flash;
use super::recipe::{GOALS, Recipe};
use super::source::Source;
use crate::apt::only;
use crate::machine;

/// Files of a result: the flash, BL31 with its symbols, and the recipe that they were made by.
pub const FLASH: &str = "fw.bin";
pub const BL31: &str = "bl31.elf";
pub const RECIPE: &str = "recipe";
/// Lines of the log in a message.
const TAIL: usize = 12;

/// Builds `recipe` from `source` and `glue`, and puts the result to `place`. Everything else happens in `folder`.
///
/// # Errors
///
/// The source does not unpack, or make fails; the message has the log's last lines and its name.
pub fn build(recipe: &Recipe, source: &Source, glue: &Path, folder: &Path, place: &Path) -> Result<()> {
    let (start, title) = (Instant::now(), recipe.title());
    ensure!(
        !folder.to_string_lossy().contains(char::is_whitespace),
        "make cannot work in {}: its name has a space",
        folder.display()
    );
    eprintln!("xtask: building {title}, some seconds");
    let work = folder.join("build");
    empty(&work)?;
    let log = folder.join(format!("{}.log", recipe.name()));
    let mut file = File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
    let mut run = |command: &mut Command| run(command, &mut file, &log);

    let mut tar = command("tar");
    run(tar.arg("-xf").arg(&source.tarball).arg("-C").arg(&work))?;
    let tree = only(&work, "")?;
    let out = work.join("out");
    let mut make = command("make");
    // In the environment it is what TF-A's makefiles add their own files to; as make's argument it would be all.
    make.env("BL31_SOURCES", glue).current_dir(&tree);
    make.arg(format!("-j{}", thread::available_parallelism().map_or(1, usize::from)));
    make.arg(format!("BUILD_BASE={}", out.display())).args(recipe.variables()).args(GOALS);
    run(&mut make)?;

    let built = out.join("qemu/release");
    let read = |name: &str| fs::read(built.join(name)).with_context(|| format!("the build made no {name}"));
    let result = work.join("result");
    fs::create_dir(&result)?;
    fs::write(result.join(FLASH), flash::join(&read("bl1.bin")?, &read("fip.bin")?)?)?;
    fs::write(result.join(BL31), read("bl31/bl31.elf")?)?;
    fs::write(result.join(RECIPE), recipe.text())?;
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::rename(&result, place).with_context(|| format!("{} cannot be written", place.display()))?;
    fs::remove_dir_all(&work)?;
    eprintln!("xtask: {title} is built, {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// A program that sees nothing of this process's environment but where programs are: CC, CFLAGS, MAKEFLAGS and others
/// would be followed.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C.UTF-8");
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs a command with its output in the log.
fn run(command: &mut Command, file: &mut File, log: &Path) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file.try_clone()?);
    machine::end_with_parent(command);
    let status = command.status().with_context(|| format!("{name} could not be started"))?;
    if !status.success() {
        let text = fs::read(log).unwrap_or_default();
        bail!(
            "{name} failed ({status}); the last lines of {}:\n{}",
            log.display(),
            tail(&String::from_utf8_lossy(&text))
        );
    }
    Ok(())
}

/// The last lines of a log.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(TAIL)).map(|line| format!("  {line}\n")).collect()
}

/// Makes `folder` and takes away whatever is in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Result<()> {
        let mut file = File::create(log).unwrap();
        run(command("sh").args(["-c", script]), &mut file, log)
    }

    #[test]
    fn a_failure_shows_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("tf-a.log");
        shell("echo fine", &log).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "fine\n");
        let error =
            shell("for i in $(seq 100 130); do echo out $i; done; echo; echo why >&2; exit 3", &log).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("sh failed (exit status: 3)") && error.contains("tf-a.log"), "{error}");
        assert!(error.ends_with("  out 130\n  why\n"), "{error}");
        assert!(error.contains("out 120") && !error.contains("out 119"), "{error}");
    }

    #[test]
    fn the_environment_stays_outside() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        shell("env", &log).unwrap();
        let seen = fs::read_to_string(&log).unwrap();
        assert!(!seen.contains("CARGO") && seen.contains("PATH="), "{seen}");
    }
}
