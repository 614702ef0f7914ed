//! Findings about firmware of every kind: honest, old, lying, and answering anything at all.

use core::cell::Cell;

use portcullis_abi::function::*;
use portcullis_board::{Entropy, SocId};

use smccc::arch::Version;
use smccc::{Call, psci};

use super::Findings;
use super::el3::{El3, wide};
use super::ptp::{Counter, Ptp};
use super::trng::{El3Trng, Fault, Identity, Trng};
use crate::facts::{Psci, PsciMethod, PsciVersion};

/// What a fake does: the number of the call, from 0 up, and its registers.
type Answers = fn(u64, [u64; 8]) -> [u64; 8];

/// Firmware that a function plays; its state is the thread's own.
pub struct Fake;

thread_local! {
    static ANSWERS: Cell<Answers> = const { Cell::new(|_, _| x0(NONE)) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// The counter, for answers that tell it too.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

impl Fake {
    /// Lets `answers` play the firmware from here on.
    pub fn set(answers: Answers) {
        ANSWERS.set(answers);
        CALLS.set(0);
        NOW.set(5_000);
    }

    fn call(x: [u64; 8]) -> [u64; 8] {
        let number = CALLS.replace(CALLS.get() + 1);
        NOW.set(NOW.get() + 50);
        let answer = ANSWERS.get()(number, x);
        NOW.set(NOW.get() + 50);
        answer
    }
}

impl Call for Fake {
    fn call32(function: u32, [a, b, c, d, e, f, g]: [u32; 7]) -> [u32; 8] {
        Self::call([function, a, b, c, d, e, f, g].map(u64::from)).map(|x| x as u32)
    }

    fn call64(function: u32, [a, b, c, d, e, f, g, ..]: [u64; 17]) -> [u64; 18] {
        wide(Self::call([u64::from(function), a, b, c, d, e, f, g]))
    }
}

impl El3 for Fake {
    fn count() -> u64 {
        NOW.get()
    }
}

const NONE: u64 = u64::MAX;

fn x0(value: u64) -> [u64; 8] {
    [value, 0, 0, 0, 0, 0, 0, 0]
}

/// PSCI 1.1, SMCCC 1.5, TRNG 1.0 that counts, nothing else: TF-A's way.
const HONEST: Answers = |number, x| match x[0] as u32 {
    PSCI_VERSION => x0(0x1_0001),
    PSCI_FEATURES if x[1] as u32 == SMCCC_VERSION => x0(0),
    SMCCC_VERSION => x0(0x1_0005),
    TRNG_VERSION => x0(0x1_0000),
    TRNG_FEATURES if [TRNG_RND32, TRNG_RND64].contains(&(x[1] as u32)) => x0(0),
    TRNG_GET_UUID => [0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444, 0, 0, 0, 0],
    TRNG_RND64 => {
        let words = x[1].div_ceil(64);
        [
            0,
            if words > 2 { number << 8 | 3 } else { 0 },
            if words > 1 { number << 8 | 2 } else { 0 },
            number << 8 | 1,
            0,
            0,
            0,
            0,
        ]
    }
    _ => x0(NONE),
};

/// The same without TRNG, and with KVM's PTP. Its counter is ours, and its clock 2 * 10^18 ns ahead of it.
pub const KVM: Answers = |number, x| match x[0] as u32 {
    TRNG_VERSION => x0(-4_i64 as u64),
    VENDOR_UID => [0xb66f_b428, 0xe911_c52e, 0x564b_caa9, 0x743a_004d, 0, 0, 0, 0],
    VENDOR_FEATURES => x0(3),
    VENDOR_PTP => {
        let count = NOW.get() + if x[1] == 0 { 77_000 } else { 0 };
        let time = 2_000_000_000_000_000_000 + NOW.get() * 1000;
        [time >> 32, time & 0xffff_ffff, count >> 32, count & 0xffff_ffff, 0, 0, 0, 0]
    }
    _ => HONEST(number, x),
};

const BY_SMC: Option<Psci> = Some(Psci { method: PsciMethod::Smc, version: PsciVersion::V1_0 });

fn gather(answers: Answers) -> Findings {
    Fake::set(answers);
    Findings::gather::<Fake>(BY_SMC)
}

fn trng_and_ptp(answers: Answers) -> (Trng, Ptp) {
    match gather(answers) {
        Findings::Full { trng, ptp, .. } => (trng, ptp),
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_psci_by_smc_no_call_is_ever_made() {
    for psci in [
        None,
        Some(Psci { method: PsciMethod::Hvc, version: PsciVersion::V1_0 }),
        Some(Psci { method: PsciMethod::Smc, version: PsciVersion::V0_1 }),
    ] {
        Fake::set(|_, x| panic!("called with {x:x?}"));
        assert_eq!(Findings::gather::<Fake>(psci), Findings::NotAsked);
    }
}

#[test]
fn tf_a_is_found_with_its_random_numbers() {
    let identity = Identity {
        version: Version { major: 1, minor: 0 },
        uuid: [0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444],
        dry: false,
    };
    let tf_a = Identity { uuid: [0x9ca0_2d31, 0x3948_1a66, 0x1aa9_c989, 0x5434_dac4], ..identity };
    assert_eq!(format!("{}", Trng::Usable(tf_a)), "1.0, 312da09c-661a-4839-89c9-a91ac4da3454");
    let (psci, smccc) = (psci::Version { major: 1, minor: 1 }, Version { major: 1, minor: 5 });
    let found = gather(HONEST);
    assert_eq!(found, Findings::Full { psci, smccc, trng: Trng::Usable(identity), ptp: Ptp::Absent, soc: None });
    assert!(found.is_wide());
    assert_eq!(format!("{found}"), "PSCI 1.1, SMCCC 1.5");
}

#[test]
fn old_firmware_is_left_alone() {
    let only = |major, minor| Findings::PsciOnly(Some(psci::Version { major, minor }));
    // PSCI 0.2 has no PSCI_FEATURES: it is not called.
    assert_eq!(
        gather(|_, x| match x[0] as u32 {
            PSCI_VERSION => x0(2),
            _ => panic!("{x:x?}"),
        }),
        only(0, 2)
    );
    // QEMU's own PSCI says that there is no SMCCC_VERSION.
    let qemu: Answers = |_, x| if x[0] as u32 == PSCI_VERSION { x0(0x1_0001) } else { x0(NONE) };
    assert_eq!(gather(qemu), only(1, 1));
    let smccc: Answers = |number, x| if x[0] as u32 == SMCCC_VERSION { x0(0x1_0000) } else { HONEST(number, x) };
    assert_eq!(gather(smccc), only(1, 1));
    let smccc: Answers = |number, x| if x[0] as u32 == SMCCC_VERSION { x0(0x1_0001) } else { HONEST(number, x) };
    assert!(matches!(gather(smccc), Findings::Full { .. }) && !gather(smccc).is_wide());
}

#[test]
fn a_negative_number_of_either_width_means_absent() {
    for answers in [
        (|number, x| if x[0] as u32 == TRNG_VERSION { x0(0xffff_fffc) } else { HONEST(number, x) }) as Answers,
        |number, x| if x[0] as u32 == TRNG_VERSION { x0(-1_i64 as u64) } else { HONEST(number, x) },
        |number, x| if x[0] as u32 == TRNG_VERSION { x0(0x8000_0000) } else { HONEST(number, x) },
    ] {
        assert_eq!(trng_and_ptp(answers).0, Trng::Absent);
    }
}

#[test]
fn psci_s_codes_are_read_whether_or_not_they_are_extended() {
    for (status, result) in [
        (0, Ok(())),
        (0xffff_fffc, Err(psci::Error::AlreadyOn)),
        (-4_i64 as u64, Err(psci::Error::AlreadyOn)),
        (1 << 32, Ok(())),
    ] {
        STATUS.set(status);
        Fake::set(|_, _| x0(STATUS.get()));
        assert_eq!(psci::cpu_on::<Fake>(1, 0x8_0000, 0), result, "{status:#x}");
    }
}

thread_local! {
    /// What the fake of the test above returns.
    static STATUS: Cell<u64> = const { Cell::new(0) };
}

#[test]
fn a_trng_that_lies_is_not_used_and_the_lie_is_named() {
    let lies: [(Answers, Fault, &str); 6] = [
        (
            |number, x| if x[0] as u32 == TRNG_VERSION { x0(0x2_0000) } else { HONEST(number, x) },
            Fault::Version(Version { major: 2, minor: 0 }),
            "not used: it says version 2.0, and only 1.x is known",
        ),
        (
            |number, x| if x[0] as u32 == TRNG_FEATURES { x0(NONE) } else { HONEST(number, x) },
            Fault::NoRnd64,
            "not used: it has no TRNG_RND64",
        ),
        (
            |number, x| if x[0] as u32 == TRNG_GET_UUID { x0(NONE) } else { HONEST(number, x) },
            Fault::NoUuid,
            "not used: it has no UUID",
        ),
        (
            |number, x| if x[0] as u32 == TRNG_RND64 { x0(NONE) } else { HONEST(number, x) },
            Fault::Code(-1),
            "not used: its TRNG_RND64 returns -1",
        ),
        (
            |number, x| if x[0] as u32 == TRNG_RND64 { [0, 1, 2, 3, 0, 0, 0, 0] } else { HONEST(number, x) },
            Fault::TooManyBits,
            "not used: it gives more bits than asked for",
        ),
        (
            |number, x| if x[0] as u32 == TRNG_RND64 { [0, 0, 0, 3, 0, 0, 0, 0] } else { HONEST(number, x) },
            Fault::Repeats,
            "not used: it gives the same bits twice",
        ),
    ];
    for (answers, fault, words) in lies {
        let (trng, _) = trng_and_ptp(answers);
        assert_eq!(trng, Trng::Unusable(fault));
        assert_eq!(format!("{trng}"), words);
    }
}

#[test]
fn a_trng_without_bits_is_used_and_tells_it() {
    let dry: Answers = |number, x| if x[0] as u32 == TRNG_RND64 { x0(-3_i64 as u64) } else { HONEST(number, x) };
    let (Trng::Usable(identity), _) = trng_and_ptp(dry) else { panic!("not usable") };
    assert!(identity.dry);
    let source = El3Trng::<Fake>::new(identity);
    assert!(!source.draw(&mut [0; 3]));
    assert_eq!(source.uuid(), identity.uuid);
}

#[test]
fn bits_come_from_x3_up_and_are_those_of_one_call() {
    let (Trng::Usable(identity), _) = trng_and_ptp(HONEST) else { panic!("not usable") };
    Fake::set(HONEST);
    let source = El3Trng::<Fake>::new(identity);
    let mut seen = Vec::new();
    for length in [1, 2, 3, 1, 3] {
        let mut words = vec![0; length];
        assert!(source.draw(&mut words));
        seen.extend(words);
    }
    let mut unique = seen.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 10, "each is handed out once: {seen:?}");
    assert_eq!(seen[..3], [1, 1 << 8 | 1, 1 << 8 | 2], "the lowest bits stand in x3");
    assert!(!source.draw(&mut [0; 4]), "more than a call gives");
}

#[test]
fn a_trng_that_breaks_later_gives_nothing() {
    let identity = Identity { version: Version { major: 1, minor: 0 }, uuid: [0; 4], dry: false };
    for code in [-1_i64, -2, 1, 0x7fff_ffff] {
        // The code must reach the fake, which is a plain function.
        Fake::set(|_, _| x0(u64::from(CODE.get())));
        let source = El3Trng::<Fake>::new(identity);
        CODE.set(code as u32);
        assert!(!source.draw(&mut [0; 1]), "{code}");
    }
}

thread_local! {
    /// What the fake of the test above returns.
    static CODE: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn ptp_is_used_if_its_counter_is_ours() {
    assert_eq!(trng_and_ptp(KVM), (Trng::Absent, Ptp::Usable(Counter::Physical)));
    // What it calls the virtual counter is our physical one.
    let swapped: Answers = |number, mut x| {
        x[1] ^= u64::from(x[0] as u32 == VENDOR_PTP);
        KVM(number, x)
    };
    assert_eq!(trng_and_ptp(swapped).1, Ptp::Usable(Counter::Virtual));
    let other: Answers = |number, x| match x[0] as u32 {
        VENDOR_PTP => [1, 2, 3, 4, 0, 0, 0, 0],
        _ => KVM(number, x),
    };
    assert_eq!(trng_and_ptp(other).1, Ptp::OtherCounter);
    let silent: Answers = |number, x| if x[0] as u32 == VENDOR_PTP { x0(NONE) } else { KVM(number, x) };
    assert_eq!(trng_and_ptp(silent).1, Ptp::Silent);
    let no_bit: Answers = |number, x| if x[0] as u32 == VENDOR_FEATURES { x0(1) } else { KVM(number, x) };
    assert_eq!(trng_and_ptp(no_bit).1, Ptp::Absent);
    let refuses: Answers = |number, x| if x[0] as u32 == VENDOR_FEATURES { x0(NONE) } else { KVM(number, x) };
    assert_eq!(trng_and_ptp(refuses).1, Ptp::Absent);
}

#[test]
fn the_soc_is_named_by_firmware_that_says_both_numbers() {
    let soc = |answers| gather(answers).soc();
    let named: Answers = |number, x| match [x[0] as u32, x[1] as u32] {
        [ARCH_FEATURES, ARCH_SOC_ID] => x0(0),
        [ARCH_SOC_ID, 0] => x0(0x043b_0102),
        [ARCH_SOC_ID, 1] => x0(0x7fff_ffff),
        _ => HONEST(number, x),
    };
    assert_eq!(soc(named), Some(SocId { version: 0x043b_0102, revision: 0x7fff_ffff }));
    assert_eq!(soc(HONEST), None);
    // Before SMCCC 1.2 nobody is asked, whatever the answer would be.
    let old: Answers = |_, x| match x[0] as u32 {
        PSCI_VERSION | SMCCC_VERSION => x0(0x1_0001),
        PSCI_FEATURES => x0(0),
        ARCH_FEATURES | ARCH_SOC_ID => panic!("asked"),
        _ => x0(NONE),
    };
    assert_eq!(soc(old), None);
    // It says that it has the call, and has not, or half of it; -1 of 32 bits is an error too.
    for first_refused in [0, 1] {
        CODE.set(first_refused);
        let liar: Answers = |number, x| match [x[0] as u32, x[1] as u32] {
            [ARCH_FEATURES, ARCH_SOC_ID] => x0(0),
            [ARCH_SOC_ID, kind] if u64::from(kind) >= CODE.get() as u64 => x0(0xffff_ffff),
            [ARCH_SOC_ID, _] => x0(5),
            _ => HONEST(number, x),
        };
        assert_eq!(soc(liar), None);
    }
}

/// Firmware that returns any value in turn: from wherever in the list it starts, the work is bounded and nothing that
/// was found can hurt.
#[test]
fn garbage_is_asked_fifteen_questions_at_the_most() {
    const VALUES: [u64; 24] = [
        0,
        1,
        2,
        3,
        NONE,
        -2_i64 as u64,
        -3_i64 as u64,
        -4_i64 as u64,
        0xffff_ffff,
        0x7fff_ffff,
        0x8000_0000,
        0x1_0000,
        0x1_0001,
        0x1_0002,
        0x1_0005,
        0x2_0000,
        0x10_0000_0000,
        0x7fff_ffff_ffff_ffff,
        1 << 63,
        0xb66f_b428,
        0xe911_c52e,
        0x564b_caa9,
        0x743a_004d,
        0xdead_beef,
    ];
    let garbage: Answers = |number, _| {
        core::array::from_fn(|n| {
            VALUES[((CODE.get() as u64 + number * (1 + CODE.get() as u64 % 23)) as usize + n) % 24]
        })
    };
    for start in 0..24 * 23 {
        CODE.set(start);
        let found = gather(garbage);
        assert!(CALLS.get() <= 15, "{} calls, {found:?}", CALLS.get());
        if let Findings::Full { trng: Trng::Usable(identity), .. } = found {
            Fake::set(garbage);
            let source = El3Trng::<Fake>::new(identity);
            for length in 0..5 {
                _ = source.draw(&mut vec![0; length]);
            }
        }
    }
}
