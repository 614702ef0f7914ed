//! Command lines of `scripts/run`, `scripts/test`, `scripts/bench` and `scripts/image`.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_abi::map::MAX_VCPUS;
use portcullis_platform::early_console::Record;

use crate::board::{Board, Gic, Hardware};
use crate::el3::El3;

/// What is printed for `--help`.
pub const USAGE: &str = "\
usage:
  scripts/setup [--quiet] [--tf-a] [--deny] [--fuzz] [--coverage] [--nbd] [--header] [--manager]
  scripts/run [--board qemu-virt|raspi4b|zcu102|versal] [--manifest FILE] [--gic 2|3] [--cpu MODEL]
              [--cores N] [--el3 none|tf-a] [--early-console PORT] [--timeout SECONDS] [-- QEMU ARGS]
  scripts/test [FILTER | boards [--all]]
  scripts/bench [--peers] [--docs] [--accept] [--profile] [--links]
  scripts/image --board qemu-virt|rpi4|rpi5|zcu102|versal|imx8mp --manifest FILE --out DIR
                [--u-boot [--tree FILE]] [--early-console PORT]
  scripts/image --picture FILE --manifest FILE [--board BOARD]
  scripts/image --package DIR
--cores is 1 to 8, --cpu a model of QEMU (cortex-a72); the other boards have their own. --el3 tf-a has Arm
Trusted Firmware-A below the hypervisor: for qemu-virt the first such run builds it from Debian's source and calls
setup --tf-a, which installs what is missing for that; for raspi4b it is Debian's binary. FILTER is a part of the tests'
names; boards are the machines of README.md, with --all every test of a board. Two parts run only if it names them:
\"miri \", and \"fuzz \", for FUZZ_SECONDS of the environment each, 10 otherwise.
PORT is NAME@ADDRESS or NAME@ADDRESS,REG-SHIFT,REG-IO-WIDTH: the console whatever the device tree says
(docs/bring-up.md).
image: --picture draws a system, --package writes the program portcullis as a Debian package; --u-boot writes a FIT and
an extlinux.conf too; the FIT has the device tree FILE, else U-Boot hands over its own.
bench: --peers measures Xen and KVM too, --docs writes docs/numbers.md, --accept lowers the bounds to what was reached,
--profile tells where the boot's instructions go, --links measures what lies between VMs, alone, with --peers KVM's too, and
with --profile tells where those instructions go. Manifests to start from:
scripts/manifests.";

/// What is printed when a command line is wrong: how the script named `command` is called, out of [`USAGE`], and where the rest
/// is; all of it for what is no script.
pub fn usage(command: &str) -> String {
    let calls = calls(command);
    if calls.is_empty() {
        return USAGE.to_owned();
    }
    format!("usage:\n{}\nscripts/{command} --help says what they do", calls.join("\n"))
}

/// The lines of [`USAGE`] that show how `command` is called.
fn calls(command: &str) -> Vec<&'static str> {
    let begin = format!("  scripts/{command} ");
    let mut own = false;
    let shown = USAGE.lines().skip(1).take_while(|line| line.starts_with(' '));
    shown
        .filter(|line| {
            // What goes on is further in.
            own = if line.starts_with("   ") { own } else { line.starts_with(&begin) };
            own
        })
        .collect()
}

/// Whether [`USAGE`] shows `command` with `option`.
fn takes(command: &str, option: &str) -> bool {
    let word = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
    calls(command).iter().any(|line| line.split(word).any(|shown| shown == option))
}

/// One command with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `scripts/run`.
    Run(Run),
    /// `scripts/test`.
    Test(Test),
    /// `scripts/bench`.
    Bench(Bench),
    /// `scripts/image`.
    Image(Image),
    /// `scripts/image --picture`.
    Picture(Picture),
    /// `scripts/image --package`: the folder for it.
    Package(PathBuf),
    /// `--help`.
    Help,
}

/// Options of `scripts/run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What is emulated.
    pub hardware: Hardware,
    /// The manifest; none for the demonstration.
    pub manifest: Option<PathBuf>,
    /// QEMU's name of the CPU model; none for the board's default.
    pub cpu: Option<String>,
    /// The serial port that the image itself names.
    pub early_console: Option<Record>,
    /// When QEMU is ended; none for the default of the kind of run.
    pub timeout: Option<Duration>,
    /// Arguments passed on to QEMU.
    pub qemu_arguments: Vec<String>,
}

/// Options of `scripts/test`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// A part of the names of the tests to run, or `boards`.
    pub filter: Option<String>,
    /// Of the tests of boards, all.
    pub all: bool,
}

