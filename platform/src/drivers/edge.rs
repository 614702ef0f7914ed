//! The moment at which a clock of whole seconds advances, found without waiting for it.
//!
//! A clock that shows whole seconds (PL031) tells the time to within a second, unless one knows where on the counter its
//! seconds begin. Waiting for the next one would cost up to a second of boot. Instead the moment is bracketed: the clock is
//! looked at 64 times a second until it advances, then four times in each second, within the bracket, until that is no
//! wider than a millisecond. That takes three seconds, and never more than four looks in ten milliseconds. Looks that come late
//! narrow it less; after five seconds the moment is taken to be as well known as it will be, so that who waits for it waits no
//! longer.
//!
//! The time of day is always counted from the late end of the bracket. So it is never ahead of the clock, it can only
//! come nearer, and it never goes back. While the moment is looked for it steps forward, by less than a second in all; who needs
//! a time that does not is told none until then ([`Time::exact`]). After that nothing is looked at any more, and no time steps.
//!
//! The late end is the one word of it that changes and that the time depends on, so who tells the time needs no lock ([`Time`]).

use core::sync::atomic::{AtomicU64, Ordering};

/// Fraction bits of a tick's length. A counter of 1 MHz, the slowest that the architecture allows, has ticks of 1000 ns:
/// 10 bits before the point and 53 behind it fit into 64.
const SCALE_SHIFT: u32 = 53;

/// Looks a second until the clock is seen to advance.
const LOOKS: u64 = 64;
/// Parts into which the looks of a later second cut the bracket.
const PARTS: u64 = 5;
/// The bracket is narrow enough when it is this part of a second.
const ENOUGH: u64 = 1024;
/// Looks that may come too late for the bracket, or contradict it: the moment is then taken to be as well known as it will be. It
/// is so where the clock does not go as the counter does.
const MISSES: u32 = 4;
/// Seconds after which the first look is the last one.
const PATIENCE: u64 = 5;
/// In the place of a moment: none, as every count is before it.
const UNKNOWN: u64 = i64::MAX as u64;

/// The time of day by the counter, for any core at any time: whoever reads it waits for nobody.
#[derive(Debug)]
pub struct Time {
    /// The counter when the second that was looked for had begun: the late end of the bracket. It only decreases. A core that
    /// still reads an older value tells a time that is late by as much more; one that was told a time by another core reads no
    /// older value than that one did, as all agree on the order of a word's values (Arm ARM, B2.3, "internal visibility").
    by: AtomicU64,
    /// The same once the moment is found, and [`UNKNOWN`] before. It is written once.
    found: AtomicU64,
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
            found: AtomicU64::new(edge.found()),
            second: edge.second.wrapping_mul(1_000_000_000),
            scale: ((1_000_000_000 << SCALE_SHIFT) / hertz) as u64,
        }
    }

    /// Takes over what `edge` knows by now; it is the one that this time was made from.
    pub fn follow(&self, edge: &Edge) {
        self.by.store(edge.by, Ordering::Relaxed);
        self.found.store(edge.found(), Ordering::Relaxed);
    }

    /// Time of day in nanoseconds when the counter stood at `count`.
    #[inline]
    pub fn nanoseconds(&self, count: u64) -> u64 {
        let ticks = count.wrapping_sub(self.by.load(Ordering::Relaxed)).cast_signed();
        let since = self.passed(ticks.unsigned_abs());
        if ticks < 0 { self.second.wrapping_sub(since).wrapping_sub(1) } else { self.second.wrapping_add(since) }
    }

    /// The same once the moment is found: all such times are by the same one. None before that, and of counts before it.
    #[inline]
    pub fn exact(&self, count: u64) -> Option<u64> {
        let ticks = count.wrapping_sub(self.found.load(Ordering::Relaxed)).cast_signed();
        (ticks >= 0).then(|| self.second.wrapping_add(self.passed(ticks.cast_unsigned())))
    }

    /// Ticks in nanoseconds: a product of 64 by 64 bits, of which the upper part counts, exact to a nanosecond over decades.
    #[inline]
    fn passed(&self, ticks: u64) -> u64 {
        ((u128::from(ticks) * u128::from(self.scale)) >> SCALE_SHIFT) as u64
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
    /// How far into the bracket the next look comes.
    step: u64,
    /// No look comes before this count: what ends a second's looks may come right before the next second's first.
    pause: u64,
    /// Looks that said nothing.
    misses: u32,
    /// The first look from this count on is the last.
    end: u64,
}

