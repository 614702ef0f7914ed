//! A VM that moves between machines whose cores differ: it is saved on one QEMU, whose RAM is a file, and what it was saved to is
//! the RAM disk of the control VM of the next one.

mod lies;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use portcullis_abi::state::Needs;
use portcullis_stream::Kind;
use portcullis_stream::layout::{Head, MAGIC, Preamble, Tail, VERSION};
use zerocopy::FromBytes;

use self::lies::LIES;
use super::expectation;
use super::filter::Filter;
use super::said::Said;
use super::tally::Tally;
use crate::board::{Board, Gic, Hardware};
use crate::environment::Environment;
use crate::machine::{self, End, Keyboard};
use crate::run::System;

/// Its name in the list of results.
const NAME: &str = "moving-between-cores";
/// From one machine, with a GICv3, to another one.
#[derive(Clone, Copy)]
struct Way {
    from: &'static str,
    to: &'static str,
    gic: Gic,
    what: What,
}

/// What is shown on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Other cores: a VM that was told of them moves, another one does not, and a stream that lies is none.
    Cores,
    /// A source of random words that only the first machine has: a VM that is offered TRNG does not move, another one does.
    Entropy,
    /// Another interrupt controller: nobody moves.
    Controller,
}

const WAYS: [Way; 4] = [
    Way { from: "cortex-a72", to: "cortex-a76", gic: Gic::V3, what: What::Cores },
    Way { from: "cortex-a76", to: "cortex-a72", gic: Gic::V3, what: What::Cores },
    // With the frequency of the other one's counter.
    Way { from: "max", to: "cortex-a72,cntfrq=1000000000", gic: Gic::V3, what: What::Entropy },
    Way { from: "cortex-a72", to: "cortex-a72", gic: Gic::V2, what: What::Controller },
];
/// When a run that hangs is ended.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Lines of a console in a message.
const TAIL: usize = 40;
/// MiB of RAM of a machine, all of which is a file.
const RAM: usize = 128;
/// Bytes of the place of a stream, as the control VM's commands count them.
const PLACE: usize = 1 << 20;
/// The VMs that are saved, in the order of their places: one that was told of both kinds of cores, and one that was not.
const VMS: [&str; 2] = ["told", "untold"];
/// The CPU that both are shown. QEMU's `max` has less than the others in one register.
const CPU: &str = r#"cpu = { base = ["cortex-a72", "cortex-a76"], registers = { ID_MMFR0_EL1 = 0x10101105 } }"#;
const TOLD: &str = r#"implementations = [{ midr = 0x410fd083 }, { midr = 0x414fd0b1 }]"#;

/// Moves them, if the filter selects it.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) {
    if !filter.selects("qemu", NAME) {
        return;
    }
    let folder = environment.target().join("test");
    for way in WAYS {
        let (start, name) =
            (Instant::now(), format!("qemu {NAME} {} to {}, GICv{}", way.from, way.to, way.gic.version()));
        match complaints(environment, &folder, way) {
            Ok(complaints) if complaints.is_empty() => tally.pass(&name, start.elapsed()),
            Ok(complaints) => tally.fail(&name, &complaints.join("\n")),
            Err(error) => tally.fail(&name, &format!("{error:#}")),
        }
    }
}

/// The manifest of a machine whose control VM does `script`, with the line `more`, and whose other VMs start by themselves or not.
/// The second one has this service of the firmware's besides.
fn manifest(script: &str, more: &str, autostart: bool, service: &str) -> String {
    let vm = |name: &str, core: u32, lines: &str| {
        format!(
            "[[vm]]\nname = \"{name}\"\nimage = \"conformance\"\ncmdline = \"mode=shown midr=0x410fd083 isar0=0x11120 seconds=6\"\n\
             memory = \"2M\"\ncores = [{core}]\nmovable = true\nautostart = {autostart}\n{CPU}\n{lines}\n"
        )
    };
    let [told, untold] = VMS;
    format!(
        "[machine]\ncontrol = \"ops\"\n[[vm]]\nname = \"ops\"\nimage = \"ops-testing\"\ncmdline = \"{script}\"\nmemory = \"32M\"\n\
         cores = [0]\n{more}\n{}{}",
        vm(
            told,
            1,
            &format!("{TOLD}\n[vm.firmware]\nstd-hyp = [\"pv-time\"]\nvendor-hyp-2 = [\"impl-ver\", \"impl-cpus\"]")
        ),
        vm(untold, 1, &format!("[vm.firmware]\nstd-hyp = [\"pv-time\"]\n{service}")),
    )
}

