//! Who is next when entropy runs short.
//!
//! As long as the source has bits, every VM gets what it asks for. Once it has none, VMs take turns: of those that ask, the
//! one that was served longest ago comes first, and the others hear NO_ENTROPY meanwhile. So a VM that asks without a pause
//! gets no more than one that asks now and then.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_board::Entropy;

/// For how long VMs take turns after the source last had nothing: this part of a second.
const SHORTAGE: u64 = 10;
/// A VM whose turn it is and that gets nothing for this part of a second, as it asks for more than there ever is, goes to the
/// end of the row.
const TURN: u64 = 100;
/// A VM that got nothing and has not asked again for this part of a second waits no longer.
const PATIENCE: u64 = 200;

/// Whether entropy is short. Read at every draw, written only when it is.
#[derive(Debug, Default)]
pub struct Fairness {
    /// Physical counter until which VMs take turns; zero if they do not.
    until: AtomicU64,
}

/// One VM's place in the order of turns.
#[derive(Debug, Default)]
pub struct Claim {
    /// Physical counter when it was last served in a shortage.
    served: AtomicU64,
    /// Physical counter when it last asked and got nothing; zero if it was served in a shortage since.
    asked: AtomicU64,
    /// Physical counter when it first got nothing on its turn; zero if that has not happened since its turn came.
    tried: AtomicU64,
}

impl Fairness {
    /// Plenty.
    pub const fn new() -> Self {
        Self { until: AtomicU64::new(0) }
    }

    /// Whether nobody takes turns. A draw for which that holds goes to the source at once; if it then fails, [`Fairness::draw`]
    /// comes next.
    #[inline(always)]
    pub fn is_plenty(&self) -> bool {
        self.until.load(Ordering::Relaxed) == 0
    }

