//! Random words of a firmware that numbers them: none comes twice, and nobody is left without.

use conformance::profile::Profile;
use firmware::random::MARK_64;
use guest_runtime::{console, counter, power};
use portcullis_abi::function::TRNG_RND64;
use portcullis_abi::result::TRNG_NO_ENTROPY;

use crate::guest::door::{Door, code};
use crate::guest::modes::reset;
use crate::guest::report;

/// Words of a call.
const WORDS: usize = 3;

/// Draws three words at once; none if there is no entropy. Another answer is a failed case.
fn draw(door: &Door) -> Option<[u64; WORDS]> {
    let answer = door.call(TRNG_RND64.into(), [64 * WORDS as u64, 0, 0]);
    match answer.x {
        [0, x1, x2, x3] if answer.changed.is_none() => Some([x3, x2, x1]),
        x if x == code(TRNG_NO_ENTROPY) => None,
        _ => {
            report::fail(format_args!("draws/answer"), &"three words, or NO_ENTROPY", &answer);
            None
        }
    }
}

/// Three words, shown, and the seeds of this start, if there are to be any: for a comparison of runs.
pub fn show(profile: &Profile) {
    if profile.has_seeds() {
        let [kaslr, rng] = reset::seeds();
        console::line(format_args!("kaslr-seed: {kaslr:016x}"));
        console::line(format_args!("rng-seed: {rng:016x}"));
        report::holds(format_args!("draws/seeds"), kaslr != 0 && rng != 0, "both", &(kaslr, rng));
    }
    match draw(&Door::new(power::conduit())) {
        Some([low, middle, high]) => {
            console::line(format_args!("words: {low:016x} {middle:016x} {high:016x}"));
            report::pass(format_args!("draws/words"));
        }
        None => report::fail(format_args!("draws/words"), &"words", &"NO_ENTROPY"),
    }
}

/// `calls` draws, as fast as they go: the numbers only ever rise.
pub fn numbered(profile: &Profile) {
    let door = Door::new(power::conduit());
    let (mut last, mut drawn) = (MARK_64, 0);
    while drawn < profile.calls {
        let Some(words) = draw(&door) else {
            report::fail(format_args!("draws/entropy"), &"words", &drawn);
            return;
        };
        for word in words {
            if word <= last || word & 0xffff << 48 != MARK_64 {
                report::fail(format_args!("draws/number {drawn}"), &format_args!("more than {last:#x}"), &word);
                return;
            }
            last = word;
        }
        drawn += 1;
    }
    report::pass(format_args!("draws/{drawn} draws with rising numbers"));
}

/// Draws for some seconds from a firmware that has little: with a pause of `pause` microseconds after each draw, and a
/// short one after NO_ENTROPY. At least `least` draws must succeed.
pub fn scarce(profile: &Profile) {
    let door = Door::new(power::conduit());
    let (mut got, mut missed) = (0, 0u64);
    let start = counter::virtual_count();
    while counter::microseconds(counter::virtual_count() - start) < profile.seconds * 1_000_000 {
        match draw(&door) {
            Some(_) => {
                got += 1;
                counter::delay(profile.pause);
            }
            None => {
                missed += 1;
                counter::delay(profile.pause.min(500));
            }
        }
    }
    console::line(format_args!("draws: {got} of {} in {} s", got + missed, profile.seconds));
    report::holds(format_args!("draws/share"), got >= profile.least, "its share", &(got, profile.least));
}

/// A firmware without any: NO_ENTROPY each time, and nothing else.
pub fn none(profile: &Profile) {
    let door = Door::new(power::conduit());
    let dry = (0..profile.calls).all(|_| draw(&door).is_none());
    report::holds(format_args!("draws/{} without entropy", profile.calls), dry, "NO_ENTROPY each time", &dry);
}
