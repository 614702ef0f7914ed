//! What a test in QEMU expects of the console.

use super::perfetto::{self, Slice};
use super::{kept, screen, stolen};
use crate::machine::report::{Report, Reports};

/// One expectation.
#[derive(Clone, Copy, Debug)]
pub enum Expectation {
    /// All of these.
    All(&'static [Self]),
    /// A line contains this text.
    Line(&'static str),
    /// A line of this VM holds this text.
    Says(&'static str, &'static str),
    /// Lines contain these texts, in this order.
    Sequence(&'static [&'static str]),
    /// No line contains this text.
    Never(&'static str),
    /// No guest says a word.
    NoGuest,
    /// A VM's report has this value: VM, key, value.
    Value(&'static str, &'static str, &'static str),
    /// A VM read 32 bytes from its hardware random number generator.
    Entropy(&'static str),
    /// A VM's PTP clock is within two seconds of the host's.
    Clock(&'static str),
    /// A VM's system clock, which its kernel has set by the real-time clock, and that one are right to a few seconds.
    Date(&'static str),
    /// A VM reports cases, which are counted one by one.
    Cases(&'static str),
    /// A VM was stopped for what it did, by a line of the hypervisor's that names vCPU, pc, syndrome and address.
    Stopped(&'static str),
    /// The line that starts with this text is the same as in an earlier case.
    SameAs(&'static str, &'static str),
    /// The line that starts with this text is another than in an earlier case.
    DiffersFrom(&'static str, &'static str),
    /// The firmware below the hypervisor was called with no other functions than these, and with these it was.
    OnlyCalls(&'static [u32]),
    /// The firmware below the hypervisor was called with this function at least so often.
    CalledAtLeast(u32, u64),
    /// Two VMs that share their cores, and one alone on its own: what their kernels took for stolen is what the hypervisor counted.
    Stolen([&'static str; 2], &'static str),
    /// No more than so many lines contain this text.
    AtMost(usize, &'static str),
    /// There are so many lines with this text, no two of which are the same behind it.
    Distinct(usize, &'static str),
    /// The lines that are nothing but a number of seven digits are all numbers below this one, in order.
    Numbered(u32),
    /// The RAM of a VM that is trusted with DMA, of so many bytes, is none that UEFI firmware keeps, by the map that its shell
    /// has shown.
    NotKept(&'static str, u64),
    /// A program of this VM's that has a screen shows these texts on it, by the bytes that its terminal got.
    Screen(&'static str, &'static [&'static str]),
    /// What this VM's `portcullis trace` has written is in order, and has these slices.
    Trace(&'static str, &'static [Slice]),
    /// A VM was stopped like this, or reports cases: the architecture allows both.
    StoppedOrCases(&'static str),
}

/// Largest difference between a VM's PTP clock and the host's in seconds.
const CLOCK_DIFFERENCE: f64 = 2.0;

/// The same of its real-time clock, which knows no parts of a second.
const DATE_DIFFERENCE: f64 = 4.0;

impl Expectation {
    /// What is wrong, if something is. The cases of [`Expectation::Cases`] are counted elsewhere.
    pub fn unmet(self, lines: &[String], reports: &Reports) -> Option<String> {
        match self {
            Self::All(expectations) => {
                let unmet: Vec<String> =
                    expectations.iter().filter_map(|expectation| expectation.unmet(lines, reports)).collect();
                (!unmet.is_empty()).then(|| unmet.join("\n"))
            }
            Self::Line(text) if lines.iter().any(|line| line.contains(text)) => None,
            Self::Line(text) => Some(format!("no line has: {text}")),
            Self::Says(vm, text) => {
                let start = format!("[{vm}] ");
                let says = lines.iter().any(|line| line.starts_with(&start) && line.contains(text));
                (!says).then(|| format!("no line of {vm} has: {text}"))
            }
            Self::Sequence(texts) => {
                let mut lines = lines.iter();
                let missing = texts.iter().find(|text| !lines.any(|line| line.contains(**text)));
                missing.map(|text| format!("no line has, behind those expected before it: {text}"))
            }
            Self::Never(text) => {
                lines.iter().find(|line| line.contains(text)).map(|line| format!("there is a line: {line}"))
            }
            Self::NoGuest => {
                lines.iter().find(|line| line.starts_with('[')).map(|line| format!("a guest speaks: {line}"))
            }
            Self::Value(vm, key, value) => of(reports, vm, |report| match report.value(key) {
                Some(found) if found == value => None,
                found => Some(format!("{vm}: {key} is {found:?}, expected {value:?}")),
            }),
            Self::Entropy(vm) => of(reports, vm, |report| match report.value("bytes") {
                Some(bytes) if is_entropy(bytes) => None,
                found => Some(format!("{vm}: expected 32 random bytes, found {found:?}")),
            }),
            Self::Clock(vm) => of(reports, vm, |report| match report.ptp_offset {
                Some(offset) if offset.abs() < CLOCK_DIFFERENCE => None,
                found => Some(format!("{vm}: the PTP clock differs from the host's by {found:?} s")),
            }),
            Self::Date(vm) => of(reports, vm, |report| match (report.date_offset, report.rtc_offset) {
                (Some(date), Some(rtc)) if date.abs().max(rtc.abs()) < DATE_DIFFERENCE => None,
                found => Some(format!("{vm}: system clock and real-time clock differ from the host's by {found:?} s")),
            }),
            Self::Stopped(vm) if !is_stopped(vm, lines) => {
                Some(format!("no line of the hypervisor's says where and why {vm} was stopped"))
            }
            Self::Stolen(shared, alone) => stolen::unlike(shared, alone, lines),
            Self::Screen(vm, texts) => screen::lacking(vm, texts, lines),
            Self::Trace(vm, slices) => perfetto::lacking(vm, slices, lines),
            Self::NotKept(vm, size) => kept::overlapped(vm, size, lines),
            Self::OnlyCalls(functions) => only_calls(functions, lines),
            Self::CalledAtLeast(function, least) => called_too_rarely(function, least, lines),
            Self::Numbered(count) => unnumbered(count, lines),
            Self::Distinct(count, text) => not_distinct(count, text, lines),
            Self::AtMost(most, text) => {
                let count = lines.iter().filter(|line| line.contains(text)).count();
                (count > most).then(|| format!("{count} lines have: {text}; there may be {most}"))
            }
            Self::Stopped(_) | Self::Cases(_) | Self::StoppedOrCases(_) => None,
            Self::SameAs(..) | Self::DiffersFrom(..) => None,
        }
    }

    /// What is wrong with it compared to an earlier case, if something is; `earlier` gives that one's console.
    pub fn unlike<'a>(self, lines: &[String], earlier: impl Fn(&str) -> Option<&'a [String]> + Copy) -> Option<String> {
        let (case, start, same) = match self {
            Self::All(expectations) => return expectations.iter().find_map(|one| one.unlike(lines, earlier)),
            Self::SameAs(case, start) => (case, start, true),
            Self::DiffersFrom(case, start) => (case, start, false),
            _ => return None,
        };
        let find = |lines: &'a [String]| lines.iter().find(|line| line.starts_with(start));
        let Some(other) = earlier(case).and_then(find) else {
            return Some(format!(
                "{case} has no line {start}: has it run? Both are selected by what their names have in common"
            ));
        };
        match lines.iter().find(|line| line.starts_with(start)) {
            None => Some(format!("no line starts with {start}")),
            Some(line) if (line == other) == same => None,
            Some(line) => Some(format!("{line}: {} {case}", if same { "not as in" } else { "the same as in" })),
        }
    }

    /// The VMs whose cases are to be counted.
    pub fn counted_vms(self, lines: &[String]) -> Vec<&'static str> {
        match self {
            Self::All(expectations) => expectations.iter().flat_map(|one| one.counted_vms(lines)).collect(),
            Self::Cases(vm) => vec![vm],
            Self::StoppedOrCases(vm) if !is_stopped(vm, lines) => vec![vm],
            _ => Vec::new(),
        }
    }
}

/// Start of a line of the test firmware's about a function that was called.
const CALLED: &str = "el3: 0x";

fn only_calls(functions: &[u32], lines: &[String]) -> Option<String> {
    let called = lines.iter().filter(|line| line.starts_with(CALLED) || line.starts_with("el3: others"));
    let function =
        |line: &str| line.get(CALLED.len()..)?.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let mut seen = Vec::new();
    for line in called {
        match function(line).filter(|function| functions.contains(function)) {
            Some(function) => seen.push(function),
            None => return Some(format!("it should not have been called: {line}")),
        }
    }
    let missing = functions.iter().find(|function| !seen.contains(function));
    missing.map(|function| format!("the firmware was not called with {function:#x}"))
}

/// What is wrong with the lines that have `text`: there are to be `count`, each another one behind it.
fn not_distinct(count: usize, text: &str, lines: &[String]) -> Option<String> {
    let mut found: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(text)?.1)).collect();
    if found.len() != count {
        return Some(format!("{} of {count} lines have: {text}", found.len()));
    }
    found.sort_unstable();
    let same = found.windows(2).find(|pair| pair[0] == pair[1]);
    same.map(|pair| format!("two lines have: {text}{}", pair[0]))
}

fn called_too_rarely(function: u32, least: u64, lines: &[String]) -> Option<String> {
    let start = format!("el3: {function:#010x} called ");
    let calls = lines.iter().find_map(|line| line.strip_prefix(&start)?.split_once(' ')?.0.parse::<u64>().ok());
    let calls = calls.unwrap_or(0);
    (calls < least)
        .then(|| format!("the firmware was called with {function:#x} {calls} times, expected {least} at least"))
}

fn unnumbered(count: u32, lines: &[String]) -> Option<String> {
    let digits = |line: &&String| line.len() == 7 && line.bytes().all(|byte| byte.is_ascii_digit());
    let mut numbers = lines.iter().filter(digits);
    for number in 0..count {
        let expected = format!("{number:07}");
        match numbers.next() {
            Some(line) if *line == expected => {}
            other => return Some(format!("expected the number {expected}, found {other:?}")),
        }
    }
    numbers.next().map(|line| format!("there is one number more: {line}"))
}

fn is_stopped(vm: &str, lines: &[String]) -> bool {
    let start = format!("portcullis: {vm} vcpu ");
    lines.iter().any(|line| {
        line.starts_with(&start)
            && ["stopped", "pc 0x", "syndrome 0x", "address 0x"].iter().all(|word| line.contains(word))
    })
}

fn of(reports: &Reports, vm: &str, check: impl Fn(&Report) -> Option<String>) -> Option<String> {
    match reports.get(vm) {
        Some(report) => check(report),
        None => Some(format!("{vm} makes no report: it is not a Debian guest of the manifest")),
    }
}

/// 32 bytes in hexadecimal of which at least eight differ: in 32 random bytes fewer are never seen.
fn is_entropy(bytes: &str) -> bool {
    let mut values: Vec<_> =
        (0..bytes.len()).step_by(2).filter_map(|at| u8::from_str_radix(bytes.get(at..at + 2)?, 16).ok()).collect();
    if bytes.len() != 64 || values.len() != 32 {
        return false;
    }
    values.sort_unstable();
    values.dedup();
    values.len() >= 8
}

/// What is wrong when VMs report cases that none of `counted` stands for: they would fail unseen.
pub fn uncounted(counted: &[&str], lines: &[String]) -> Vec<String> {
    let reporting = lines.iter().filter_map(|line| line.strip_prefix('[')?.split_once("] cases: "));
    let unseen = reporting.map(|(vm, _)| vm).filter(|vm| !counted.contains(vm));
    unseen.map(|vm| format!("{vm} reports cases, and the test does not count them")).collect()
}

/// First words of the guests that report cases.
const STARTS: [&str; 2] = ["conformance: arguments", "ops: arguments"];

/// The cases that a VM reported.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// Number of cases that passed.
    pub passed: usize,
    /// Name and reason of each failed case.
    pub failed: Vec<(String, String)>,
    /// Why the report as a whole cannot be believed.
    pub broken: Option<String>,
}

/// Reads `[VM] case NAME: ok`, `[VM] case NAME: FAIL DETAIL` and the last line `[VM] cases: N passed, M failed`.
pub fn cases(vm: &str, lines: &[String]) -> Cases {
    let prefix = format!("[{vm}] ");
    let mut cases = Cases::default();
    let mut last = None;
    // A VM that resets itself starts to count from zero again.
    let mut before = (0, 0);
    for line in lines.iter().filter_map(|line| line.strip_prefix(&prefix)) {
        if STARTS.iter().any(|start| line.starts_with(start)) {
            (last, before) = (None, (cases.passed, cases.failed.len()));
        } else if let Some(totals) = line.strip_prefix("cases: ") {
            last = Some(totals);
        } else if let Some((name, result)) = line.strip_prefix("case ").and_then(|case| case.split_once(": ")) {
            match result.strip_prefix("FAIL") {
                None if result == "ok" => cases.passed += 1,
                None => cases.failed.push((name.to_owned(), format!("neither ok nor FAIL: {result}"))),
                Some(detail) => cases.failed.push((name.to_owned(), detail.trim().to_owned())),
            }
        }
    }
    let expected = format!("{} passed, {} failed", cases.passed - before.0, cases.failed.len() - before.1);
    cases.broken = match last {
        None => Some(format!("{vm} ended without its last line")),
        Some(totals) if totals != expected => Some(format!("{vm} says {totals}, but its lines say {expected}")),
        Some(_) if cases.passed + cases.failed.len() == 0 => Some(format!("{vm} had no cases")),
        Some(_) => None,
    };
    cases
}

#[cfg(test)]
mod tests;
