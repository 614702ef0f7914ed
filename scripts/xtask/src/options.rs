//! Command lines of `scripts/run`, `scripts/test`, `scripts/bench` and `scripts/image`.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_abi::map::MAX_VCPUS;
use portcullis_platform::early_console::Record;

use crate::board::{Board, Gic, Hardware};
use crate::el3::El3;

/// What is printed when a command line is wrong, and for `--help`.
pub const USAGE: &str = "\
usage:
  scripts/setup [--quiet] [--tf-a] [--deny] [--fuzz] [--coverage] [--nbd]
  scripts/run [--board qemu-virt|raspi4b|zcu102|versal] [--manifest FILE] [--gic 2|3] [--cpu MODEL]
              [--cores N] [--el3 none|tf-a] [--early-console PORT] [--timeout SECONDS] [-- QEMU ARGS]
  scripts/test [FILTER | boards [--all]]
  scripts/bench [--peers] [--docs] [--accept] [--profile] [--links]
  scripts/image --board qemu-virt|rpi4|rpi5|zcu102|versal|imx8mp --manifest FILE --out DIR
                [--u-boot [--tree FILE]] [--early-console PORT]
--cores is 1 to 8, --cpu a model of QEMU (cortex-a72); the other boards have their own. --el3 tf-a has Arm
Trusted Firmware-A below the hypervisor: for qemu-virt the first such run builds it from Debian's source and calls
setup --tf-a, which installs what is missing for that; for raspi4b it is Debian's binary. FILTER is a part of the tests'
names; boards are the machines of README.md, with --all every test of a board. Two parts run only if it names them:
\"miri \", and \"fuzz \", for FUZZ_SECONDS of the environment each, 10 otherwise.
PORT is NAME@ADDRESS or NAME@ADDRESS,REG-SHIFT,REG-IO-WIDTH: the console whatever the device tree says
(docs/bring-up.md).
image: --u-boot writes a FIT and an extlinux.conf too; the FIT has the device tree FILE, else U-Boot hands over its own.
bench: --peers measures Xen and KVM too, --docs writes docs/numbers.md, --accept lowers the bounds to what was reached,
--profile tells where the boot's instructions go, --links measures what lies between VMs, alone, and with --profile tells where
those instructions go. Manifests to start from:
scripts/manifests.";

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
        let mut arguments = Arguments { rest: arguments.into_iter().collect::<Vec<_>>().into_iter() };
        let command = arguments.rest.next().ok_or("no command given: one of run, test, bench, image")?;
        if arguments
            .rest
            .as_slice()
            .iter()
            .take_while(|word| *word != "--")
            .any(|word| word == "--help" || word == "-h")
        {
            return Ok(Self::Help);
        }
        match command.as_str() {
            "run" => arguments.run().map(Self::Run),
            "test" => arguments.test().map(Self::Test),
            "bench" => arguments.bench().map(Self::Bench),
            "image" => arguments.image().map(Self::Image),
            "help" | "--help" | "-h" => Ok(Self::Help),
            other => Err(format!("unknown command '{other}': one of run, test, bench, image")),
        }
    }
}

struct Arguments {
    rest: std::vec::IntoIter<String>,
}

