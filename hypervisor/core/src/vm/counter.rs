//! A VM's virtual counter: what it lags behind the physical one. It stands still while the VM is paused.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::state::{self, Unfit};

/// The counter of one VM, in ticks of the physical counter. It is moved only while none of the VM's vCPUs can be in its guest:
/// by who has loaded the VM, and by who lets a paused one go on.
#[derive(Debug, Default)]
pub struct VirtualCounter {
    /// What it lags behind the physical counter.
    offset: AtomicU64,
    /// Physical counter when it last came to stand still.
    stopped: AtomicU64,
}

impl VirtualCounter {
    /// The counter of a VM that has not started.
    pub const fn new() -> Self {
        Self { offset: AtomicU64::new(0), stopped: AtomicU64::new(0) }
    }

    /// Physical counter when it last came to stand still.
    pub fn stopped(&self) -> u64 {
        self.stopped.load(Ordering::Relaxed)
    }

    /// What it lags behind the physical counter, in ticks: CNTVOFF_EL2 of the VM's vCPUs.
    pub fn offset(&self) -> u64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// It begins at zero: a life of the VM begins at `now`.
    pub fn begin(&self, now: u64) {
        self.stopped.store(0, Ordering::Relaxed);
        self.offset.store(now, Ordering::Relaxed);
    }

    /// It stands still from `now` on. Several cores may find at once that every vCPU stands still: the latest counts, so that
    /// one that was late to say so cannot lengthen the next pause.
    pub fn stop(&self, now: u64) {
        self.stopped.fetch_max(now, Ordering::Relaxed);
    }

    /// It goes on at `now` from where it stood.
    pub fn go_on(&self, now: u64) {
        let pause = now.saturating_sub(self.stopped.load(Ordering::Relaxed));
        self.offset.store(self.offset().wrapping_add(pause), Ordering::Relaxed);
    }

    /// Returns where it stands, for a VM that is paused, on a machine whose counter has so many ticks a second.
    pub fn save(&self, frequency: u32) -> state::Counter {
        let value = self.stopped.load(Ordering::Relaxed).wrapping_sub(self.offset());
        state::Counter { version: state::Counter::VERSION, frequency, value }
    }

    /// Has it stand still where it was saved, from `now` on, for a VM that is paused.
    ///
    /// # Errors
    ///
    /// [`Unfit`], for another frequency above all: a guest asks for it once. Nothing has changed then.
    pub fn restore(&self, saved: &state::Counter, now: u64, frequency: u32) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Counter::VERSION)?;
        if saved.frequency == 0 {
            return Err(Unfit::Value("CNTFRQ_EL0"));
        }
        if saved.frequency != frequency {
            return Err(Unfit::Absent("a counter of a frequency"));
        }
        self.stopped.store(now, Ordering::Relaxed);
        self.offset.store(now.wrapping_sub(saved.value), Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a guest reads while the physical counter is `now`.
    fn read(counter: &VirtualCounter, now: u64) -> u64 {
        now.wrapping_sub(counter.offset())
    }

    #[test]
    fn it_stands_still_over_pauses() {
        let counter = VirtualCounter::new();
        counter.begin(1000);
        assert_eq!(read(&counter, 1500), 500);
        for pause in 1..5 {
            let at = pause * 10_000;
            let before = read(&counter, at);
            counter.stop(at);
            counter.go_on(at + pause);
            assert_eq!(read(&counter, at + pause), before);
        }
        assert_eq!(counter.offset(), 1000 + 1 + 2 + 3 + 4);
    }

    #[test]
    fn who_is_late_to_see_a_pause_cannot_lengthen_the_next_one() {
        let counter = VirtualCounter::new();
        counter.begin(0);
        counter.stop(100);
        counter.go_on(200);
        counter.stop(1000);
        // Seen in the first pause, and stored in the second.
        counter.stop(101);
        counter.go_on(1010);
        assert_eq!(read(&counter, 1010), 900);
    }

    #[test]
    fn a_new_life_knows_nothing_of_former_pauses() {
        let counter = VirtualCounter::new();
        counter.begin(0);
        counter.stop(u64::MAX);
        counter.begin(500);
        assert_eq!(read(&counter, 500), 0);
        counter.stop(600);
        counter.go_on(700);
        assert_eq!(read(&counter, 700), 100);
    }

    #[test]
    fn it_goes_on_elsewhere_from_where_it_was_saved() {
        for (begun, paused, elsewhere) in [(0, 0, 0), (1000, 5000, 70), (5, u64::MAX / 2, u64::MAX / 2 + 9)] {
            let (counter, other) = (VirtualCounter::new(), VirtualCounter::new());
            counter.begin(begun);
            counter.stop(paused);
            let saved = counter.save(62_500_000);
            assert_eq!(saved.value, paused - begun);
            assert_eq!(other.restore(&saved, elsewhere, 62_500_000), Ok(()));
            assert_eq!(other.save(62_500_000), saved);
            other.go_on(elsewhere + 300);
            assert_eq!(read(&other, elsewhere + 300), saved.value, "the pause is not in it");
            assert_eq!(read(&other, elsewhere + 310), saved.value + 10);
        }
    }

    #[test]
    fn a_counter_that_is_none_is_refused_by_name() {
        let counter = VirtualCounter::new();
        let good = state::Counter { version: 1, frequency: 24_000_000, value: 7 };
        let refused = [
            (state::Counter { version: 2, ..good }, Unfit::Version { saved: 2, known: 1 }),
            (state::Counter { frequency: 0, ..good }, Unfit::Value("CNTFRQ_EL0")),
            (state::Counter { frequency: 24_000_001, ..good }, Unfit::Absent("a counter of a frequency")),
        ];
        for (bad, expected) in refused {
            assert_eq!(counter.restore(&bad, 99, 24_000_000), Err(expected));
            assert_eq!((counter.offset(), counter.save(1).value), (0, 0));
        }
    }
}
