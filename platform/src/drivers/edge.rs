//! The moment at which a clock of whole seconds advances, found without waiting for it.
//!
//! A clock that shows whole seconds (PL031) tells the time to within a second, unless one knows where on the counter its
//! seconds begin. Waiting for the next one would cost up to a second of boot. Instead the moment is bracketed: the clock is
//! looked at 64 times until it advances, within a second; after that a look a second, in the middle of the bracket, halves
//! it, until fourteen of them have found the moment to a microsecond.
//!
//! The time of day is always counted from the late end of the bracket. So it is never ahead of the clock, it can only
//! come nearer, and it never goes back. It steps forward once, by less than a second, when the first advance is seen, and
//! by less than 16 milliseconds in all afterwards.
//!
//! The late end is the one word of it that changes and that the time depends on, so who tells the time needs no lock ([`Time`]).

use core::sync::atomic::{AtomicU64, Ordering};

/// Fraction bits of a tick's length. A counter of 1 MHz, the slowest that the architecture allows, has ticks of 1000 ns:
/// 10 bits before the point and 53 behind it fit into 64.
const SCALE_SHIFT: u32 = 53;

/// The time of day by the counter, for any core at any time: whoever reads it waits for nobody.
#[derive(Debug)]
pub struct Time {
    /// The counter when the second that was looked for had begun: the late end of the bracket. It only decreases. A core that
    /// still reads an older value tells a time that is late by as much more; one that was told a time by another core reads no
    /// older value than that one did, as all agree on the order of a word's values (Arm ARM, B2.3, "internal visibility").
    by: AtomicU64,
    /// That second in nanoseconds since 1970.
    second: u64,
    /// Nanoseconds of a tick, times two to the power of [`SCALE_SHIFT`].
    scale: u64,
}

impl Time {
    /// The time by what `edge` knows now.
    pub const fn new(edge: &Edge) -> Self {
        let hertz = if edge.frequency == 0 { 1 } else { edge.frequency } as u128;
        Self {
            by: AtomicU64::new(edge.by),
            second: edge.second.wrapping_mul(1_000_000_000),
            scale: ((1_000_000_000 << SCALE_SHIFT) / hertz) as u64,
        }
    }

    /// Takes over what `edge` knows by now; it is the one that this time was made from.
    pub fn follow(&self, edge: &Edge) {
        self.by.store(edge.by, Ordering::Relaxed);
    }

    /// Time of day in nanoseconds when the counter stood at `count`.
    #[inline]
    pub fn nanoseconds(&self, count: u64) -> u64 {
        let ticks = count.wrapping_sub(self.by.load(Ordering::Relaxed)).cast_signed();
        // A product of 64 by 64 bits, of which the upper part counts: exact to a nanosecond over decades.
        let since = ((u128::from(ticks.unsigned_abs()) * u128::from(self.scale)) >> SCALE_SHIFT) as u64;
        if ticks < 0 { self.second.wrapping_sub(since).wrapping_sub(1) } else { self.second.wrapping_add(since) }
    }
}

/// What is known of the second's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The second that begins in the bracket, since 1970.
    second: u64,
    /// The clock still showed the second before.
    after: u64,
    /// The clock showed it already.
    by: u64,
    frequency: u64,
    /// The bracket is as narrow as it gets: a look came later than its end.
    settled: bool,
}

impl Edge {
    /// Starts from one look: the clock showed `second` when the counter of `frequency` Hz stood at `count`.
    pub const fn new(second: u64, count: u64, frequency: u64) -> Self {
        Self {
            second: second.saturating_add(1),
            after: count,
            by: count.saturating_add(frequency),
            frequency,
            settled: false,
        }
    }

    /// Width of the bracket in ticks: the time of day is late by at most that.
    pub const fn uncertainty(&self) -> u64 {
        self.by.saturating_sub(self.after)
    }

    /// When to look next, from `count` on; none once the bracket is no wider than a microsecond or a few ticks.
    pub fn next_look(&self, count: u64) -> Option<u64> {
        let step = self.frequency / 64;
        if self.settled || self.uncertainty() <= (self.frequency / 1_000_000).max(4) {
            return None;
        }
        if self.uncertainty() > step.saturating_mul(2) {
            return count.max(self.after).checked_add(step);
        }
        let middle = self.after.saturating_add(self.uncertainty() / 2);
        let seconds = count.checked_sub(middle).map_or(0, |past| past / self.frequency.max(1) + 1);
        middle.checked_add(seconds.checked_mul(self.frequency)?)
    }

