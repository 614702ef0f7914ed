//! What a test in QEMU expects of the console.

use super::stolen;
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
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn cases_must_add_up() {
        let text = "[a] case x: ok\n[b] case y: ok\n[a] case z, w: FAIL x0 = 1\n[a] cases: 1 passed, 1 failed";
        let good = cases("a", &lines(text));
        assert_eq!((good.passed, &good.broken), (1, &None));
        assert_eq!(good.failed, [("z, w".to_owned(), "x0 = 1".to_owned())]);
        for (text, why) in [
            ("[a] case x: ok", "without its last line"),
            ("[a] case x: ok\n[a] cases: 2 passed, 0 failed", "says 2 passed"),
            ("[a] cases: 0 passed, 0 failed", "no cases"),
            ("[b] case x: ok\n[b] cases: 1 passed, 0 failed", "without its last line"),
        ] {
            assert!(cases("a", &lines(text)).broken.unwrap().contains(why), "{text}");
        }
        assert_eq!(cases("a", &lines("[a] case x: okay\n[a] cases: 0 passed, 1 failed")).failed.len(), 1);
    }

    #[test]
    fn all_of_a_group_must_hold() {
        const GROUP: Expectation =
            Expectation::All(&[Expectation::Line("a"), Expectation::Line("b"), Expectation::Line("c")]);
        let unmet = |text| GROUP.unmet(&lines(text), &Reports::new([]));
        assert_eq!(unmet("a\nb\nc"), None);
        assert_eq!(unmet("b").unwrap(), "no line has: a\nno line has: c");
        const CASES: Expectation = Expectation::All(&[Expectation::Cases("a"), GROUP, Expectation::Cases("b")]);
        assert_eq!(CASES.counted_vms(&[]), ["a", "b"]);
        const ALIKE: Expectation = Expectation::All(&[Expectation::Line("x"), Expectation::SameAs("first", "[a] x")]);
        let first = lines("[a] x 1");
        let unlike = |text| ALIKE.unlike(&lines(text), |_| Some(&first));
        assert_eq!(unlike("[a] x 1"), None);
        assert!(unlike("[a] x 2").is_some());
    }

    #[test]
    fn nobody_reports_cases_unseen() {
        let lines = lines("[a] case x: ok\n[a] cases: 1 passed, 0 failed\n[b] said cases: none\n[c] cases: 0 passed");
        assert!(uncounted(&["a", "c"], &lines).is_empty());
        assert_eq!(uncounted(&["a"], &lines), ["c reports cases, and the test does not count them"]);
    }

    #[test]
    fn a_reset_starts_the_count_again() {
        let boot = "[a] conformance: arguments \"\"\n[a] case x: ok\n";
        let text = format!("{boot}{boot}[a] cases: 1 passed, 0 failed");
        assert_eq!(cases("a", &lines(&text)), Cases { passed: 2, failed: vec![], broken: None });
        assert!(cases("a", &lines(&format!("{text}\n{boot}"))).broken.is_some());
    }

    #[test]
    fn a_stopped_vm_is_named_with_its_fault() {
        let good = "portcullis: a vcpu 0: stopped: data abort: pc 0x4 syndrome 0x92000045 address 0x0 (ipa 0x0)";
        let unmet = |line: &str, vm| Expectation::Stopped(vm).unmet(&lines(line), &Reports::new([]));
        assert_eq!(unmet(good, "a"), None);
        assert!(unmet(good, "b").is_some());
        assert!(unmet(&good.replace("syndrome", "x"), "a").is_some());
        assert!(Expectation::StoppedOrCases("a").counted_vms(&lines(good)).is_empty());
        assert_eq!(Expectation::StoppedOrCases("b").counted_vms(&lines(good)), ["b"]);
    }

    #[test]
    fn expectations_are_met_or_say_what_is_wrong() {
        let lines = lines("[a] hello world");
        let mut reports = Reports::new(["a".to_owned()]);
        let bytes: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        reports.take(&format!("[a] firmware-check: trng=yes bytes={bytes} time=1.5 date=0 hwclock=1"), UNIX_EPOCH);
        let unmet = |expectation: Expectation| expectation.unmet(&lines, &reports);
        assert_eq!(unmet(Expectation::Line("lo wo")), None);
        assert!(unmet(Expectation::Line("bye")).is_some());
        assert_eq!(unmet(Expectation::Says("a", "world")), None);
        assert!(unmet(Expectation::Says("a", "bye")).is_some());
        assert!(unmet(Expectation::Says("b", "world")).is_some());
        assert_eq!(unmet(Expectation::Sequence(&["hello"])), None);
        assert!(unmet(Expectation::Sequence(&["hello", "hello"])).unwrap().ends_with(": hello"));
        assert_eq!(unmet(Expectation::Never("bye")), None);
        assert!(unmet(Expectation::Never("hello")).is_some());
        assert!(unmet(Expectation::NoGuest).is_some());
        assert_eq!(Expectation::NoGuest.unmet(&["portcullis: [x]".to_owned()], &reports), None);
        assert_eq!(unmet(Expectation::Value("a", "trng", "yes")), None);
        assert!(unmet(Expectation::Value("a", "trng", "no")).is_some());
        assert!(unmet(Expectation::Value("b", "trng", "yes")).is_some());
        assert_eq!(unmet(Expectation::Entropy("a")), None);
        assert_eq!(unmet(Expectation::Clock("a")), None);
        assert_eq!(unmet(Expectation::Date("a")), None);
        reports.take("[a] firmware-check: hwclock=9", UNIX_EPOCH);
        assert!(Expectation::Date("a").unmet(&lines, &reports).unwrap().contains("9.0"));
    }

    #[test]
    fn runs_are_compared() {
        let (first, second) = (lines("[a] words: 1 2"), lines("x\n[a] words: 1 3"));
        let unlike = |expectation: Expectation, lines: &[String]| {
            expectation.unlike(lines, |case| (case == "first").then_some(first.as_slice()))
        };
        assert_eq!(unlike(Expectation::SameAs("first", "[a] words"), &first), None);
        assert!(unlike(Expectation::SameAs("first", "[a] words"), &second).unwrap().contains("not as in first"));
        assert_eq!(unlike(Expectation::DiffersFrom("first", "[a] words"), &second), None);
        assert!(unlike(Expectation::DiffersFrom("first", "[a] words"), &first).is_some());
        assert!(unlike(Expectation::DiffersFrom("other", "[a] words"), &first).is_some(), "no such case");
        assert!(unlike(Expectation::DiffersFrom("first", "[a] words"), &[]).is_some(), "no such line");
        assert_eq!(unlike(Expectation::Line("x"), &[]), None);
    }

    #[test]
    fn calls_of_the_firmware_are_exactly_those_expected() {
        const CALLS: Expectation = Expectation::OnlyCalls(&[0x8400_0000, 0xc400_0053]);
        let unmet = |text: &str| CALLS.unmet(&lines(text), &Reports::new([]));
        let right =
            "el3: 3 SMCs in all\nel3: 0x84000000 called 1 times, w7 = 0\nel3: 0xc4000053 called 2 times, w7 = 0";
        assert_eq!(unmet(right), None);
        assert!(unmet(&format!("{right}\nel3: 0x82000000 called 1 times, w7 = 1")).unwrap().contains("0x82000000"));
        assert!(unmet(&format!("{right}\nel3: others called 1 times")).is_some());
        assert!(unmet("el3: 0x84000000 called 1 times").unwrap().contains("0xc4000053"));
    }

    #[test]
    fn numbers_are_all_there_and_in_order() {
        let unmet = |text| Expectation::Numbered(2).unmet(&lines(text), &Reports::new([]));
        assert_eq!(unmet("ops> echo 0000000\n0000000\n[a] x\n0000001"), None);
        assert!(unmet("0000000").unwrap().contains("0000001"));
        assert!(unmet("0000001\n0000000").is_some());
        assert!(unmet("0000000\n0000001\n0000002").unwrap().contains("one number more"));
        let at_most = |most| Expectation::AtMost(most, "x").unmet(&lines("x\nax\ny"), &Reports::new([]));
        assert_eq!(at_most(2), None);
        assert!(at_most(1).unwrap().contains("2 lines have"));
    }

    #[test]
    fn lines_that_are_the_same_are_seen() {
        let unmet = |text| Expectation::Distinct(2, "at=").unmet(&lines(text), &Reports::new([]));
        assert_eq!(unmet("[a] at=1\nx\n[a] at=2"), None);
        assert!(unmet("[a] at=1\n[a] at=1").unwrap().contains("at=1"));
        assert!(unmet("[a] at=1").unwrap().contains("1 of 2"));
    }

    #[test]
    fn constant_bytes_are_no_entropy() {
        assert!(!is_entropy(&"00".repeat(32)));
        assert!(!is_entropy("0001020304050607"));
        assert!(!is_entropy(&"zz".repeat(32)));
        assert!(!is_entropy(&"é".repeat(32)));
    }
}
