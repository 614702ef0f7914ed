//! QEMU with the firmware of `guest-images/firmware` at EL3, for tests of what the hypervisor makes of its answers.

pub mod tree;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use firmware::mode::Setting;
use firmware::place::{HYPERVISOR, MODE};

use crate::board::Board;
use crate::environment::Environment;
use crate::metal;

/// The package and program of the firmware.
pub const PROGRAM: &str = "firmware";
/// Where the bundle is loaded, above the hypervisor.
const BUNDLE: u64 = 0x6400_0000;

/// A machine that starts with the firmware.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// How the firmware behaves.
    pub setting: Setting,
    /// CPU model; none for the board's default.
    pub cpu: Option<&'a str>,
    /// Number of cores, 1 to [`firmware::cores::MOST`]; with more the firmware gives up.
    pub cores: u32,
    /// The hypervisor's image.
    pub image: &'a Path,
    /// The bundle.
    pub bundle: &'a Path,
}

impl Machine<'_> {
    /// QEMU with this machine, and with the first serial port on its standard output. The firmware must have been built
    /// ([`metal::build`]). Its image is made, and QEMU is run once for the device tree, which is written to
    /// `target/firmware.dtb`.
    ///
    /// # Errors
    ///
    /// `target/setup.env` is not complete, the firmware was not built, QEMU makes no tree, or a file cannot be read or
    /// written.
    pub fn qemu(&self, environment: &Environment) -> Result<Command> {
        let program = environment.get("QEMU")?;
        let firmware = metal::image(environment, PROGRAM)?;
        let bundle = fs::metadata(self.bundle).with_context(|| format!("{}", self.bundle.display()))?.len();
        let folder = tempfile::tempdir()?;
        let dump = dump(program, self.cpu, self.cores, &folder.path().join("dump.dtb"))?;
        let tree = environment.target().join("firmware.dtb");
        let patched = tree::patch(&dump, BUNDLE..BUNDLE + bundle).context("the device tree that QEMU makes")?;
        fs::write(&tree, patched).with_context(|| format!("{} cannot be written", tree.display()))?;
        let mut qemu = Command::new(program);
        qemu.args(self.arguments(&firmware, &tree));
        Ok(qemu)
    }

    /// QEMU's arguments: flat image of the firmware, and device tree of [`tree::patch`]. A reset ends the machine.
    pub fn arguments(&self, firmware: &Path, tree: &Path) -> Vec<String> {
        let load = |file: &Path, address| {
            format!("loader,file={},addr={address:#x},force-raw=on", option(&file.to_string_lossy()))
        };
        let mut arguments = machine(self.cpu, self.cores, "");
        arguments.extend(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"].map(str::to_owned));
        arguments.extend(["-action".to_owned(), "reboot=shutdown,shutdown=poweroff".to_owned()]);
        arguments.extend(["-bios".to_owned(), firmware.display().to_string()]);
        arguments.extend(["-dtb".to_owned(), tree.display().to_string()]);
        let mode = format!("loader,addr={:#x},data={:#x},data-len=8", MODE, self.setting.word());
        for device in [load(self.image, HYPERVISOR), load(self.bundle, BUNDLE), mode] {
            arguments.extend(["-device".to_owned(), device]);
        }
        arguments
    }
}

/// QEMU's arguments for the machine itself, with further properties of it: each begins with a comma.
fn machine(cpu: Option<&str>, cores: u32, properties: &str) -> Vec<String> {
    let machine = format!("virt,secure=on,virtualization=on,gic-version=3{properties}");
    let cpu = cpu.or(Board::QemuVirt.cpu()).unwrap_or("max");
    let cores = cores.to_string();
    let memory = format!("{}M", Board::QemuVirt.memory() >> 20);
    ["-machine", &machine, "-cpu", cpu, "-smp", &cores, "-m", &memory]
        .into_iter()
        .chain(["-display", "none", "-nic", "none", "-monitor", "none"])
        .map(str::to_owned)
        .collect()
}

/// The device tree that QEMU makes for the machine.
fn dump(qemu: &str, cpu: Option<&str>, cores: u32, file: &Path) -> Result<Vec<u8>> {
    let mut command = Command::new(qemu);
    command.args(machine(cpu, cores, &format!(",dumpdtb={}", option(&file.to_string_lossy()))));
    let output = command.output().with_context(|| format!("{qemu} could not be started"))?;
    if !output.status.success() {
        bail!("QEMU made no device tree ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    fs::read(file).context("QEMU made no device tree")
}

/// A value in a list of QEMU's, in which a comma is written twice.
fn option(value: &str) -> String {
    value.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware::mode::Mode;

    fn arguments(cpu: Option<&str>, setting: Setting) -> String {
        let machine = Machine { setting, cpu, cores: 4, image: Path::new("a,b"), bundle: Path::new("c") };
        machine.arguments(Path::new("f"), Path::new("t")).join(" ")
    }

    #[test]
    fn everything_is_loaded_where_it_is_looked_for() {
        let arguments = arguments(None, Setting { mode: Mode::Garbage, start: 3 });
        assert!(arguments.contains("-bios f -dtb t "), "{arguments}");
        assert!(arguments.contains("loader,file=a,,b,addr=0x7ffc0000,force-raw=on"), "{arguments}");
        assert!(arguments.contains("loader,file=c,addr=0x64000000,force-raw=on"), "{arguments}");
        assert!(arguments.contains("loader,addr=0x5ff00000,data=0x300000001,data-len=8"), "{arguments}");
    }

    #[test]
    fn the_tree_is_that_of_the_same_machine() {
        let run = arguments(Some("cortex-a72"), Mode::Honest.into());
        let dump = machine(Some("cortex-a72"), 4, "").join(" ");
        assert!(run.starts_with(&dump), "{run}");
        assert!(dump.contains("secure=on,virtualization=on,gic-version=3 -cpu cortex-a72 -smp 4 "), "{dump}");
        assert!(machine(None, 1, ",dumpdtb=x").join(" ").contains("gic-version=3,dumpdtb=x -cpu max,"));
    }
}
