//! `scripts/run`: builds, makes the bundle, boots it, and sums up what the guests found.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail, ensure};
use portcullis_platform::early_console::Record;

use crate::board::{Board, Files, Flash, Hardware};
use crate::defect::Defect;
use crate::device_trees::DeviceTrees;
use crate::el3::El3;
use crate::environment::Environment;
use crate::firmware::{self, Firmware};
use crate::guests::Guests;
use crate::loaders::Loader;
use crate::machine::report::Reports;
use crate::machine::rows::Joined;
use crate::machine::terminal::{self, Raw};
use crate::machine::{self, End, Keyboard, Next, Watcher, summary};
use crate::options::Run;
use crate::raspberry_pi;
use crate::{cpu, devices, metal, ram, test_firmware, xilinx_tree};
use system::{Board as Limits, Manifest, bundle};

/// When a run ends at which nobody is watching.
const TIMEOUT: Duration = Duration::from_secs(300);
/// What the init script of the Linux guests and the script of the control VM take as the wish to power off in the end.
pub const EXIT_PARAMETER: &str = "portcullis.exit";
/// Start of the line with which the hypervisor gives up.
pub const PANIC: &str = "portcullis: panic";

/// Runs the command.
///
/// # Errors
///
/// The build, the manifest, QEMU, or a run that did not end as it should.
pub fn run(options: &Run) -> Result<()> {
    let environment = Environment::load()?;
    let interactive = terminal::interactive();
    let demo = environment.root.join("scripts/manifests").join(options.hardware.board.demonstration());
    let path = options.manifest.as_deref().unwrap_or(&demo);
    let cpu = options.cpu.as_deref();
    let build = |limits: &Limits| {
        let mut system = System::build_for(&environment, options.hardware, limits, path, !interactive, "bundle.img")?;
        system.prepare(&environment, None)?;
        if let Some(port) = &options.early_console {
            system.name_early_console(port)?;
        }
        anyhow::Ok(system)
    };
    let mut limits = System::limits(options.hardware, cpu);
    let mut system = build(&limits)?;
    let qemu = |system: &System| {
        let mut qemu = system.qemu(&environment, cpu)?;
        qemu.args(&options.qemu_arguments);
        anyhow::Ok(qemu)
    };
    // The firmware for tests makes a tree of its own.
    if !matches!(options.hardware.el3, El3::Test(_)) {
        limits.devices = devices::check(qemu(&system)?, &system.bundle, &environment.target())?;
    }
    // Where they are is known now, and what is emulated there has its place elsewhere.
    if !limits.devices.is_empty() {
        system = build(&limits)?;
    }
    let qemu = qemu(&system)?;
    let mut console = Console {
        reports: Reports::new(system.reporting),
        interactive,
        panicked: false,
        summed_up: false,
        joined: Joined::default(),
    };
    let timeout = options.timeout.or((!interactive).then_some(TIMEOUT));
    let raw = if interactive {
        eprintln!("xtask: all keys go to the machine; Ctrl-] is the hypervisor's escape key, Ctrl-] q powers off");
        Some(Raw::enter()?)
    } else {
        None
    };
    let end = machine::run(qemu, if interactive { Keyboard::Person } else { Keyboard::None }, timeout, &mut console);
    drop(raw);
    show(&console.joined.finish());
    verdict(&end?, timeout, &console)
}

/// What a run comes to.
fn verdict(end: &End, timeout: Option<Duration>, console: &Console) -> Result<()> {
    match end {
        End::PowerOff if console.panicked => bail!("the hypervisor gave up; its last lines say why"),
        // A person may power off whenever they like.
        End::PowerOff if console.interactive || console.reports.missing().is_empty() => Ok(()),
        End::PowerOff => bail!(
            "the machine is off, but these VMs did not finish their checks: {}",
            console.reports.missing().join(", ")
        ),
        End::Timeout => bail!(
            "the machine was still running after {} s and was ended; --timeout SECONDS gives it more time",
            timeout.unwrap_or_default().as_secs()
        ),
        End::Broken(status) => bail!("QEMU ended with {status}"),
        End::Stopped => Err(anyhow!("the run was stopped")),
    }
}