    /// Takes in a look: the clock showed `second` when the counter stood at `count`. A look that does not fall into the
    /// bracket of some second, or that contradicts the ones before, changes nothing.
    pub fn look(&mut self, second: u64, count: u64) {
        let Some(past) = count.checked_sub(self.after) else { return };
        let seconds = past / self.frequency.max(1);
        let folded = count.saturating_sub(seconds.saturating_mul(self.frequency));
        if folded <= self.after || folded >= self.by {
            self.settled |= self.uncertainty() <= self.frequency / 32;
            return;
        }
        if second == self.second.saturating_add(seconds) {
            self.by = folded;
        } else if second.saturating_add(1) == self.second.saturating_add(seconds) {
            self.after = folded;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 62_500_000;

    /// A clock whose seconds begin at `phase` ticks past each multiple of `HZ`.
    fn shown(count: u64, phase: u64) -> u64 {
        1_700_000_000 + (count + HZ - phase) / HZ
    }

    fn search(phase: u64, start: u64) -> (Edge, usize) {
        let mut edge = Edge::new(shown(start, phase), start, HZ);
        let time = Time::new(&edge);
        let (mut count, mut looks, mut last) = (start, 0, time.nanoseconds(start));
        while let Some(next) = edge.next_look(count) {
            assert!(next >= count && next - count <= HZ, "a look within a second");
            // As late as an interrupt may be.
            count = next + 37;
            edge.look(shown(count, phase), count);
            time.follow(&edge);
            let now = time.nanoseconds(count);
            assert!(now >= last, "time went back");
            last = now;
            looks += 1;
            assert!(looks < 1100, "no end");
        }
        (edge, looks)
    }

    #[test]
    fn the_edge_is_nearly_found_within_a_second_wherever_it_is() {
        for phase in [0, 1, 1000, HZ / 3, HZ / 2, HZ - 1] {
            for start in [0, 5, HZ / 2, 7 * HZ + 12345] {
                let mut edge = Edge::new(shown(start, phase), start, HZ);
                let mut count = start;
                while count < start + HZ + HZ / 32 {
                    let Some(next) = edge.next_look(count) else { break };
                    count = next + 37;
                    edge.look(shown(count, phase), count);
                }
                assert!(edge.uncertainty() <= HZ / 30, "{edge:?}");
            }
        }
    }

    #[test]
    fn the_edge_is_found_wherever_it_is() {
        for phase in [0, 1, 1000, HZ / 3, HZ / 2, HZ - 1] {
            for start in [0, 5, HZ / 2, 7 * HZ + 12345] {
                let (edge, _) = search(phase, start);
                assert!(edge.uncertainty() <= HZ / 1_000_000 + 2 * 37, "{edge:?}");
                let count = 100 * HZ + phase;
                let truth = shown(count, phase) * 1_000_000_000;
                let late = truth - Time::new(&edge).nanoseconds(count);
                assert!(late <= 2_000, "late by {late} ns");
            }
        }
    }

    #[test]
    fn before_any_look_the_time_is_late_by_a_second_at_most_and_never_ahead() {
        for phase in [0, HZ / 4, HZ - 1] {
            let edge = Edge::new(shown(3 * HZ, phase), 3 * HZ, HZ);
            let truth = (3 * HZ + HZ - phase) as f64 / HZ as f64 + 1_700_000_000.0;
            let told = Time::new(&edge).nanoseconds(3 * HZ) as f64 / 1e9;
            assert!(told <= truth + 1e-6 && truth - told <= 1.0 + 1e-6, "{told} {truth}");
        }
    }

    #[test]
    fn a_clock_that_jumps_does_not_confuse_it() {
        let mut edge = Edge::new(100, 0, HZ);
        let before = edge;
        edge.look(500, HZ / 2);
        edge.look(1, HZ / 2);
        edge.look(101, 0);
        assert_eq!(edge, before);
    }

    #[test]
    fn a_dead_counter_frequency_is_survived() {
        let mut edge = Edge::new(100, 5, 0);
        assert_eq!(edge.next_look(7), None);
        edge.look(101, 6);
        assert_eq!(Time::new(&edge).nanoseconds(5), 101_000_000_000);
    }

    /// Cores tell the time while another one looks for the second: for none does it go back, and it is never ahead.
    #[test]
    fn the_time_is_told_while_it_is_looked_for() {
        const COUNT: u64 = 100 * HZ;
        let phase = HZ / 3;
        let mut edge = Edge::new(shown(0, phase), 0, HZ);
        let time = Time::new(&edge);
        let truth = 1_700_000_000_000_000_000 + (COUNT + HZ - phase) * 1_000_000_000 / HZ;
        let first = time.nanoseconds(COUNT);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = first;
                    while truth - last > 2_000 {
                        let now = time.nanoseconds(COUNT);
                        assert!((last..=truth).contains(&now), "{last} {now} {truth}");
                        last = now;
                        std::thread::yield_now();
                    }
                });
            }
            let mut count = 0;
            while let Some(next) = edge.next_look(count) {
                count = next + 37;
                edge.look(shown(count, phase), count);
                time.follow(&edge);
                std::thread::yield_now();
            }
        });
        assert!(time.nanoseconds(COUNT) > first);
    }
}
