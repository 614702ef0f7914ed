//! Runs the tests in QEMU and judges them by their consoles.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};

use portcullis_platform::early_console::Record;

use super::beside::{Beside, Link};
use super::between;
use super::broken;
use super::cases;
use super::cases::case::Case;
use super::damage::Damage;
use super::expectation;
use super::filter::Filter;
use super::peers;
use super::placement;
use super::soil;
use super::tally::Tally;
use crate::board::{Board, Gic, Hardware};
use crate::el3::El3;
use crate::environment::Environment;
use crate::firmware;
use crate::guests;
use crate::machine::report::Reports;
use crate::machine::{self, End, Keyboard, Next, Watcher};
use crate::run::{PANIC, System};
use crate::{virt_tree, xilinx_tree};

/// When a run that hangs is ended. The longest takes half a minute on two idle cores; a host with other work may need many times
/// that.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Lines of the console in a message.
const TAIL: usize = 12;

/// Runs the selected tests.
///
/// # Errors
///
/// The folder for the consoles cannot be made.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let logs = environment.target().join("test");
    fs::create_dir_all(&logs)?;
    placement::run(environment, filter, tally);
    between::run(environment, filter, tally);
    let peers = peers::rows()?;
    let cases: Vec<&Case> = cases::all().filter(|case| is_wanted(case, filter)).collect();
    let without = build_firmware(environment, &cases, tally);
    let mut consoles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in
        cases.into_iter().filter(|case| case.board != Board::QemuVirt || !without.contains(&(case.el3, case.gic)))
    {
        let name = format!("qemu {}", case.name);
        if case.manager && !has_manager(environment)? {
            tally.leave_out(&name, "this Rust compiler cannot build the program for Linux; see above");
            continue;
        }
        let start = Instant::now();
        let log = logs.join(format!("{}.log", case.name));
        let console = boot(environment, case).and_then(|(console, end)| {
            let mut file = fs::File::create(&log)?;
            console.lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            Ok((console, end))
        });
        match console {
            Err(error) => tally.fail(&name, &format!("{error:#}")),
            Ok((console, end)) => {
                let mut unmet = console.judge(case, &end);
                let earlier = |name: &str| consoles.get(name).map(Vec::as_slice);
                unmet.extend(case.expectations.iter().filter_map(|one| one.unlike(&console.lines, earlier)));
                let counted = case.expectations.iter().flat_map(|expectation| expectation.counted_vms(&console.lines));
                let counted: Vec<&str> = counted.collect();
                unmet.extend(expectation::uncounted(&counted, &console.lines));
                let mut cases_failed = false;
                for vm in counted {
                    let cases = expectation::cases(vm, &console.lines);
                    tally.pass_many(&format!("{name} {vm}"), cases.passed);
                    cases_failed |= !cases.failed.is_empty();
                    for (case, detail) in cases.failed {
                        tally.fail(&format!("{name} {vm} {case}"), &detail);
                    }
                    unmet.extend(cases.broken);
                }
                peers::count(&peers, case.name, unmet.is_empty() && !cases_failed, &console.lines, tally);
                if unmet.is_empty() {
                    tally.pass(&name, start.elapsed());
                } else {
                    let tail = console.lines.iter().skip(console.lines.len().saturating_sub(TAIL));
                    unmet.push(format!("the console's last lines, all of them in {}:", log.display()));
                    unmet.extend(tail.map(|line| format!("  {line}")));
                    tally.fail(&name, &unmet.join("\n"));
                }
                consoles.insert(case.name, console.lines);
            }
        }
    }
    Ok(())
}

/// Whether these tests have `case` among them.
fn is_wanted(case: &Case, filter: &Filter) -> bool {
    filter.selects("qemu", case.name) && (!case.named || filter.text().ends_with(case.name))
}

/// Builds the firmware that these cases need, each once, as a test of its own: its time is nobody else's. Those that could
/// not be built, and all cases that need them, have failed.
fn build_firmware(environment: &Environment, cases: &[&Case], tally: &mut Tally) -> Vec<(El3, Gic)> {
    let mut failed = Vec::new();
    for gic in [Gic::V3, Gic::V2] {
        let needing: Vec<&&Case> = cases
            .iter()
            .filter(|case| case.board == Board::QemuVirt && (case.el3, case.gic) == (El3::TfA, gic))
            .collect();
        if needing.is_empty() {
            continue;
        }
        let start = Instant::now();
        let name = format!("qemu firmware tf-a-gicv{}", gic.version());
        match firmware::tf_a(environment, gic) {
            Ok(_) => tally.pass(&name, start.elapsed()),
            Err(error) => {
                tally.fail(&name, &format!("{error:#}"));
                needing.iter().for_each(|case| tally.fail(&format!("qemu {}", case.name), "it has no firmware"));
                failed.push((El3::TfA, gic));
            }
        }
    }
    failed
}

/// Whether the program for a Linux that is the control VM can be built here, once `scripts/setup` has tried to make it so.
fn has_manager(environment: &Environment) -> Result<bool> {
    let setup = Command::new(environment.root.join("scripts/setup")).args(["--manager", "--quiet"]).status();
    setup.context("scripts/setup could not be started")?;
    guests::manager::can_be_built(environment)
}