/// A system that is built: image, bundle and, if there is one, the firmware below them.
#[derive(Debug)]
pub struct System {
    hardware: Hardware,
    firmware: Option<Firmware>,
    raspberry_pi: Option<raspberry_pi::Files>,
    tree: Option<PathBuf>,
    loader: Option<Vec<String>>,
    /// The hypervisor's image.
    pub image: PathBuf,
    /// The bundle.
    pub bundle: PathBuf,
    /// The VMs whose init script reports what it finds.
    pub reporting: Vec<String>,
}

impl System {
    /// Builds all of it, for this CPU model if it is not the board's own; with `exit` the Linux guests power off after their
    /// checks, the control VM after its script.
    ///
    /// # Errors
    ///
    /// The build or the manifest.
    pub fn build(
        environment: &Environment,
        hardware: Hardware,
        cpu: Option<&str>,
        manifest: &Path,
        exit: bool,
        bundle: &str,
    ) -> Result<Self> {
        Self::build_for(environment, hardware, &Self::limits(hardware, cpu), manifest, exit, bundle)
    }

    /// What is known of `hardware` with this CPU model, or its own, before it is started.
    pub fn limits(hardware: Hardware, cpu: Option<&str>) -> Limits {
        Limits {
            name: hardware.board.name().to_owned(),
            cores: hardware.cores,
            memory: hardware.board.memory(),
            forwards: hardware.el3 != El3::None,
            time: hardware.board.knows_time(),
            cpu: cpu::known(hardware.board, cpu),
            ram: ram::of(hardware.board, hardware.el3),
            devices: Vec::new(),
        }
    }

    /// As [`System::build`], for a board of which `limits` is known.
    ///
    /// # Errors
    ///
    /// As [`System::build`].
    pub fn build_for(
        environment: &Environment,
        hardware: Hardware,
        limits: &Limits,
        manifest: &Path,
        exit: bool,
        bundle: &str,
    ) -> Result<Self> {
        metal::build(environment)?;
        let image = metal::image(environment, metal::HYPERVISOR)?;
        let guests = Guests::new(environment);
        let board = hardware.board;
        let mut manifest = Manifest::load(manifest, limits, &guests).map_err(|report| {
            // It names the file and the line itself, in the form that editors understand.
            eprintln!("{report}");
            anyhow!("the manifest is not right, so nothing was made of it")
        })?;
        let mut reporting = Vec::new();
        let controlled = manifest.control.is_some();
        for vm in &mut manifest.vms {
            if exit && guests.exits(vm) {
                vm.cmdline = format!("{} {EXIT_PARAMETER}", vm.cmdline);
            }
            // What does not start by itself is started by the control VM.
            if guests.reports(vm) && (vm.settings.autostart || controlled) {
                reporting.push(vm.name.clone());
            }
        }
        let firmware = match hardware.el3 {
            // The one for tests is part of every build.
            El3::None | El3::Test(_) => None,
            El3::TfA if board != Board::QemuVirt => None,
            El3::TfA => Some(firmware::tf_a(environment, hardware.gic)?),
        };
        let bundle = environment.target().join(bundle);
        bundle::write(&manifest, &bundle).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { hardware, firmware, raspberry_pi: None, tree: None, loader: None, image, bundle, reporting })
    }

    /// Makes what a machine that is no `virt` needs beside image and bundle; on a Raspberry Pi with a tree that is wrong on
    /// purpose.
    ///
    /// # Errors
    ///
    /// Those of [`raspberry_pi::Files::make`] and [`DeviceTrees::of_debian`].
    pub fn prepare(&mut self, environment: &Environment, defect: Option<Defect>) -> Result<()> {
        let Hardware { board, el3, .. } = self.hardware;
        if board == Board::Raspi4b {
            self.raspberry_pi = Some(raspberry_pi::Files::make(environment, el3, &self.bundle, defect)?);
        }
        if let Some(name) = board.device_tree() {
            let tree = DeviceTrees::of_debian(environment)?.file(name)?;
            self.tree = Some(match defect {
                None => tree,
                Some(defect) => xilinx_tree::make(&tree, &environment.target().join("test"), defect)?,
            });
        }
        Ok(())
    }

    /// Has the image name this serial port as the console; the image as it is built stays as it is.
    ///
    /// # Errors
    ///
    /// The image cannot be read or written, or has no place for that.
    pub fn name_early_console(&mut self, port: &Record) -> Result<()> {
        let mut image = fs::read(&self.image)?;
        ensure!(port.put_into(&mut image), "{} has no place for an early console", self.image.display());
        self.image.set_extension("early.img");
        fs::write(&self.image, image).with_context(|| format!("{} cannot be written", self.image.display()))
    }

    /// Has a boot loader start the system, instead of QEMU, with image and bundle as they are now.
    ///
    /// # Errors
    ///
    /// Those of [`Loader::arguments`], or QEMU does not tell its device tree.
    pub fn start_by(&mut self, environment: &Environment, loader: Loader, cpu: Option<&str>) -> Result<()> {
        let tree = match loader.wants_tree() {
            false => None,
            true => {
                let folder = environment.target().join("test");
                let blob = devices::dump(self.qemu(environment, cpu)?, &folder)?.context("QEMU made no device tree")?;
                let file = folder.join("machine.dtb");
                fs::write(&file, blob).with_context(|| format!("{} cannot be written", file.display()))?;
                Some(file)
            }
        };
        self.loader = Some(loader.arguments(environment, &self.image, &self.bundle, tree.as_deref())?);
        Ok(())
    }

    /// QEMU with this system.
    ///
    /// # Errors
    ///
    /// `target/setup.env` is not complete, or image and bundle have no room above the firmware.
    pub fn qemu(&self, environment: &Environment, cpu: Option<&str>) -> Result<Command> {
        if let El3::Test(setting) = self.hardware.el3 {
            let cores = self.hardware.cores;
            return test_firmware::Machine { setting, cpu, cores, image: &self.image, bundle: &self.bundle }
                .qemu(environment);
        }
        let mut qemu = Command::new(environment.get("QEMU")?);
        let firmware = self.firmware.as_ref().map(|firmware| self.flash(firmware)).transpose()?;
        let raspberry_pi = self.raspberry_pi.as_ref();
        let tree = self.tree.as_deref();
        let loader = self.loader.as_deref();
        let files = Files { image: &self.image, bundle: &self.bundle, firmware, raspberry_pi, tree, loader };
        qemu.args(self.hardware.qemu_arguments(cpu, &files));
        Ok(qemu)
    }

    fn flash<'a>(&self, firmware: &'a Firmware) -> Result<Flash<'a>> {
        let bundle = fs::metadata(&self.bundle)?.len();
        let bundle_address =
            firmware::place::bundle(&fs::read(&self.image)?, bundle, self.hardware.board.memory_end())?;
        Ok(Flash { content: &firmware.flash, image_address: firmware::place::IMAGE, bundle_address })
    }
}