/// What is wrong with moves on this way.
fn complaints(environment: &Environment, folder: &Path, way: Way) -> Result<Vec<String>> {
    let [told, untold] = VMS;
    let script = format!("sleep 3; pause {told}; keep {told} 0; pause {untold}; keep {untold} 1; vms; power off");
    let trng = if way.what == What::Entropy { "std = [\"trng\"]" } else { "" };
    let path = write(folder, "moving-out.toml", &manifest(&script, "", true, trng))?;
    let ram = folder.join("moving-ram");
    let memory = format!("memory-backend-file,id=moving,size={RAM}M,share=on,mem-path={}", ram.display());
    let arguments = ["-object", &memory, "-machine", "memory-backend=moving"];
    let lines = boot(environment, &path, way.from, Gic::V3, &arguments)?;
    let mut complaints = failures("ops", &lines);
    if !complaints.is_empty() {
        complaints.extend(last(&lines));
        return Ok(complaints);
    }
    let kept = fs::read(&ram).context("the RAM of the first machine cannot be read")?;
    fs::remove_file(&ram)?;
    let mut streams = streams(&kept)?;
    let mut script = format!("expect unfit take {untold} 1; ");
    let mut expected = Vec::new();
    if way.what == What::Cores {
        for lie in LIES {
            script += &format!("expect unfit take {told} {}; ", streams.len());
            expected.push(format!("{told}: {}", lie.said));
            streams.push(lie.of(&streams[0])?);
        }
    }
    script += &match way.what {
        What::Controller => format!("expect unfit take {told} 0"),
        What::Cores | What::Entropy => {
            format!("expect ok take {told} 0; resume {told}; expect ok wait {told} stopped 20")
        }
    };
    fs::write(folder.join("moving.stream"), disk(&streams)?)?;
    let script = format!("{script}; vms; power off");
    let path = write(folder, "moving-in.toml", &manifest(&script, "initrd = \"moving.stream\"", false, ""))?;
    let lines = boot(environment, &path, way.to, way.gic, &[])?;
    complaints.extend(failures("ops", &lines));
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    let moved = ["[told] case shown/it stays the same: ok", "ops> resume told"];
    let rest: &[&str] = match way.what {
        What::Cores => &["untold: not restored: section CPU of vCPU 0: vCPU 0: MIDR_EL1 was "],
        What::Entropy => &["untold: not restored: section FIRMWARE: STD: bits 0x1 are not supported here"],
        What::Controller => {
            &["told: not restored: section NEEDS: the saved VM has 3 (0x3) as the version of its GIC, this one 2 (0x2)"]
        }
    };
    expected.extend(rest.iter().map(|text| (*text).to_owned()));
    if way.what != What::Controller {
        expected.extend(moved.map(str::to_owned));
    }
    complaints.extend(expected.iter().filter(|text| !has(text)).map(|text| format!("nothing said {text:?}")));
    complaints.extend(lines.iter().filter(|line| line.contains(": FAIL ")).cloned());
    if !complaints.is_empty() {
        complaints.extend(last(&lines));
    }
    Ok(complaints)
}