impl Arguments {
    /// The next option with its value, given as `--key value` or `--key=value`; none at the end or at `--`.
    fn option(&mut self) -> Result<Option<(String, String)>, String> {
        let Some(word) = self.rest.next().filter(|word| word != "--") else { return Ok(None) };
        if !word.starts_with("--") {
            return Err(format!("'{word}' is not an option; what is meant for QEMU comes after '--'"));
        }
        if let Some((key, value)) = word.split_once('=') {
            return Ok(Some((key.to_owned(), value.to_owned())));
        }
        let value = self.rest.next().filter(|value| value != "--").ok_or(format!("{word} needs a value"))?;
        Ok(Some((word, value)))
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

    fn image(mut self) -> Result<Image, String> {
        let (mut board, mut manifest, mut out, mut tree, mut early) = (None, None, None, None, None);
        let u_boot = self.switch("--u-boot");
        while let Some((key, value)) = self.option()? {
            match key.as_str() {
                "--board" => board = Some(Board::parse(&value)?),
                "--manifest" => manifest = Some(value.into()),
                "--out" => out = Some(value.into()),
                "--tree" => tree = Some(value.into()),
                "--early-console" => early = Some(early_console(&value)?),
                _ => return Err(format!("scripts/image has no option {key}")),
            }
        }
        match (board, manifest, out, self.rest.next()) {
            (_, _, _, Some(extra)) => Err(format!("scripts/image has no use for '{extra}'")),
            (Some(Board::Raspi4b), ..) => {
                Err("raspi4b is in QEMU, which scripts/run is for; rpi4 is the hardware".into())
            }
            _ if tree.is_some() && !u_boot => Err("--tree is the device tree in a FIT, which --u-boot writes".into()),
            (Some(board), Some(manifest), Some(out), None) => {
                Ok(Image { board, manifest, out, u_boot: u_boot.then_some(UBoot { tree }), early_console: early })
            }
            _ => Err("scripts/image needs --board, --manifest and --out".into()),
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
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn run_has_defaults() {
        let Ok(Command::Run(run)) = parse("run") else { panic!("not a run") };
        assert_eq!((run.hardware, run.manifest, run.timeout), (Hardware::new(Board::QemuVirt, 5), None, None));
        assert_eq!((run.hardware.gic, run.hardware.el3), (Gic::V3, El3::None));
    }

    #[test]
    fn run_takes_every_option_in_both_forms() {
        let Ok(Command::Run(run)) = parse(
            "run --board=qemu-virt --manifest a.toml --gic 2 --cpu=cortex-a72 --cores 2 \
            --el3 tf-a --timeout 60 -- -d int --help",
        ) else {
            panic!("not a run")
        };
        assert_eq!(run.manifest, Some("a.toml".into()));
        assert_eq!(run.cpu.as_deref(), Some("cortex-a72"));
        let hardware = Hardware { gic: Gic::V2, el3: El3::TfA, ..Hardware::new(Board::QemuVirt, 2) };
        assert_eq!((run.hardware, run.timeout), (hardware, Some(Duration::from_secs(60))));
        assert_eq!(run.qemu_arguments, ["-d", "int", "--help"]);
    }

    #[test]
    fn a_board_brings_its_own_hardware() {
        let Ok(Command::Run(run)) = parse("run --el3 tf-a --board raspi4b") else { panic!("not a run") };
        assert_eq!(run.hardware, Hardware { board: Board::Raspi4b, gic: Gic::V2, el3: El3::TfA, cores: 4 });
        let Ok(Command::Run(run)) = parse("run --gic 2") else { panic!("not a run") };
        assert_eq!((run.hardware.gic, run.hardware.cores), (Gic::V2, 5));
        for line in ["--cores 3", "--cpu max", "--gic 3"] {
            assert!(parse(&format!("run --board raspi4b {line}")).unwrap_err().contains("always"), "{line}");
        }
        for (board, cores) in [("zcu102", 4), ("versal", 2)] {
            let Ok(Command::Run(run)) = parse(&format!("run --board {board}")) else { panic!("{board}") };
            assert_eq!((run.hardware.cores, run.hardware.gic), (cores, run.hardware.board.gic()));
            assert!(parse(&format!("run --board {board} --cores 3")).unwrap_err().contains("always"), "{board}");
            assert!(parse(&format!("run --board {board} --el3 tf-a")).unwrap_err().contains("no TF-A"), "{board}");
            assert!(parse(&format!("image --board {board} --manifest m --out o")).is_ok());
        }
        assert!(parse("run --board rpi5").unwrap_err().contains("scripts/image"));
        assert!(parse("image --board rpi5 --manifest m --out o").is_ok());
        assert!(parse("run --board rpi4").unwrap_err().contains("scripts/image"));
        assert!(parse("image --board raspi4b --manifest m --out o").unwrap_err().contains("rpi4"));
        assert!(parse("image --board rpi4 --manifest m --out o").is_ok());
    }

    #[test]
    fn image_writes_for_u_boot_if_it_is_asked_to() {
        let image = |line: &str| match parse(&format!("image --board qemu-virt --manifest m --out o{line}")) {
            Ok(Command::Image(image)) => Ok(image.u_boot),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        };
        assert_eq!(image(""), Ok(None));
        assert_eq!(image(" --u-boot"), Ok(Some(UBoot { tree: None })));
        assert_eq!(image(" --tree=b.dtb --u-boot"), Ok(Some(UBoot { tree: Some("b.dtb".into()) })));
        assert!(image(" --tree b.dtb").unwrap_err().contains("--u-boot"));
    }

    #[test]
    fn wrong_lines_are_refused() {
        for line in [
            "",
            "walk",
            "run --gic 4",
            "run --el3 uefi",
            "run --el3",
            "run --cores 0",
            "run --cores 9",
            "run --cores many",
            "run --timeout",
            "run demo.toml",
            "run --speed 3",
            "run --cpu -- -d",
            "run --board pi",
            "test -x",
            "test a b",
            "image",
            "image --board qemu-virt",
            "image --board qemu-virt --manifest m --out o -- x",
            "image --size 3",
            "bench --fast",
            "bench now",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn bench_takes_switches() {
        assert_eq!(parse("bench"), Ok(Command::Bench(Bench::default())));
        let all = Bench { peers: true, docs: true, accept: true, profile: true, links: true };
        assert_eq!(parse("bench --peers --docs --accept --profile --links"), Ok(Command::Bench(all)));
    }

    #[test]
    fn test_takes_a_filter() {
        let test = |filter: Option<&str>, all| Ok(Command::Test(Test { filter: filter.map(str::to_owned), all }));
        assert_eq!(parse("test"), test(None, false));
        assert_eq!(parse("test gate"), test(Some("gate"), false));
        assert_eq!(parse("test boards"), test(Some("boards"), false));
        assert_eq!(parse("test boards --all"), test(Some("boards"), true));
        assert!(parse("test --all").unwrap_err().contains("scripts/test boards --all"));
        assert!(parse("test gate --all").unwrap_err().contains("scripts/test boards --all"));
        assert_eq!(parse("run --help"), Ok(Command::Help));
    }
}