/// Shows the console and collects the reports in it.
struct Console {
    reports: Reports,
    interactive: bool,
    panicked: bool,
    summed_up: bool,
    joined: Joined,
}

impl Console {
    fn sum_up(&mut self) {
        show(&self.joined.finish());
        // In a raw terminal a line feed does not lead to the start of the line.
        let end = if self.interactive { "\r\n" } else { "\n" };
        let mut text = end.to_owned();
        for line in summary::table(&self.reports) {
            text = text + &line + end;
        }
        if self.interactive {
            text = text
                + end
                + "The guests stay up: Ctrl-] 1, Ctrl-] 2, ... attach the keyboard, Ctrl-] 0 detaches it, Ctrl-] q powers off."
                + end;
        }
        show(text.as_bytes());
        self.summed_up = true;
    }
}

impl Watcher for Console {
    fn bytes(&mut self, bytes: &[u8]) {
        // What is no terminal has no width.
        if self.interactive {
            show(bytes);
        } else {
            show(&self.joined.push(bytes));
        }
    }

    fn line(&mut self, line: &str) -> Next {
        self.panicked |= line.starts_with(PANIC);
        self.reports.take(line, SystemTime::now());
        if self.reports.complete() && !self.summed_up {
            self.sum_up();
        }
        Next::Continue
    }

    fn longer(&mut self, line: &str) -> Next {
        self.line(line)
    }
}

/// Writes to standard output; whoever closed it gets no more, and the run goes on.
fn show(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    _ = out.write_all(bytes).and_then(|()| out.flush()).context("standard output");
}