/// The last of these lines, for who looks for what went wrong.
fn last(lines: &[String]) -> impl Iterator<Item = String> {
    lines.iter().skip(lines.len().saturating_sub(TAIL)).map(|line| format!("  {line}"))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// The cases of `vm` that failed, and a complaint if there is none at all.
fn failures(vm: &str, lines: &[String]) -> Vec<String> {
    let cases = expectation::cases(vm, lines);
    let mut all: Vec<String> = cases.failed.into_iter().map(|(case, detail)| format!("{case}: {detail}")).collect();
    all.extend(cases.broken);
    if cases.passed == 0 {
        all.push(format!("{vm} had no case"));
    }
    all
}

/// What the machine said until it was off.
fn boot(environment: &Environment, manifest: &Path, cpu: &str, gic: Gic, arguments: &[&str]) -> Result<Vec<String>> {
    let hardware = Hardware { gic, ..Hardware::new(Board::QemuVirt, 2) };
    let limits = System::limits(hardware, cpu.split(',').next());
    let mut system = System::build_for(environment, hardware, &limits, manifest, true, "test/moving-bundle.img")?;
    system.prepare(environment, None)?;
    let mut qemu = system.qemu(environment, Some(cpu))?;
    qemu.args(["-action", "reboot=shutdown,shutdown=poweroff", "-m", &format!("{RAM}M")]).args(arguments);
    let mut lines = Said::default();
    let end = machine::run(qemu, Keyboard::None, Some(TIMEOUT), &mut lines)?;
    ensure!(matches!(end, End::PowerOff), "the machine did not switch off; it ended with {:?}", lines.0.last());
    Ok(lines.0)
}

/// The streams of [`VMS`] that are in a machine's RAM.
fn streams(ram: &[u8]) -> Result<Vec<Vec<u8>>> {
    let stream = |name: &&str| {
        let at = find(ram, name).with_context(|| format!("the RAM has no stream of {name}"))?;
        let length = length(&ram[at..]).with_context(|| format!("the stream of {name} does not end"))?;
        Ok(ram[at..at + length].to_vec())
    };
    VMS.iter().map(stream).collect()
}

/// What has each of them in its place, behind its length.
fn disk(streams: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut disk = vec![0; PLACE * streams.len()];
    for (stream, place) in streams.iter().zip(disk.chunks_mut(PLACE)) {
        ensure!(stream.len() + 8 <= place.len(), "a stream has {} bytes", stream.len());
        place[..8].copy_from_slice(&(stream.len() as u64).to_le_bytes());
        place[8..8 + stream.len()].copy_from_slice(stream);
    }
    Ok(disk)
}

/// Bytes of the stream that begins here, by the heads of its sections.
fn length(stream: &[u8]) -> Option<usize> {
    let mut at = size_of::<Preamble>();
    loop {
        let head = Head::read_from_prefix(stream.get(at..)?).ok()?.0;
        at = at.checked_add(size_of::<Head>() + size_of::<Tail>())?.checked_add(head.length.try_into().ok()?)?;
        if head.kind == Kind::End as u32 {
            return (at <= stream.len()).then_some(at);
        }
    }
}

/// Where a stream begins whose first section has this VM's name.
fn find(ram: &[u8], name: &str) -> Option<usize> {
    let mut begin = MAGIC.to_vec();
    begin.extend(u64::from(VERSION).to_le_bytes());
    begin.extend((Kind::Needs as u64).to_le_bytes());
    begin.extend((size_of::<Needs>() as u64).to_le_bytes());
    // The name is the end of it.
    let end = begin.len() + size_of::<Needs>();
    let mut starts = (0..ram.len()).step_by(8).filter(|at| ram[*at..].starts_with(&begin));
    starts.find(|at| {
        let needs = ram.get(at + begin.len()..at + end).unwrap_or_default();
        let told = needs.rchunks(portcullis_abi::bundle::NAME_MAX).next().unwrap_or_default();
        told.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_found_by_its_beginning_and_its_name() {
        let mut stream = MAGIC.to_vec();
        stream.extend(u64::from(VERSION).to_le_bytes());
        stream.extend((Kind::Needs as u64).to_le_bytes());
        stream.extend((size_of::<Needs>() as u64).to_le_bytes());
        stream.extend([0; size_of::<Needs>() - 16]);
        stream.extend(b"untold\0\0\0\0\0\0\0\0\0\0");
        let mut ram = vec![0xff; 64];
        ram.extend(MAGIC);
        ram.extend(&stream);
        assert_eq!((find(&ram, "untold"), find(&ram, "told"), find(&ram, "unto")), (Some(72), None, None));
        assert!(streams(&ram).is_err());
        assert_eq!(length(&stream), None, "it is cut");
        stream.extend([0; size_of::<Tail>()]);
        stream.extend((Kind::End as u64).to_le_bytes());
        stream.extend(0u64.to_le_bytes());
        stream.extend([0; size_of::<Tail>()]);
        let whole = stream.len();
        stream.extend([1; 99]);
        assert_eq!(length(&stream), Some(whole));
    }
}
