//! TRNG (Arm DEN0098) without chance: every word is a serial number, so that a test can tell that none is given out
//! twice.

use portcullis_abi::function::{TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32, TRNG_RND64, TRNG_VERSION, TRNG_VERSION_1_0};
use portcullis_abi::result::{NOT_SUPPORTED, TRNG_INVALID_PARAMETERS, TRNG_NO_ENTROPY};

use crate::mode::Mode;
use crate::reply::{Answer, Now, code, supported};

/// The UUID 7e57f1a2-3b4c-4d5e-8f60-718293a4b5c6 in the four words of `TRNG_GET_UUID`.
pub const UUID_WORDS: [u32; 4] = [0xa2f1_577e, 0x5e4d_4c3b, 0x8271_608f, 0xc6b5_a493];
/// Upper bits of a word of `TRNG_RND64`. The serial number, which begins with 1, is in bits 47:0.
pub const MARK_64: u64 = 0x5eed_0000_0000_0000;
/// Upper bits of a word of `TRNG_RND32`. Bits 15:0 are those of the same serial number.
pub const MARK_32: u64 = 0x5eed_0000;
/// Words that [`Mode::SlowEntropy`] has for each window.
pub const SLOW_WORDS: u64 = 3;
/// Windows of [`Mode::SlowEntropy`] in a second. A window begins with the first word that is asked for after the last
/// one.
pub const SLOW_WINDOWS: u64 = 100;

/// What was given out.
#[derive(Clone, Debug)]
pub struct Entropy {
    /// Words so far.
    words: u64,
    /// Count at which the window began; none before the first.
    window: Option<u64>,
    /// Words given out in it.
    used: u64,
}

impl Entropy {
    /// Nothing was given out yet.
    pub(crate) const fn new() -> Self {
        Self { words: 0, window: None, used: 0 }
    }

    /// The answer to a call of TRNG; none if `x` is another call.
    pub(crate) fn answer(&mut self, mode: Mode, now: Now, x: &[u64; 8]) -> Option<Answer> {
        let answer = match x[0] as u32 {
            TRNG_VERSION if mode == Mode::TrngTwo => Answer::one(0x2_0000, x),
            TRNG_VERSION => Answer::one(TRNG_VERSION_1_0.into(), x),
            TRNG_FEATURES => {
                let functions = [TRNG_VERSION, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32, TRNG_RND64];
                supported(functions.contains(&(x[1] as u32)), x)
            }
            TRNG_GET_UUID => Answer::Four(UUID_WORDS.map(u64::from)),
            TRNG_RND32 => self.random(mode, now, x, 32),
            TRNG_RND64 if mode == Mode::TrngLiar => Answer::one(code(NOT_SUPPORTED), x),
            TRNG_RND64 => self.random(mode, now, x, 64),
            _ => return None,
        };
        Some(answer)
    }

    /// As many bits as w1 asks for, in words of `width` bits. The first word is the lowest, in x3; what was not asked for
    /// is 0 (DEN0098, sections 2.5 and 2.6).
    fn random(&mut self, mode: Mode, now: Now, x: &[u64; 8], width: u64) -> Answer {
        let bits = x[1] & 0xffff_ffff;
        if bits == 0 || bits > 3 * width {
            return Answer::Four([code(TRNG_INVALID_PARAMETERS), 0, 0, 0]);
        }
        let words = bits.div_ceil(width);
        if mode == Mode::NoEntropy || (mode == Mode::SlowEntropy && !self.take(now, words)) {
            return Answer::Four([code(TRNG_NO_ENTROPY), 0, 0, 0]);
        }
        let mut results = [0; 4];
        let mut left = bits;
        for place in results.iter_mut().rev().take(words as usize) {
            self.words = self.words.wrapping_add(1);
            let word = if width == 32 { MARK_32 | self.words & 0xffff } else { MARK_64 | self.words };
            let asked = left.min(width);
            *place = word & (u64::MAX >> (64 - asked));
            left -= asked;
        }
        Answer::Four(results)
    }

    /// Takes words out of the window, if it still has so many.
    fn take(&mut self, now: Now, words: u64) -> bool {
        let length = now.frequency / SLOW_WINDOWS;
        if self.window.is_none_or(|begin| now.count.saturating_sub(begin) >= length) {
            self.window = Some(now.count);
            self.used = 0;
        }
        let enough = self.used + words <= SLOW_WORDS;
        self.used += if enough { words } else { 0 };
        enough
    }
}

#[cfg(test)]
mod tests;
