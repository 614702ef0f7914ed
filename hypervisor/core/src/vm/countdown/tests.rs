//! The watchdog's calls, one by one and at random against a model.

use fastrand::Rng;

use super::*;

const HZ: u64 = 1000;

fn done() -> Answer {
    Answer::code(SUCCESS)
}

#[test]
fn it_begins_off_with_its_longest_timeout() {
    let mut dog = Countdown::new(30);
    assert_eq!(dog.call(INIT, 0, 5, HZ), Answer { code: 0, values: [1, 30] });
    for function in [PET, GET_TIMELEFT] {
        assert_eq!(dog.call(function, 0, 5, HZ), Answer::code(DISABLED));
    }
    assert_eq!((dog.is_on(), dog.until()), (false, None));
    assert_eq!(dog.call(ENABLE, 1, 100, HZ), done());
    assert_eq!(dog.until(), Some(100 + 30 * HZ));
    dog.call(SET_TIMEOUT, 3, 100, HZ);
    dog.reset();
    assert_eq!(dog, Countdown::new(30));
}

#[test]
fn each_call_that_feeds_it_begins_a_timeout() {
    let mut dog = Countdown::new(30);
    assert_eq!(dog.call(SET_TIMEOUT, 2, 0, HZ), done());
    assert_eq!(dog.until(), None, "a timeout alone switches nothing on");
    for (function, argument, at, until) in
        [(ENABLE, 1, 10, 2010), (PET, 0, 500, 2500), (ENABLE, 1, 600, 2600), (SET_TIMEOUT, 30, 700, 30_700)]
    {
        assert_eq!(dog.call(function, argument, at, HZ), done());
        assert_eq!(dog.until(), Some(until));
    }
    assert_eq!(dog.call(ENABLE, 0, 800, HZ), done());
    assert_eq!((dog.is_on(), dog.until()), (false, None));
    assert_eq!(dog.call(PET, 0, 900, HZ), Answer::code(DISABLED), "a pet does not switch it on");
}

#[test]
fn what_no_function_takes_changes_nothing() {
    let mut dog = Countdown::new(30);
    dog.call(ENABLE, 1, 0, HZ);
    let before = dog;
    for argument in [0, 31, u32::MAX] {
        assert_eq!(dog.call(SET_TIMEOUT, argument, 9, HZ), Answer::code(INVALID_PARAMETERS));
    }
    for argument in [2, 0x8000_0001, u32::MAX] {
        assert_eq!(dog.call(ENABLE, argument, 9, HZ), Answer::code(INVALID_PARAMETERS));
    }
    for function in [5, 6, 0x100, u32::MAX] {
        for argument in [0, 1] {
            assert_eq!(dog.call(function, argument, 9, HZ), Answer::code(NOT_SUPPORTED));
        }
    }
    assert_eq!(dog, before);
}

#[test]
fn while_it_is_on_some_time_is_always_left() {
    let mut dog = Countdown::new(30);
    dog.call(ENABLE, 1, 0, HZ);
    for (now, left) in [(0, 30), (1, 30), (999, 30), (1000, 29), (29_000, 1), (29_999, 1), (30_000, 1), (31_000, 1)] {
        assert_eq!(dog.call(GET_TIMELEFT, 7, now, HZ), Answer { code: 0, values: [left, 0] }, "at {now}");
    }
}

#[test]
fn the_longest_timeouts_neither_wrap_nor_bite_early() {
    for frequency in [1, 1_000_000_000, u64::MAX] {
        let mut dog = Countdown::new(u32::MAX);
        assert_eq!(dog.call(SET_TIMEOUT, u32::MAX, 0, frequency), done());
        assert_eq!(dog.call(ENABLE, 1, u64::MAX - 5, frequency), done());
        assert_eq!(dog.until(), Some(u64::MAX));
        assert!(dog.call(GET_TIMELEFT, 0, 0, frequency).values[0] >= 1);
    }
    let mut dog = Countdown::new(u32::MAX);
    dog.call(ENABLE, 1, 7, 0);
    assert!(dog.call(GET_TIMELEFT, 0, 7, 0).values[0] >= 1, "a counter without a frequency");
}

#[test]
fn it_stands_still_and_goes_on_with_what_was_left() {
    let mut dog = Countdown::new(30);
    dog.stand_still(5);
    dog.go_on(9);
    assert_eq!(dog, Countdown::new(30), "one that is off");
    dog.call(ENABLE, 1, 0, HZ);
    dog.stand_still(10 * HZ);
    dog.stand_still(20 * HZ);
    assert_eq!((dog.is_on(), dog.until()), (true, None));
    assert_eq!(dog.call(GET_TIMELEFT, 0, 99 * HZ, HZ).values, [20, 0]);
    dog.go_on(100 * HZ);
    dog.go_on(200 * HZ);
    assert_eq!(dog.until(), Some(120 * HZ));
    // It was due before it could be looked at.
    dog.stand_still(130 * HZ);
    dog.go_on(500 * HZ);
    assert_eq!(dog.until(), Some(500 * HZ));
}

