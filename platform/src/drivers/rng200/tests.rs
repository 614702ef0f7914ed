//! Every failure that is documented, and how it ends.

use super::fake::Fake;
use super::*;

const HZ: u64 = 54_000_000;
const NIST: u32 = 1 << 5;
const LOCKOUT: u32 = 1 << 31;
const RESET: [&str; 7] = ["off", "clear", "reset generator", "reset", "go", "generator goes", "on"];

/// One that the firmware has left running, with words at hand.
fn running(words: impl IntoIterator<Item = u32>) -> Generator<Fake> {
    let mut fake = Fake { control: 1, ..Fake::default() };
    fake.make(words);
    Generator::new(fake, 0, HZ)
}

/// Lets time pass until the warm-up is over and the FIFO is full.
fn warm(generator: &mut Generator<Fake>) {
    generator.block.make(0..WARM_UP / 32 + 17);
}

#[test]
fn one_that_runs_is_left_alone() {
    let mut generator = running(1..=8);
    assert!(generator.block.log.is_empty());
    let mut words = [0; 3];
    assert!(generator.draw(&mut words, 1));
    assert_eq!(words, [0x2_0000_0001, 0x4_0000_0003, 0x6_0000_0005]);
    assert_eq!(generator.block.fifo.len(), 2);
}

#[test]
fn one_that_stands_still_is_started_and_warms_up() {
    let mut generator = Generator::new(Fake::default(), 0, HZ);
    assert_eq!((generator.block.log.as_slice(), generator.block.warm_up), (&["on"][..], WARM_UP));
    assert_eq!(generator.block.control, RATE | ENABLE);
    let mut words = [7; 3];
    assert!(!generator.draw(&mut words, HZ / 4));
    assert_eq!(words, [0; 3]);
    generator.block.make(0..WARM_UP / 32);
    assert!(!generator.draw(&mut words, HZ / 4), "all of the warm-up and not one bit more");
    generator.block.make(1..=6);
    assert!(generator.draw(&mut words, HZ / 2));
    assert_eq!(words[0], 0x2_0000_0001);
}

#[test]
fn too_few_words_stay_where_they_are() {
    let mut generator = running(1..=5);
    let mut words = [7; 3];
    assert!(!generator.draw(&mut words, 1));
    assert_eq!((words, generator.block.fifo.len()), ([0; 3], 5));
    assert!(generator.draw(&mut words[..1], 2), "two words are enough for 64 bits");
    generator.block.make(6..=8);
    assert!(generator.draw(&mut words, 3));
    assert_eq!(words[0], 0x4_0000_0003);
    assert!(generator.block.log.is_empty());
}

#[test]
fn a_failure_of_its_test_resets_it_in_linux_s_order() {
    for failure in [NIST, LOCKOUT, NIST | LOCKOUT] {
        let mut generator = running(1..=16);
        generator.block.status = failure;
        let mut words = [7; 3];
        assert!(!generator.draw(&mut words, 1));
        assert_eq!((words, generator.block.log.as_slice()), ([0; 3], &RESET[..]));
        assert!(generator.block.fifo.is_empty() && generator.block.status == 0);
        assert!(!generator.draw(&mut words, 2), "warming up again");
        warm(&mut generator);
        assert!(generator.draw(&mut words, 3));
        assert_eq!(generator.resets, 0);
    }
}

#[test]
fn words_read_while_its_test_fails_are_dropped() {
    let mut generator = running(1..=16);
    generator.block.fails_after = Some((3, NIST));
    let mut words = [7; 3];
    assert!(!generator.draw(&mut words, 1));
    assert_eq!(words, [0; 3]);
    assert_eq!(generator.block.log, RESET);
}

#[test]
fn one_that_fails_for_ever_is_given_up() {
    for failure in [NIST, LOCKOUT] {
        let mut generator = running(1..=16);
        generator.block.stuck = failure;
        let mut words = [7; 1];
        for now in 0..100 {
            assert!(!generator.draw(&mut words, now));
        }
        let resets = generator.block.log.iter().filter(|entry| **entry == "reset").count();
        assert_eq!((resets, generator.state), (RESETS as usize, State::Broken));
        assert_eq!(generator.block.control & ENABLE, 0, "and switched off");
        generator.block.stuck = 0;
        warm(&mut generator);
        assert!(!generator.draw(&mut words, 200), "for good");
    }
}

#[test]
fn one_that_never_starts_is_given_up() {
    let mut generator = Generator::new(Fake::default(), 0, HZ);
    let mut words = [7; 1];
    for second in 0..20 {
        assert!(!generator.draw(&mut words, second * (HZ + 1)));
    }
    assert_eq!(generator.state, State::Broken);
}

#[test]
fn one_that_runs_dry_is_reset_after_a_second() {
    let mut generator = running(1..=2);
    let mut words = [7; 1];
    assert!(generator.draw(&mut words, 1));
    assert!(!generator.draw(&mut words, 2) && !generator.draw(&mut words, 2 + HZ));
    assert!(generator.block.log.is_empty());
    assert!(!generator.draw(&mut words, 3 + HZ));
    assert_eq!(generator.block.log, RESET);
    warm(&mut generator);
    assert!(generator.draw(&mut words, 4 + HZ));
}

#[test]
fn a_slow_one_is_not_reset_as_long_as_words_come() {
    let mut generator = running([]);
    generator.block.total_bits = 1000;
    let mut words = [0; 1];
    for second in 1..10 {
        assert!(!generator.draw(&mut words, second * HZ - HZ / 2));
        generator.block.make([second as u32, 100 + second as u32]);
        assert!(generator.draw(&mut words, second * HZ));
    }
    assert!(generator.block.log.is_empty());
}

#[test]
fn the_same_word_over_and_over_is_a_failure() {
    let mut generator = running([5; 16]);
    let mut words = [7; 3];
    assert!(!generator.draw(&mut words, 1));
    assert_eq!((words, generator.block.log.as_slice()), ([0; 3], &RESET[..]));
    // Two equal words in a row happen, also over two draws.
    let mut generator = running([1, 2, 2, 3, 3, 4]);
    assert!(generator.draw(&mut words[..1], 1) && generator.draw(&mut words[..2], 2));
    let mut generator = running([1, 2, 2, 2, 3, 4]);
    assert!(generator.draw(&mut words[..1], 1) && !generator.draw(&mut words[..1], 2));
}

#[test]
fn nothing_is_asked_for() {
    assert!(running([]).draw(&mut [], 1) || running(1..=4).draw(&mut [], 1));
}
