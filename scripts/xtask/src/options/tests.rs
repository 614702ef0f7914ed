//! Command lines that are right, and what is said of others.

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

#[test]
fn a_picture_is_of_a_manifest_alone() {
    let Ok(Command::Picture(picture)) = parse("image --picture a.svg --manifest m.toml") else { panic!("no picture") };
    let expected = Picture { board: Board::QemuVirt, manifest: "m.toml".into(), file: "a.svg".into() };
    assert_eq!(picture, expected);
    assert!(parse("image --picture a.svg --manifest m --board rpi4").is_ok());
    for line in ["", "--manifest m --out o", "--manifest m --u-boot", "--manifest m x"] {
        assert!(parse(&format!("image --picture a.svg {line}")).is_err(), "{line}");
    }
}

#[test]
fn a_package_needs_a_folder_alone() {
    assert_eq!(parse("image --package out"), Ok(Command::Package("out".into())));
    for line in ["--board rpi4", "--out o", "--picture a.svg", "--u-boot", "x"] {
        assert!(parse(&format!("image --package out {line}")).is_err(), "{line}");
    }
}

#[test]
fn a_wrong_line_is_answered_by_how_its_own_script_is_called() {
    for (command, own) in [("run", "--gic 2|3"), ("test", "FILTER"), ("bench", "--peers"), ("image", "--package DIR")] {
        let shown = usage(command);
        assert!(
            shown.contains(own) && shown.ends_with(&format!("scripts/{command} --help says what they do")),
            "{shown}"
        );
        let calls = shown.lines().filter(|line| line.starts_with("  scripts/"));
        assert!(
            calls.clone().count() > 0 && calls.clone().all(|line| line.starts_with(&format!("  scripts/{command} ")))
        );
        assert_eq!(parse(&format!("{command} --colour")), Err(format!("scripts/{command} has no option --colour")));
    }
    assert_eq!(usage("paint"), USAGE);
    assert_eq!(parse("run --cores"), Err("--cores needs a value".to_owned()));
    assert_eq!(parse("run --core"), Err("scripts/run has no option --core".to_owned()));
    assert!(parse("run x").unwrap_err().contains("QEMU"));
    assert_eq!(parse("image x"), Err("scripts/image has no use for 'x'".to_owned()));
}

/// What a script takes that the usage does not show, nobody finds.
#[test]
fn the_usage_shows_every_option_of_setup() {
    let script = include_str!("../../../setup");
    let options: Vec<&str> = script.lines().filter_map(|line| line.trim().strip_suffix("=yes ;;")).collect();
    let options: Vec<&str> = options.iter().filter_map(|line| line.split_once(')')).map(|(option, _)| option).collect();
    assert!(options.contains(&"--tf-a"), "{options:?}");
    for option in options {
        assert!(takes("setup", option), "{option}");
    }
}
