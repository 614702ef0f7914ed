//! A VM's virtual counter: what it lags behind the physical one. It stands still while the VM is paused.

use core::sync::atomic::{AtomicU64, Ordering};

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
}