#[test]
fn a_state_that_is_none_is_refused_by_name() {
    let mut dog = Countdown::new(30);
    dog.call(ENABLE, 1, 0, HZ);
    let good = dog.save(HZ);
    assert_eq!(good, state::Watchdog { version: 1, enabled: 1, timeout: 30, reserved: 0, left: 29 * HZ });
    let refused = [
        (state::Watchdog { version: 2, ..good }, Unfit::Version { saved: 2, known: 1 }),
        (state::Watchdog { enabled: 3, ..good }, Unfit::Value("the watchdog's switch")),
        (state::Watchdog { reserved: 1, ..good }, Unfit::Value("the watchdog's switch")),
        (state::Watchdog { timeout: 0, ..good }, Unfit::Value("the watchdog's timeout")),
        (state::Watchdog { timeout: 31, ..good }, Unfit::Absent("a watchdog with a timeout")),
        (state::Watchdog { left: 30 * HZ + 1, ..good }, Unfit::Value("what is left to the watchdog")),
        (state::Watchdog { enabled: 0, ..good }, Unfit::Value("what is left to the watchdog")),
    ];
    let mut other = Countdown::new(30);
    for (bad, expected) in refused {
        assert_eq!(other.restore(&bad, 7, HZ), Err(expected));
        assert_eq!(other, Countdown::new(30));
    }
    assert_eq!(other.restore(&good, 7, HZ), Ok(()));
    assert_eq!(other.until(), Some(7 + 29 * HZ));
    // Of a VM that sleeps: it stands still there, too.
    dog.stand_still(2 * HZ);
    let asleep = dog.save(50 * HZ);
    assert_eq!(asleep, state::Watchdog { enabled: 2, left: 28 * HZ, ..good });
    assert_eq!(other.restore(&asleep, 7, HZ), Ok(()));
    assert_eq!((other.until(), other.save(90 * HZ)), (None, asleep));
    other.go_on(100 * HZ);
    assert_eq!(other.until(), Some(128 * HZ));
}

/// What the watchdog is, told another way: by when it was fed last, and how long it has stood still since.
#[derive(Default)]
struct Model {
    timeout: u64,
    fed: Option<u64>,
    stood: u64,
    stands_since: Option<u64>,
}

impl Model {
    fn feed(&mut self, now: u64) {
        (self.fed, self.stood) = (Some(now), 0);
    }

    /// Ticks until it bites; none if it is off.
    fn left(&self, now: u64) -> Option<u64> {
        let standing = self.stands_since.map_or(0, |since| now - since);
        self.fed.map(|fed| (fed + self.timeout * HZ + self.stood + standing).saturating_sub(now))
    }
}

#[test]
fn it_is_what_the_model_says_whatever_is_called_and_moves_as_it_is() {
    let mut random = Rng::with_seed(0x5851_f42d_4c95_7f2d);
    for _ in 0..if cfg!(miri) { 20 } else { 500 } {
        let longest = 1 + random.u64(..40) as u32;
        let (mut dog, mut model) = (Countdown::new(longest), Model { timeout: longest.into(), ..Model::default() });
        let mut now = random.u64(..1 << 40);
        for _ in 0..200 {
            now += random.u64(..2 * HZ);
            // A VM that stands still makes no call.
            match random.u64(..if model.stands_since.is_some() { 2 } else { 8 }) {
                0 => {
                    dog.go_on(now);
                    let since = model.stands_since.take();
                    model.stood += since.map_or(0, |since| now - since);
                }
                1 => {
                    dog.stand_still(now);
                    if model.left(now).is_some() && model.stands_since.is_none() {
                        // What was due by then stays due.
                        let late = now.saturating_sub(model.fed.unwrap() + model.timeout * HZ + model.stood);
                        model.stood += late;
                        model.stands_since = Some(now);
                    }
                }
                2 => {
                    let seconds = random.u64(..u64::from(longest) + 2);
                    let fits = (1..=u64::from(longest)).contains(&seconds);
                    let code = if fits { SUCCESS } else { INVALID_PARAMETERS };
                    assert_eq!(dog.call(SET_TIMEOUT, seconds as u32, now, HZ), Answer::code(code));
                    if fits {
                        model.timeout = seconds;
                        if model.fed.is_some() {
                            model.feed(now);
                        }
                    }
                }
                3 => {
                    assert_eq!(dog.call(ENABLE, 0, now, HZ), done());
                    model.fed = None;
                }
                4 => {
                    assert_eq!(dog.call(ENABLE, 1, now, HZ), done());
                    model.feed(now);
                }
                5 => {
                    let code = if model.fed.is_some() { SUCCESS } else { DISABLED };
                    assert_eq!(dog.call(PET, 0, now, HZ), Answer::code(code));
                    if model.fed.is_some() {
                        model.feed(now);
                    }
                }
                6 => {
                    let answer = dog.call(GET_TIMELEFT, 0, now, HZ);
                    let expected = model.left(now).map(|left| left.div_ceil(HZ).max(1) as u32);
                    assert_eq!(answer.code, if expected.is_some() { SUCCESS } else { DISABLED });
                    assert_eq!(answer.values, [expected.unwrap_or(0), 0]);
                }
                _ => {
                    // It goes to another VM, or another machine, whose counter stands elsewhere.
                    let (saved, there) = (dog.save(now), random.u64(..1 << 40));
                    let mut other = Countdown::new(longest);
                    assert_eq!(other.restore(&saved, there, HZ), Ok(()));
                    assert_eq!(other.save(there), saved);
                    assert_eq!(other.until(), model.left(now).map(|left| there + left));
                }
            }
            let runs = model.stands_since.is_none();
            assert_eq!(dog.is_on(), model.fed.is_some());
            assert_eq!(dog.until().is_some(), runs && model.fed.is_some());
            assert_eq!(dog.save(now).left, model.left(now).unwrap_or(0));
        }
    }
}
