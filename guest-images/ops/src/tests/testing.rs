//! The commands for tests.

use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_abi::function;
use portcullis_abi::manage::*;
use portcullis_gate::Register;

use super::{NAMES, play};
use crate::context::Tally;
use crate::fake::Fake;
use crate::manager::{Answer, Conduit};

#[test]
fn selftest_passes_on_the_real_policy() {
    let (out, tally, _) = play(&mut Fake::new(&NAMES), "selftest linux-a");
    assert_eq!(tally.failed, 0, "{out}");
    assert!(tally.passed > 100 && out.ends_with("1 commands, 0 failed\n"), "{tally:?}");
    for name in ["H1", "H2", "H3", "H4", "H5", "H6", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "G1"] {
        assert!(out.contains(&format!("case {name} ")), "{name}");
    }
}

#[test]
fn peers_tells_open_from_closed() {
    fn closed(_: Conduit, function: u32, [asked, ..]: [u64; 3]) -> Answer {
        let is_off2 = |id: u32| id & !function::SMC64 == function::PSCI_SYSTEM_OFF2;
        let status = match function {
            function::PSCI_VERSION => 0x1_0003,
            function::PSCI_FEATURES if is_off2(asked as u32) => 1,
            _ if is_off2(function) => -2,
            _ => NOT_SUPPORTED,
        };
        Answer { status, values: [0; 3] }
    }
    let mut fake = Fake::new(&NAMES);
    fake.firmware = closed;
    let (out, tally, _) = play(&mut fake, "peers closed");
    assert_eq!(tally, Tally { passed: 2 * (11 + 3 + 1 + 2 + 6), failed: 0 }, "{out}");
    let (out, tally, _) = play(&mut fake, "peers open");
    assert_eq!(tally.failed, 2 * (11 + 3 + 1), "{out}");
}

#[test]
fn peers_waits_for_a_time_that_is_not_told_yet() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn young(_: Conduit, function: u32, _: [u64; 3]) -> Answer {
        let told = function == function::VENDOR_PTP && CALLS.fetch_add(1, Ordering::Relaxed) >= 1000;
        Answer { status: if told { 400_000_000 } else { NOT_SUPPORTED }, values: [0; 3] }
    }
    let mut fake = Fake::new(&NAMES);
    fake.firmware = young;
    let (out, ..) = play(&mut fake, "peers open");
    for by in ["hvc", "smc"] {
        assert!(out.contains(&format!("case H8 {by} VENDOR_PTP answers: ok")), "{out}");
    }
    // Without patience there would be no waiting, without an end of it no answer here.
    assert!((2_000_000..10_000_000).contains(&fake.counter), "{}", fake.counter);
    fake.firmware = |_, _, _| Answer { status: NOT_SUPPORTED, values: [0; 3] };
    let (out, ..) = play(&mut fake, "peers open");
    assert!(out.contains("case H8 smc VENDOR_PTP answers: FAIL"), "{out}");
}

#[test]
fn fuzz_finds_a_register_that_changes_by_itself() {
    let mut fake = Fake::new(&NAMES);
    let (out, tally, _) = play(&mut fake, "fuzz 20000 1 1 2; fuzz 20000 2 linux-a");
    assert_eq!(tally, Tally { passed: 2, failed: 0 }, "{out}");
    assert!(fake.vms[1..].iter().any(|vm| vm.row.get(Register::Std) == 0), "nothing was set");
    fake.flip_after = Some(fake.calls + 5000);
    let (out, tally, _) = play(&mut fake, "fuzz 20000 3 linux-a linux-b");
    assert_eq!(tally, Tally { passed: 0, failed: 1 }, "{out}");
    fake.control = false;
    assert_eq!(play(&mut fake, "fuzz 1000 4").1, Tally { passed: 1, failed: 0 });
}

#[test]
fn cycle_finds_lost_memory() {
    let mut fake = Fake::new(&NAMES);
    let (out, tally, _) = play(&mut fake, "cycle linux-a 20");
    assert_eq!(tally, Tally { passed: 2, failed: 0 }, "{out}");
    fake.leak = 4096;
    assert_eq!(play(&mut fake, "cycle linux-a 20").1, Tally { passed: 1, failed: 1 });
}

/// The VM has run for 101 times 10 ms, and had 501 exits by cause `interrupt`.
#[test]
fn disturbed_counts_interrupts_by_the_time_in_which_they_came() {
    let mut fake = Fake::new(&NAMES);
    fake.vms[1].vcpus = vec![[1_005_000_000, 0, 0], [5_000_000, 0, 0]];
    let (out, tally, _) = play(&mut fake, "disturbed linux-a 5");
    assert_eq!(tally, Tally { passed: 1, failed: 0 }, "{out}");
    assert_eq!(play(&mut fake, "disturbed linux-a 4").1, Tally { passed: 0, failed: 1 });
    fake.vms[1].vcpus = vec![[0; 3]];
    assert_eq!(play(&mut fake, "disturbed linux-a 5").1, Tally { passed: 0, failed: 1 }, "it has not run");
}