fn boot(environment: &Environment, case: &Case) -> Result<(Console, End)> {
    let manifest = environment.root.join("scripts/manifests").join(case.manifest);
    let hardware = Hardware { gic: case.gic, el3: case.el3, ..Hardware::new(case.board, case.cores) };
    // What is typed to a boot loader is not for the guests.
    let exit = case.keys.is_empty() || case.loader.is_some();
    let mut limits = System::limits(hardware, None);
    limits.time |= matches!(case.damage, Some(Damage::OtherBoard));
    let mut system = System::build_for(environment, hardware, &limits, &manifest, exit, "test/bundle.img")
        .context("the system could not be built")?;
    if let Some(damage) = case.damage {
        damage.apply(&system.bundle).context("the bundle could not be damaged")?;
    }
    system.prepare(environment, case.defect)?;
    if let Some(words) = case.early_console {
        system.name_early_console(&Record::parse(words)?)?;
    }
    if let Some(symbol) = case.broken {
        system.image = broken::behind(environment, &system.image, symbol)?;
    }
    if let Some(loader) = case.loader {
        system.start_by(environment, loader, case.cpu).context("the boot loader's files could not be made")?;
    }
    let command = || {
        let mut qemu = system.qemu(environment, case.cpu)?;
        // A reset is not a way to end a test.
        qemu.args(["-action", "reboot=shutdown,shutdown=poweroff"]).args(case.arguments);
        anyhow::Ok(qemu)
    };
    let mut qemu = command()?;
    let link = case.beside.map(|second| Link::new(second.by)).transpose()?;
    qemu.args(link.iter().flat_map(|link| link.arguments(true)));
    if case.soiled {
        qemu.args(soil::arguments(&environment.target().join("test"))?);
    }
    let make: Option<fn(_, &_, _) -> _> = match case.board {
        Board::QemuVirt => Some(virt_tree::make),
        Board::Versal => Some(xilinx_tree::of_machine),
        _ => None,
    };
    if let Some((make, defect)) = make.zip(case.defect) {
        qemu.arg("-dtb").arg(make(command()?, &environment.target().join("test"), defect)?);
    }
    let mut console = Console { lines: Vec::new(), reports: Reports::new(system.reporting), halts: case.halts };
    let beside = case.beside.zip(link.as_ref()).map(|(second, link)| {
        let manifest = environment.root.join("scripts/manifests").join(second.manifest);
        Beside::begin(environment, hardware, &manifest, link, TIMEOUT)
    });
    let beside = beside.transpose()?;
    let end = machine::run(
        qemu,
        if case.keys.is_empty() { Keyboard::None } else { Keyboard::Script(case.keys) },
        Some(TIMEOUT),
        &mut console,
    )?;
    if let Some(beside) = beside {
        let (lines, other) = beside.end()?;
        console.lines.extend(lines);
        if !matches!(other, End::PowerOff) {
            return Ok((console, other));
        }
    }
    Ok((console, end))
}

/// What a run said.
struct Console {
    lines: Vec<String>,
    reports: Reports,
    halts: Option<&'static str>,
}

impl Watcher for Console {
    fn bytes(&mut self, _: &[u8]) {}

    fn line(&mut self, line: &str) -> Next {
        self.reports.take(line, SystemTime::now());
        self.lines.push(line.to_owned());
        if self.halts.is_some_and(|last| line.ends_with(last)) { Next::Stop } else { Next::Continue }
    }

    fn longer(&mut self, line: &str) -> Next {
        self.lines.pop();
        self.line(line)
    }
}

impl Console {
    /// Everything that is not as it should be.
    fn judge(&self, case: &Case, end: &End) -> Vec<String> {
        let mut unmet = Vec::new();
        match end {
            End::PowerOff if case.halts.is_none() => {}
            End::Stopped if case.halts.is_some() => {}
            End::PowerOff => unmet.push("the machine powered off before its last line".to_owned()),
            End::Timeout => unmet.push(format!("still running after {} s", TIMEOUT.as_secs())),
            End::Broken(status) => unmet.push(format!("QEMU ended with {status}")),
            End::Stopped => unmet.push("the run was stopped".to_owned()),
        }
        if case.broken.is_none() {
            unmet.extend(self.lines.iter().find(|line| line.starts_with(PANIC)).cloned());
        }
        if case.damage.is_none() && case.halts.is_none() {
            unmet.extend(self.reports.missing().iter().map(|vm| format!("{vm} did not finish its checks")));
        }
        unmet.extend(case.expectations.iter().filter_map(|expectation| expectation.unmet(&self.lines, &self.reports)));
        unmet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_runs_by_its_name_only() {
        let wanted = |text: &str| {
            let filter = Filter::new(Some(text), false);
            cases::all().filter(|case| is_wanted(case, &filter)).map(|case| case.name).collect::<Vec<_>>()
        };
        assert!(cases::all().any(|case| case.named));
        for case in cases::all() {
            assert_eq!(wanted("").contains(&case.name), !case.named, "{}", case.name);
            assert!(wanted(&format!("qemu {}", case.name)).contains(&case.name));
        }
        assert!(wanted("qemu travels").contains(&"travels") && !wanted("qemu travels").contains(&"travels-ten"));
    }
}