    /// Draws `words` from `source` for the VM at `place` among `all`, at the value `now` of the physical counter of
    /// `frequency` Hz. False if there is not enough, or it is not its turn.
    pub fn draw<'a>(
        &self,
        source: &dyn Entropy,
        words: &mut [u64],
        place: &Claim,
        mut all: impl Iterator<Item = &'a Claim>,
        now: u64,
        frequency: u64,
    ) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        if until != 0 && now >= until {
            self.until.store(0, Ordering::Relaxed);
        }
        let served = place.served.load(Ordering::Relaxed);
        let goes_first = |other: &Claim| {
            let asked = other.asked.load(Ordering::Relaxed);
            let waits = asked != 0 && now.saturating_sub(asked) < frequency / PATIENCE;
            waits && other.served.load(Ordering::Relaxed) < served
        };
        if all.any(goes_first) {
            place.asked.store(now.max(1), Ordering::Relaxed);
            // Its turn has yet to begin: what it tried before that is no part of it.
            place.tried.store(0, Ordering::Relaxed);
            return false;
        }
        if source.draw(words) {
            place.served.store(now, Ordering::Relaxed);
            place.asked.store(0, Ordering::Relaxed);
            place.tried.store(0, Ordering::Relaxed);
            return true;
        }
        let tried = place.tried.load(Ordering::Relaxed);
        if tried == 0 {
            place.tried.store(now.max(1), Ordering::Relaxed);
        } else if now.saturating_sub(tried) >= frequency / TURN {
            place.served.store(now, Ordering::Relaxed);
            place.tried.store(0, Ordering::Relaxed);
        }
        self.until.store(now.saturating_add(frequency / SHORTAGE).max(1), Ordering::Relaxed);
        place.asked.store(now.max(1), Ordering::Relaxed);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    /// Ticks of a test's counter in a second.
    const FREQUENCY: u64 = 1_000_000;

    /// A source that gains a word every `period` ticks and holds `capacity` of them.
    struct Slow {
        level: Cell<u64>,
    }

    // SAFETY: the tests have one thread.
    unsafe impl Sync for Slow {}

    impl Entropy for Slow {
        fn draw(&self, words: &mut [u64]) -> bool {
            let wanted = words.len() as u64;
            let enough = self.level.get() >= wanted;
            if enough {
                self.level.set(self.level.get() - wanted);
            }
            enough
        }

        fn uuid(&self) -> [u32; 4] {
            [0; 4]
        }

        fn name(&self) -> &'static str {
            "slow"
        }
    }

    /// A VM that wants more at once than there ever is does not keep the others from what there is.
    #[test]
    fn one_that_can_never_be_served_holds_nobody_up_for_long() {
        let (turns, source) = (Fairness::new(), Slow { level: Cell::new(0) });
        let places = [Claim::default(), Claim::default()];
        let mut served = [0, 0];
        for now in 1..10 * FREQUENCY {
            // Two words every ten milliseconds, and no more than two are kept.
            if now % 10_000 == 0 {
                source.level.set(2);
            }
            for (n, wanted) in [3, 1].into_iter().enumerate() {
                let words = &mut [0; 3][..wanted];
                let got = (turns.is_plenty() && source.draw(words))
                    || turns.draw(&source, words, &places[n], places.iter(), now, FREQUENCY);
                served[n] += u64::from(got);
            }
        }
        // Alone it would get 2000.
        assert_eq!(served[0], 0);
        assert!(served[1] >= 450, "{}", served[1]);
    }

    /// Lets VMs ask for three words every `pauses[n]` ticks for ten seconds, and again after a millisecond at most when they
    /// get nothing; how often each was served.
    fn served<const N: usize>(period: u64, pauses: [u64; N]) -> [u64; N] {
        let (turns, source) = (Fairness::new(), Slow { level: Cell::new(48) });
        let places: [Claim; N] = core::array::from_fn(|_| Claim::default());
        let (mut served, mut next) = ([0; N], [1; N]);
        for now in 1..10 * FREQUENCY {
            if now % period == 0 {
                source.level.set((source.level.get() + 1).min(48));
            }
            // The greedy one comes first at every tick, which is as unfair as it can be.
            for n in 0..N {
                if now < next[n] {
                    continue;
                }
                let mut words = [0; 3];
                let got = (turns.is_plenty() && source.draw(&mut words))
                    || turns.draw(&source, &mut words, &places[n], places.iter(), now, FREQUENCY);
                served[n] += u64::from(got);
                next[n] = now + if got { pauses[n] } else { pauses[n].min(FREQUENCY / 1000) };
            }
        }
        served
    }

    #[test]
    fn a_greedy_vm_gets_no_more_than_a_modest_one_that_keeps_asking() {
        // A word every 100 us: 3333 draws a second. All of them ask for more than a third of that.
        let [a, b, c] = served(100, [1, 50, 150]);
        let (least, most) = (a.min(b).min(c), a.max(b).max(c));
        assert!(most - least <= most / 50 + 16, "{a} {b} {c}");
        assert!(a + b + c >= 30_000, "little is lost: {a} {b} {c}");
    }

    #[test]
    fn one_that_asks_rarely_gets_what_it_asks_for() {
        // It wants 100 draws of 3333 a second, far less than its share.
        let [greedy, modest] = served(100, [1, 10_000]);
        assert!(modest >= 900, "{modest}");
        assert!(greedy >= 20_000, "{greedy}");
    }

    /// A turn is as long as the source takes to have something: who begins his a moment too early must not do so every time.
    #[test]
    fn nobody_s_turn_ends_again_and_again_just_before_there_is_something() {
        const PERIOD: u64 = 10_000;
        const HALF_SECOND: u64 = 500_000;
        for seed in 1..=12_u64 {
            let (turns, source) = (Fairness::new(), Slow { level: Cell::new(0) });
            let places = [Claim::default(), Claim::default()];
            let (mut random, mut served, mut next) = (seed, 0, [1, 1 + seed * 400]);
            for now in (1..3_000_000).step_by(10) {
                if now % PERIOD == 1 {
                    source.level.set(1);
                }
                for (n, (pause, retry)) in [(10, 10), (5_000, 500)].into_iter().enumerate() {
                    if now < next[n] {
                        continue;
                    }
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Now and then its core does something else.
                    if random >> 40 < (1 << 24) / 5000 {
                        next[n] = now + (random >> 20) % 20_000;
                        continue;
                    }
                    let got = (turns.is_plenty() && source.draw(&mut [0]))
                        || turns.draw(&source, &mut [0], &places[n], places.iter(), now, FREQUENCY);
                    served += u64::from(got && n == 0);
                    next[n] = now + if got { pause } else { retry };
                }
                if now % HALF_SECOND == 1 && now > 1 {
                    assert!(served >= 12, "seed {seed}, at {now}: {served}");
                    served = 0;
                }
            }
        }
    }

    #[test]
    fn one_alone_gets_everything() {
        let [alone] = served(100, [1]);
        assert!(alone >= 33_330, "{alone}");
    }

    #[test]
    fn a_source_with_nothing_at_all_serves_nobody() {
        assert_eq!(served(u64::MAX, [1, 1]).iter().sum::<u64>(), 16);
    }

    #[test]
    fn plenty_is_never_shared_out() {
        let [a, b] = served(1, [10, 20]);
        assert_eq!((a, b), (1_000_000, 500_000));
    }
}