/// Options of `scripts/bench`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bench {
    /// Measures floor, Xen and KVM as well.
    pub peers: bool,
    /// Writes `docs/numbers.md`.
    pub docs: bool,
    /// Lowers the bounds to what is reached.
    pub accept: bool,
    /// Nothing but the way to the first guest, by function.
    pub profile: bool,
    /// Nothing but what links between VMs cost.
    pub links: bool,
}

/// Options of `scripts/image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The board that is to start it.
    pub board: Board,
    /// The manifest.
    pub manifest: PathBuf,
    /// Where the files go.
    pub out: PathBuf,
    /// What U-Boot starts from is written as well.
    pub u_boot: Option<UBoot>,
    /// The serial port that the image itself names.
    pub early_console: Option<Record>,
}

/// Options of `scripts/image --picture`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The board that the system is for.
    pub board: Board,
    /// The manifest.
    pub manifest: PathBuf,
    /// Where the picture goes.
    pub file: PathBuf,
}

/// What `scripts/image` writes for U-Boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UBoot {
    /// The device tree that it is to hand over; none: its own.
    pub tree: Option<PathBuf>,
}

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// One sentence that says what is wrong and what would be right.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut rest = arguments.into_iter().collect::<Vec<_>>().into_iter();
        let command = rest.next().ok_or("no command given: one of run, test, bench, image")?;
        let arguments = Arguments { command, rest };
        if arguments
            .rest
            .as_slice()
            .iter()
            .take_while(|word| *word != "--")
            .any(|word| word == "--help" || word == "-h")
        {
            return Ok(Self::Help);
        }
        match arguments.command.as_str() {
            "run" => arguments.run().map(Self::Run),
            "test" => arguments.test().map(Self::Test),
            "bench" => arguments.bench().map(Self::Bench),
            "image" => arguments.image(),
            "help" | "--help" | "-h" => Ok(Self::Help),
            other => Err(format!("unknown command '{other}': one of run, test, bench, image")),
        }
    }
}

struct Arguments {
    command: String,
    rest: std::vec::IntoIter<String>,
}

impl Arguments {
    /// The next option with its value, given as `--key value` or `--key=value`; none at the end or at `--`.
    fn option(&mut self) -> Result<Option<(String, String)>, String> {
        let Some(word) = self.rest.next().filter(|word| word != "--") else { return Ok(None) };
        if !word.starts_with("--") {
            return Err(match self.command.as_str() {
                "run" => format!("'{word}' is not an option; what is meant for QEMU comes after '--'"),
                script => format!("scripts/{script} has no use for '{word}'"),
            });
        }
        if let Some((key, value)) = word.split_once('=') {
            return Ok(Some((key.to_owned(), value.to_owned())));
        }
        match self.rest.next().filter(|value| value != "--") {
            Some(value) => Ok(Some((word, value))),
            None if takes(&self.command, &word) => Err(format!("{word} needs a value")),
            None => Err(format!("scripts/{} has no option {word}", self.command)),
        }
    }

    /// Takes an option without a value out of what is left. Whether it was there.
    fn switch(&mut self, name: &str) -> bool {
        let before = self.rest.len();
        let kept: Vec<String> = self.rest.by_ref().filter(|word| word != name).collect();
        self.rest = kept.into_iter();
        self.rest.len() != before
    }

    fn run(mut self) -> Result<Run, String> {
        let (mut cores, mut el3, mut gic) = (None, El3::None, None);
        let hardware = Hardware::new(Board::QemuVirt, Board::QemuVirt.cores());
        let mut run =
            Run { hardware, manifest: None, cpu: None, early_console: None, timeout: None, qemu_arguments: vec![] };
        while let Some((key, value)) = self.option()? {
            match key.as_str() {
                "--board" => run.hardware.board = Board::parse(&value)?,
                "--manifest" => run.manifest = Some(value.into()),
                "--cpu" => run.cpu = Some(value),
                "--cores" => cores = Some(number(&key, &value, MAX_VCPUS as u64)? as u32),
                "--timeout" => run.timeout = Some(Duration::from_secs(number(&key, &value, 86_400)?)),
                "--gic" => gic = Some(Gic::parse(&value)?),
                "--el3" => el3 = El3::parse(&value)?,
                "--early-console" => run.early_console = Some(early_console(&value)?),
                _ => return Err(format!("scripts/run has no option {key}")),
            }
        }
        let board = run.hardware.board;
        run.hardware = Hardware { el3, ..Hardware::new(board, cores.unwrap_or(board.cores())) };
        if matches!(board, Board::Rpi4 | Board::Rpi5) {
            let name = board.name();
            return Err(format!("{name} is hardware, which scripts/image is for; raspi4b is the one in QEMU"));
        }
        if board == Board::Imx8mp {
            return Err("QEMU's imx8mp-evk brings no virtual interrupt to a guest (docs/boards.md), so guests would wait for ever \
                        there; scripts/image writes the files for a board"
                .into());
        }
        if board.is_fixed() {
            let name = board.name();
            if run.hardware.cores != board.cores() {
                return Err(format!("{name} has {} cores, always", board.cores()));
            }
            if run.cpu.is_some() {
                let model = crate::cpu::known(board, None).map_or("its own", |cpu| cpu.name);
                return Err(format!("{name} has {model} cores, always"));
            }
            if gic.is_some_and(|gic| gic != board.gic()) {
                return Err(format!("{name} has a GICv{}, always", board.gic().version()));
            }
            if el3 != El3::None && board != Board::Raspi4b {
                return Err(format!(
                    "there is no TF-A for QEMU's {name}; QEMU's own PSCI is below the hypervisor there"
                ));
            }
        }
        run.hardware.gic = gic.unwrap_or(board.gic());
        run.qemu_arguments = self.rest.collect();
        Ok(run)
    }

