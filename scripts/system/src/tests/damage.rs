//! Damaged manifests are refused or read, but never make the reader panic.

use fastrand::Rng;

use super::Bench;

const TEXT: &str = r#"[machine]
control = "a" # ü
[[vm]]
name = "a"
image = "raw"
initrd = 'disk'
cmdline = """console=ttyAMA0 \u00e9
"""
memory = "64M"
cores = [0, 0x1]
slice = ["5ms", "100us"]
autostart = true
conduits = ["hvc", "smc"]
devices = ["/pl061@9030000"]
[vm.firmware]
std = ["trng"]
std-hyp = 1
vendor-hyp = ["func-feat", "ptp"]
psci = "1.1"
[[vm.firmware.filter]]
base = 0xc2000000
count = 0x100
action = "forward"
[[vm]]
name = "b"
image = "debian"
memory = 67108864
cores = [2, 1]
[[core]]
number = 1
schedule = "cyclic"
frame = "10ms"
windows = [{ vm = "a", length = "2ms" }, { vm = 'b', at = "5ms", length = "4ms" }]
background = ["a"]
"#;

fn read(bench: &Bench, bytes: &[u8]) {
    let path = bench.path().join("damaged.toml");
    std::fs::write(&path, bytes).unwrap();
    let read = super::super::Manifest::load(&path, &bench.board, &super::Known(bench.path()));
    if let Err(report) = read {
        assert!(!report.diagnostics.is_empty());
        let text = report.to_string();
        let errors = text.lines().filter(|line| line.contains(": error: ")).count();
        let helps = text.lines().filter(|line| line.starts_with("help: ")).count();
        assert!(errors >= report.diagnostics.len() && helps >= report.diagnostics.len(), "{text}");
    }
}

#[test]
fn random_bytes() {
    let bench = Bench::new();
    let mut random = Rng::with_seed(0x9e37_79b9_7f4a_7c15);
    let interesting = b"\"'[]{}=.,\n\t\\#0-9_ax\xff\0\x80\xc3";
    for _ in 0..1000 {
        let mut bytes = TEXT.as_bytes().to_vec();
        for _ in 0..=random.usize(..4) {
            let at = random.usize(..bytes.len());
            match random.usize(..4) {
                0 => bytes[at] = random.usize(..256) as u8,
                1 => bytes[at] = interesting[random.usize(..interesting.len())],
                2 => _ = bytes.remove(at),
                _ => bytes.insert(at, interesting[random.usize(..interesting.len())]),
            }
        }
        read(&bench, &bytes);
    }
}

#[test]
fn every_prefix_and_every_missing_line() {
    let bench = Bench::new();
    for end in 0..TEXT.len() {
        read(&bench, &TEXT.as_bytes()[..end]);
    }
    let lines: Vec<&str> = TEXT.lines().collect();
    for missing in 0..lines.len() {
        let kept: Vec<&str> = lines.iter().enumerate().filter(|(n, _)| *n != missing).map(|(_, line)| *line).collect();
        read(&bench, kept.join("\n").as_bytes());
    }
}

#[test]
fn deep_nesting() {
    let bench = Bench::new();
    read(&bench, format!("a = {}", "[".repeat(100_000)).as_bytes());
    read(&bench, format!("a = {}", "{a=".repeat(100_000)).as_bytes());
    read(&bench, "a.".repeat(100_000).as_bytes());
}
