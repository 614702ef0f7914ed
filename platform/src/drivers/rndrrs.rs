//! Entropy from the CPU's own generator: RNDRRS (FEAT_RNG), which reseeds itself from a true random source before it
//! answers (Arm ARM, RNDRRS).

use portcullis_abi::function::TRNG_UUID_RNDRRS_WORDS;
use portcullis_arch::random;
use portcullis_board::Entropy;

/// Readings of a generator that has nothing to give before we say so, over all words of a call.
const TRIES: usize = 10;

/// RNDRRS.
pub struct Rndrrs;

impl Rndrrs {
    /// The generator, if this CPU has it.
    pub fn present() -> Option<&'static dyn Entropy> {
        random::present().then_some(&Self as &'static dyn Entropy)
    }
}

impl Entropy for Rndrrs {
    fn draw(&self, words: &mut [u64]) -> bool {
        let mut tries = TRIES;
        for word in words {
            *word = loop {
                if let Some(fresh) = random::rndrrs() {
                    break fresh;
                }
                tries -= 1;
                if tries == 0 {
                    return false;
                }
            };
        }
        true
    }

    fn uuid(&self) -> [u32; 4] {
        TRNG_UUID_RNDRRS_WORDS
    }

    fn name(&self) -> &'static str {
        "RNDRRS"
    }
}