    fn test(mut self) -> Result<Test, String> {
        let all = self.switch("--all");
        let filter = self.rest.next();
        if all && filter.as_deref() != Some("boards") {
            return Err("--all is all of the tests of boards: scripts/test boards --all".into());
        }
        if let Some(option) = filter.iter().find(|word| word.starts_with('-')) {
            return Err(format!("scripts/test has no option {option}"));
        }
        match self.rest.next() {
            Some(extra) => Err(format!("scripts/test takes one FILTER, and '{extra}' is a second one")),
            None => Ok(Test { filter, all }),
        }
    }

    fn bench(self) -> Result<Bench, String> {
        let mut bench = Bench::default();
        for word in self.rest {
            match word.as_str() {
                "--peers" => bench.peers = true,
                "--docs" => bench.docs = true,
                "--accept" => bench.accept = true,
                "--profile" => bench.profile = true,
                "--links" => bench.links = true,
                _ => return Err(format!("scripts/bench has no option {word}")),
            }
        }
        Ok(bench)
    }

    fn image(mut self) -> Result<Command, String> {
        let (mut board, mut manifest, mut out, mut tree, mut early) = (None, None, None, None, None);
        let (mut picture, mut package) = (None, None);
        let u_boot = self.switch("--u-boot");
        while let Some((key, value)) = self.option()? {
            match key.as_str() {
                "--board" => board = Some(Board::parse(&value)?),
                "--manifest" => manifest = Some(value.into()),
                "--out" => out = Some(value.into()),
                "--package" => package = Some(value.into()),
                "--picture" => picture = Some(value.into()),
                "--tree" => tree = Some(value.into()),
                "--early-console" => early = Some(early_console(&value)?),
                _ => return Err(format!("scripts/image has no option {key}")),
            }
        }
        if let Some(folder) = package {
            let other = board.is_some() || manifest.is_some() || out.is_some() || picture.is_some() || u_boot;
            return match self.rest.next() {
                None if !other && tree.is_none() && early.is_none() => Ok(Command::Package(folder)),
                _ => Err("scripts/image --package DIR takes no other option".into()),
            };
        }
        if let Some(file) = picture {
            return match (manifest, out, self.rest.next()) {
                (Some(manifest), None, None) if !u_boot && tree.is_none() && early.is_none() => {
                    Ok(Command::Picture(Picture { board: board.unwrap_or(Board::QemuVirt), manifest, file }))
                }
                _ => Err("scripts/image --picture FILE needs --manifest, and takes --board and nothing else".into()),
            };
        }
        match (board, manifest, out, self.rest.next()) {
            (_, _, _, Some(extra)) => Err(format!("scripts/image has no use for '{extra}'")),
            (Some(Board::Raspi4b), ..) => {
                Err("raspi4b is in QEMU, which scripts/run is for; rpi4 is the hardware".into())
            }
            _ if tree.is_some() && !u_boot => Err("--tree is the device tree in a FIT, which --u-boot writes".into()),
            (Some(board), Some(manifest), Some(out), None) => {
                let u_boot = u_boot.then_some(UBoot { tree });
                Ok(Command::Image(Image { board, manifest, out, u_boot, early_console: early }))
            }
            _ => Err("scripts/image needs --board, --manifest and --out; or --picture FILE and --manifest".into()),
        }
    }
}

fn early_console(words: &str) -> Result<Record, String> {
    Record::parse(words).map_err(|error| format!("--early-console {words}: {error}"))
}

fn number(key: &str, value: &str, most: u64) -> Result<u64, String> {
    match value.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("{key} {value}: expected a number from 1 to {most}")),
    }
}

#[cfg(test)]
mod tests;
