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
    let right = "el3: 3 SMCs in all\nel3: 0x84000000 called 1 times, w7 = 0\nel3: 0xc4000053 called 2 times, w7 = 0";
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