impl Edge {
    /// Starts from one look: the clock showed `second` when the counter of `frequency` Hz stood at `count`.
    pub const fn new(second: u64, count: u64, frequency: u64) -> Self {
        Self {
            second: second.saturating_add(1),
            after: count,
            by: count.saturating_add(frequency),
            frequency,
            step: frequency / LOOKS,
            pause: 0,
            misses: 0,
            end: count.saturating_add(frequency.saturating_mul(PATIENCE)),
        }
    }

    /// Width of the bracket in ticks: the time of day is late by at most that.
    pub const fn uncertainty(&self) -> u64 {
        self.by.saturating_sub(self.after)
    }

    /// Whether the moment is as well known as it will be.
    pub const fn is_found(&self) -> bool {
        self.step == 0 || self.misses >= MISSES || self.uncertainty() <= self.frequency / ENOUGH
    }

    /// The late end of the bracket, once the moment is found.
    const fn found(&self) -> u64 {
        if self.is_found() { self.by } else { UNKNOWN }
    }

    /// When to look next, from `count` on; none once the moment is found.
    pub fn next_look(&self, count: u64) -> Option<u64> {
        if self.is_found() {
            return None;
        }
        let next = self.after.saturating_add(self.step);
        let count = count.max(self.pause);
        let seconds = count.checked_sub(next).map_or(0, |past| past / self.frequency.max(1) + 1);
        next.checked_add(seconds.checked_mul(self.frequency)?)
    }

    /// Takes in a look: the clock showed `second` when the counter stood at `count`. A look that does not fall into the
    /// bracket of some second, or that contradicts the ones before, narrows nothing.
    pub fn look(&mut self, second: u64, count: u64) {
        self.narrow(second, count);
        if count >= self.end {
            self.misses = MISSES;
        }
    }

