use portcullis_abi::function::{
    SMC64, TRNG_RND64, TRNG_UUID_RNDRRS_WORDS, TRNG_VERSION, VENDOR_FEATURES, VENDOR_PTP, VENDOR_UID,
};

use super::*;
use crate::random::UUID_WORDS;
use crate::reply::Start;

const NOW: Now = Now { count: 3_000_000_001, frequency: 1_000_000_000 };
const KEPT: [u64; 7] = [0xaaaa, 0xbbbb, 0xcccc, 0xdddd, 0xeeee, 0xffff, 0x1_0000_0007];

fn call(mode: Mode, function: u32, x1: u64) -> Answer {
    let [_, x2, x3, x4, x5, x6, x7] = KEPT;
    answer(&mut State::new(mode.into(), 2), NOW, [function.into(), x1, x2, x3, x4, x5, x6, x7])
}

fn result(mode: Mode, function: u32, x1: u64) -> i64 {
    match call(mode, function, x1) {
        Answer::Four([x0, ..]) => x0 as i64,
        other => panic!("{function:#x}: {other:?}"),
    }
}

#[test]
fn the_machine_can_be_switched_off_in_every_mode() {
    for mode in Mode::ALL {
        assert_eq!(call(mode, PSCI_SYSTEM_OFF, 0), Answer::PowerOff);
        assert_eq!(call(mode, PSCI_SYSTEM_RESET, 0), Answer::Reset);
    }
}

#[test]
fn the_soc_has_a_name_from_smccc_1_2_on() {
    let named = |mode| {
        [result(mode, ARCH_FEATURES, ARCH_SOC_ID.into()), result(mode, ARCH_SOC_ID, 0), result(mode, ARCH_SOC_ID, 1)]
    };
    assert_eq!(named(Mode::Honest), [0, 0x043b_0102, 3]);
    assert_eq!(result(Mode::Honest, ARCH_SOC_ID, 2), -3);
    assert_eq!([named(Mode::SmcccOneOne), named(Mode::Nameless)], [[-1; 3]; 2]);
    assert_eq!(result(Mode::Nameless, SMCCC_VERSION, 0), 0x1_0002);
}

#[test]
fn a_call_can_be_answered_late() {
    let late = |milliseconds| call(Mode::Honest, crate::echo::LATE, milliseconds);
    assert_eq!(late(2_500), Answer::Late(2_500_000_000));
    assert_eq!(late(u64::MAX), Answer::Late(10_000_000_000), "it ends");
}

#[test]
fn no_core_comes_from_a_silent_firmware() {
    assert_eq!(result(Mode::Silent, CPU_ON_64, 1), 0);
    assert_eq!(result(Mode::Silent, CPU_ON_64, 0), -4);
    assert_eq!(result(Mode::Silent, CPU_ON_64, 2), -2);
}

#[test]
fn cores_start_in_every_other_mode() {
    for mode in Mode::ALL.into_iter().filter(|mode| *mode != Mode::Silent) {
        for function in [PSCI_CPU_ON, CPU_ON_64] {
            let start = Start { core: 1, entry: KEPT[1], argument: KEPT[2] };
            assert_eq!(call(mode, function, 1), Answer::Start(start), "{mode:?}");
            assert_eq!(result(mode, function, 0), -4);
            assert_eq!(result(mode, function, 2), -2);
        }
    }
}

#[test]
fn honest_firmware_says_its_versions() {
    let others =
        [Mode::Garbage, Mode::Old, Mode::Leftovers, Mode::Stays, Mode::Deaf, Mode::SmcccOne, Mode::SmcccOneOne];
    for mode in Mode::ALL.into_iter().filter(|mode| !others.contains(mode)) {
        assert_eq!(result(mode, PSCI_VERSION, 0), 0x1_0001);
        assert_eq!(result(mode, PSCI_FEATURES, SMCCC_VERSION.into()), 0);
        assert_eq!(result(mode, PSCI_FEATURES, PSCI_SYSTEM_OFF.into()), 0);
        for function in [PSCI_CPU_ON, CPU_ON_64, PSCI_AFFINITY_INFO, AFFINITY_INFO_64] {
            assert_eq!(result(mode, PSCI_FEATURES, function.into()), 0);
        }
        assert_eq!(result(mode, PSCI_FEATURES, 0x8400_0012), -1);
        assert_eq!(result(mode, SMCCC_VERSION, 0), 0x1_0002);
        assert_eq!(result(mode, ARCH_FEATURES, ARCH_FEATURES.into()), 0);
        let workarounds = [0x8000_8000, 0x8000_7fff, 0x8000_3fff].map(|function| result(mode, ARCH_FEATURES, function));
        assert_eq!(
            workarounds,
            match mode {
                Mode::Workarounds => [0; 3],
                Mode::FirstWorkaround => [0, -1, -1],
                _ => [-1; 3],
            }
        );
    }
}

#[test]
fn a_workaround_leaves_nothing_of_its_arguments() {
    for function in [0x8000_8000, 0x8000_7fff, 0x8000_3fff] {
        assert!(matches!(call(Mode::Workarounds, function, 1), Answer::Four([0xdead_0000, ..])));
    }
    assert_eq!(result(Mode::FirstWorkaround, 0x8000_3fff, 0), -1);
    assert_eq!(result(Mode::Honest, 0x8000_8000, 0), -1);
}

