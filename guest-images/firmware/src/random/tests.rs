use super::*;

const START: Now = Now { count: 5_000, frequency: 100_000 };

fn call(entropy: &mut Entropy, mode: Mode, now: Now, function: u32, x1: u64) -> [u64; 4] {
    match entropy.answer(mode, now, &[function.into(), x1, 2, 3, 4, 5, 6, 7]) {
        Some(Answer::Four(results)) => results,
        other => panic!("{function:#x}: {other:?}"),
    }
}

#[test]
fn every_word_is_given_out_once_and_the_first_one_is_lowest() {
    let mut entropy = Entropy::new();
    let mut ask = |function, bits| call(&mut entropy, Mode::Honest, START, function, bits);
    assert_eq!(ask(TRNG_RND64, 192), [0, MARK_64 | 3, MARK_64 | 2, MARK_64 | 1]);
    assert_eq!(ask(TRNG_RND64, 65), [0, 0, 1, MARK_64 | 4]);
    assert_eq!(ask(TRNG_RND64, 8), [0, 0, 0, 6]);
    assert_eq!(ask(TRNG_RND32, 96), [0, MARK_32 | 9, MARK_32 | 8, MARK_32 | 7]);
    assert_eq!(ask(TRNG_RND32, 0xffff_ffff_0000_0004), [0, 0, 0, 10]);
}

#[test]
fn counts_that_there_are_not_are_refused() {
    let mut entropy = Entropy::new();
    let calls = [(TRNG_RND64, 0), (TRNG_RND64, 193), (TRNG_RND64, 193 | 64 << 32), (TRNG_RND32, 0), (TRNG_RND32, 97)];
    for (function, bits) in calls {
        assert_eq!(call(&mut entropy, Mode::Honest, START, function, bits)[0] as i64, -2, "{function:#x} {bits}");
    }
    assert_eq!(call(&mut entropy, Mode::Honest, START, TRNG_RND64, 64)[3], MARK_64 | 1, "nothing was used up");
}

#[test]
fn versions_and_features_are_as_the_mode_says() {
    let ask = |mode, function, x1| call(&mut Entropy::new(), mode, START, function, x1)[0] as i64;
    for mode in [Mode::Honest, Mode::NoEntropy, Mode::TrngLiar, Mode::SlowEntropy] {
        assert_eq!(ask(mode, TRNG_VERSION, 0), 0x1_0000);
        assert_eq!(ask(mode, TRNG_FEATURES, TRNG_RND64.into()), 0);
        assert_eq!(ask(mode, TRNG_FEATURES, 0x8400_0054), -1);
    }
    assert_eq!(ask(Mode::TrngTwo, TRNG_VERSION, 0), 0x2_0000);
    assert_eq!(ask(Mode::NoEntropy, TRNG_RND64, 64), -3);
    assert_eq!(ask(Mode::NoEntropy, TRNG_RND32, 32), -3);
    assert_eq!(ask(Mode::TrngLiar, TRNG_RND64, 64), -1);
    assert_eq!(ask(Mode::TrngLiar, TRNG_RND32, 32), 0);
    let uuid = call(&mut Entropy::new(), Mode::Honest, START, TRNG_GET_UUID, 0);
    assert_eq!(uuid, [0xa2f1_577e, 0x5e4d_4c3b, 0x8271_608f, 0xc6b5_a493]);
}

#[test]
fn slow_entropy_has_three_words_for_ten_milliseconds() {
    let mut entropy = Entropy::new();
    let mut ask = |passed, bits| {
        let now = Now { count: START.count + passed, ..START };
        call(&mut entropy, Mode::SlowEntropy, now, TRNG_RND64, bits)
    };
    assert_eq!(ask(0, 128), [0, 0, MARK_64 | 2, MARK_64 | 1]);
    assert_eq!(ask(1, 128)[0] as i64, -3, "only one is left");
    assert_eq!(ask(2, 64), [0, 0, 0, MARK_64 | 3]);
    assert_eq!(ask(999, 1)[0] as i64, -3);
    assert_eq!(ask(1000, 192), [0, MARK_64 | 6, MARK_64 | 5, MARK_64 | 4]);
    assert_eq!(ask(1999, 64)[0] as i64, -3);
    assert_eq!(ask(2000, 64)[0], 0);
}