    fn narrow(&mut self, second: u64, count: u64) {
        let Some(past) = count.checked_sub(self.after) else { return };
        let seconds = past / self.frequency.max(1);
        let folded = count.saturating_sub(seconds.saturating_mul(self.frequency));
        let expected = self.second.saturating_add(seconds);
        let advanced = second == expected;
        if folded <= self.after || folded >= self.by || !advanced && second.saturating_add(1) != expected {
            self.misses = self.misses.saturating_add(1);
            return;
        }
        if advanced {
            self.by = folded;
        } else {
            self.after = folded;
        }
        // The clock has advanced between two looks, or between the last one and the end: the next second's are closer together.
        if advanced || self.uncertainty() <= self.step {
            self.step = self.uncertainty() / PARTS;
            self.pause = count.saturating_add(self.frequency / LOOKS);
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

    /// Looks until the moment is found, each `late` ticks after it was asked for. Returns what was found and when.
    fn search(phase: u64, start: u64, late: u64) -> (Edge, u64) {
        let mut edge = Edge::new(shown(start, phase), start, HZ);
        let time = Time::new(&edge);
        let (mut count, mut looks, mut last) = (start, Vec::new(), time.nanoseconds(start));
        while let Some(next) = edge.next_look(count) {
            assert!(next >= count && next - count <= HZ + HZ / LOOKS, "a look a second");
            assert_eq!(time.exact(count), None, "not before it is found");
            count = next + late;
            edge.look(shown(count, phase), count);
            time.follow(&edge);
            let now = time.nanoseconds(count);
            assert!(now >= last, "time went back");
            last = now;
            looks.push(count);
        }
        let crowd = looks.windows(5).map(|looks| looks[4] - looks[0]).min();
        assert!(late > 0 || crowd.is_none_or(|ticks| ticks > HZ / 100), "five looks in 10 ms");
        assert!(looks.len() < 90, "{} looks", looks.len());
        // The moment itself may be yet to come, by no more than is known of it.
        let count = count.max(edge.by);
        assert_eq!(time.exact(count), Some(time.nanoseconds(count)));
        (edge, count)
    }

    const PHASES: [u64; 6] = [0, 1, 1000, HZ / 3, HZ / 2, HZ - 1];
    const STARTS: [u64; 4] = [0, 5, HZ / 2, 7 * HZ + 12345];

    #[test]
    fn the_edge_is_found_within_three_seconds_wherever_it_is() {
        for (phase, start) in PHASES.into_iter().flat_map(|phase| STARTS.map(|start| (phase, start))) {
            // As late as an interrupt may be.
            for late in [0, 37, HZ / 100_000] {
                let (edge, found) = search(phase, start, late);
                assert!(found - start <= 3 * HZ + HZ / 32, "{edge:?} at {found}");
                assert!(edge.uncertainty() <= HZ / 1024, "{edge:?}");
                let count = 100 * HZ + phase;
                let truth = shown(count, phase) * 1_000_000_000;
                let behind = truth - Time::new(&edge).exact(count).unwrap();
                assert!(behind <= 1_000_000, "behind by {behind} ns");
            }
        }
    }

    /// What is told once the moment is found never steps: the first time is as right as any later one.
    #[test]
    fn exact_times_go_as_the_counter_does() {
        let (edge, found) = search(HZ / 3, 5, 37);
        let time = Time::new(&edge);
        let first = time.exact(found).unwrap();
        let mut same = edge;
        for count in (found..found + 40 * HZ).step_by(HZ as usize / 7) {
            same.look(shown(count, HZ / 3), count);
            assert_eq!(same.next_look(count), None);
            let passed = (count - found) * 16;
            assert!(time.exact(count).unwrap().abs_diff(first + passed) <= 1);
        }
    }

    #[test]
    fn looks_that_come_too_late_end_the_search_where_it_is() {
        for phase in PHASES {
            // The bracket gets narrow until each look is beyond its end.
            let (edge, found) = search(phase, 0, HZ / 40);
            assert!(edge.uncertainty() <= HZ / 20 && found <= 16 * HZ, "{edge:?} at {found}");
        }
    }

    /// On a machine that is short of time each look is late by something else: the search ends for all that.
    #[test]
    fn looks_that_come_late_at_random_end_the_search_within_seven_seconds() {
        let mut random = 1_u64;
        for (phase, most) in
            PHASES.into_iter().flat_map(|phase| [HZ / 1000, HZ / 70, HZ / 8, HZ].map(|most| (phase, most)))
        {
            for start in 0..50 {
                let mut edge = Edge::new(shown(start, phase), start, HZ);
                let mut count = start;
                while let Some(next) = edge.next_look(count) {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    count = next + (random >> 33) % most;
                    edge.look(shown(count, phase), count);
                }
                assert!(count - start <= 7 * HZ, "{edge:?} at {count}, late by up to {most}");
                let told = Time::new(&edge).exact(count.max(edge.by)).unwrap();
                let truth = (count.max(edge.by) + HZ - phase) * 16 + 1_700_000_000_000_000_000;
                assert!(told <= truth && truth - told <= 1_000_000_000, "{told} {truth}");
            }
        }
    }

    #[test]
    fn a_clock_that_goes_its_own_way_is_told_by_the_counter() {
        for clock in
            [|_| 1_700_000_000, |count| 1_700_000_000 + count / (HZ / 9), |count| 1_700_000_000 + count / (2 * HZ)]
        {
            let mut edge = Edge::new(clock(0), 0, HZ);
            let (mut count, mut looks) = (0, 0);
            while let Some(next) = edge.next_look(count) {
                count = next + 37;
                edge.look(clock(count), count);
                looks += 1;
                assert!(looks < 90 && count < 8 * HZ, "no end");
            }
            let time = Time::new(&edge);
            let passed = time.exact(count + 10 * HZ).unwrap() - time.exact(count).unwrap_or(0);
            assert!(passed.abs_diff(10_000_000_000) <= 1 || time.exact(count).is_none());
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
        assert_eq!((edge.after, edge.by, edge.misses), (before.after, before.by, 3));
    }

    #[test]
    fn a_dead_counter_frequency_is_survived() {
        let mut edge = Edge::new(100, 5, 0);
        assert_eq!(edge.next_look(7), None);
        edge.look(101, 6);
        assert_eq!(Time::new(&edge).nanoseconds(5), 101_000_000_000);
        assert_eq!(Time::new(&edge).exact(5), Some(101_000_000_000));
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
                    while truth - last > 1_000_000 {
                        let now = time.nanoseconds(COUNT);
                        assert!((last..=truth).contains(&now), "{last} {now} {truth}");
                        last = now;
                        if let Some(exact) = time.exact(COUNT) {
                            assert!(truth - exact <= 1_000_000, "told before it was found: {exact} {truth}");
                        }
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