#[test]
fn older_firmware_has_less() {
    assert_eq!(result(Mode::Old, PSCI_VERSION, 0), 2);
    for function in [PSCI_FEATURES, SMCCC_VERSION, TRNG_VERSION, echo::BASE_32, echo::BASE_64] {
        assert_eq!(result(Mode::Old, function, PSCI_VERSION.into()), -1);
    }
    assert_eq!(result(Mode::SmcccOneOne, SMCCC_VERSION, 0), 0x1_0001);
    assert_eq!(result(Mode::SmcccOne, PSCI_VERSION, 0), 0x1_0000);
    assert_eq!(result(Mode::SmcccOne, PSCI_FEATURES, PSCI_VERSION.into()), 0);
    assert_eq!(result(Mode::SmcccOne, PSCI_FEATURES, SMCCC_VERSION.into()), -1);
    for function in [SMCCC_VERSION, ARCH_FEATURES, TRNG_VERSION] {
        assert_eq!(result(Mode::SmcccOne, function, SMCCC_VERSION.into()), -1);
    }
}

#[test]
fn what_is_not_known_keeps_the_arguments() {
    for function in [0, 0x8400_0005, 0x8200_0100, 0xc200_0100, VENDOR_UID, TRNG_RND64 ^ SMC64 ^ 0x70, u32::MAX] {
        assert_eq!(call(Mode::Honest, function, KEPT[0]), Answer::Four([u64::MAX, KEPT[0], KEPT[1], KEPT[2]]));
    }
}

#[test]
fn the_identifier_is_in_w0() {
    let answer = answer(&mut State::new(Mode::Honest.into(), 1), NOW, [0xffff_ffff_8400_0000, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(answer, Answer::Four([0x1_0001, 0, 0, 0]));
}

#[test]
fn echoes_can_be_recognised() {
    let x1 = 0x1234_5678_ffff_ffff;
    assert_eq!(call(Mode::Honest, 0xc200_00ff, x1), Answer::Four([0xc200_00aa, x1 + 1, KEPT[1] + 2, 7]));
    assert_eq!(call(Mode::Honest, 0x8200_0010, x1), Answer::Four([0x8200_0045, x1 + 1, KEPT[1] + 2, 7]));
    assert_eq!(call(Mode::Honest, 0x8200_0020, x1), Answer::Four([0, x1, KEPT[1], KEPT[2]]));
    assert_eq!(call(Mode::Honest, 0xc200_0020, u64::MAX), Answer::Four([0xc200_0075, 0, KEPT[1] + 2, 7]));
    let Answer::Eight(results) = call(Mode::Honest, 0xc200_0010, 0) else { panic!("not eight results") };
    assert!(results.into_iter().eq(0x100..0x108));
}

#[test]
fn garbage_begins_where_it_should_and_goes_on() {
    let mut state = State::new(Setting { mode: Mode::Garbage, start: 2 }, 2);
    let x = [CPU_ON_64.into(), 1, 0, 0, 0, 0, 0, 0];
    assert!(matches!(answer(&mut state, NOW, x), Answer::Start(_)), "this uses nothing of the list up");
    let mut next = || answer(&mut state, NOW, [PSCI_VERSION.into(), 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(next(), Answer::Four(garbage::values(2, 0)));
    assert_eq!(next(), Answer::Four(garbage::values(2, 1)));
    let info = answer(&mut state, NOW, [AFFINITY_INFO_64.into(), 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(info, Answer::Four(garbage::values(2, 2)));
}

#[test]
fn ptp_counts_from_an_epoch_of_its_own() {
    for (mode, tells) in [(Mode::Ptp, true), (Mode::PtpLiar, false)] {
        let identity = [0xb66f_b428, 0xe911_c52e, 0x564b_caa9, 0x743a_004d];
        assert_eq!(call(mode, VENDOR_UID, 0), Answer::Four(identity));
        assert_eq!(call(mode, VENDOR_FEATURES, 0), Answer::Four([3, 0, 0, 0]));
        assert_eq!(result(mode, TRNG_VERSION, 0), -1);
        assert_eq!(result(mode, VENDOR_PTP, 2), -1);
        for counter in [0, 1] {
            let Answer::Four([x0, x1, x2, x3]) = call(mode, VENDOR_PTP, counter) else { panic!("not four results") };
            assert!([x0, x1, x2, x3].iter().all(|part| part >> 32 == 0));
            assert_eq!(x0 << 32 | x1, 2_000_000_003_000_000_001);
            let count = x2 << 32 | x3;
            assert_eq!(count == NOW.count, tells);
            assert!(tells || count >> 56 == 0xff);
        }
    }
    let slower = Now { count: 62_500_001, frequency: 62_500_000 };
    assert_eq!(ptp::time(slower), 2_000_000_001_000_000_016);
    assert_eq!(result(Mode::Honest, VENDOR_PTP, 0), -1);
}

#[test]
fn its_uuid_is_not_the_hypervisors_own() {
    assert_ne!(UUID_WORDS, TRNG_UUID_RNDRRS_WORDS);
}
