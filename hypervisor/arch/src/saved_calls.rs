//! Saving what is counted of a vCPU, and taking it on.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::state::{self, Unfit};

use crate::account::{Account, EXITS, RING, SERVICES};

const _: () = assert!(SERVICES <= 16 && EXITS <= 16 && RING == 64, "the structure's arrays are as long, or longer");

/// The counters in front, zeros behind them.
fn counts<const N: usize>(counters: &[AtomicU64]) -> [u64; N] {
    core::array::from_fn(|at| counters.get(at).map_or(0, |counter| counter.load(Ordering::Relaxed)))
}

/// Sets the counters. What is behind them is nobody's.
fn set(counters: &[AtomicU64], counts: &[u64]) {
    for (counter, count) in counters.iter().zip(counts) {
        counter.store(*count, Ordering::Relaxed);
    }
}

impl Account {
    /// Returns what is counted of a vCPU that stands still, at `now` by the physical counter.
    pub fn save(&self, now: u64) -> state::Calls {
        let ring = self.ring.each_ref().map(|refused| {
            let (time, call) = (refused.time.load(Ordering::Relaxed), refused.call.load(Ordering::Relaxed));
            if call == 0 { [0, 0] } else { [now.wrapping_sub(time), call] }
        });
        state::Calls {
            version: state::Calls::VERSION,
            reserved: 0,
            answered: self.answered.each_ref().map(|counters| counts(counters)),
            denied: self.denied.each_ref().map(|counters| counts(counters)),
            forwarded: counts(&self.forwarded),
            exits: counts(&self.exits),
            refused: self.refused.load(Ordering::Relaxed),
            ring,
        }
    }

    /// Takes on what was counted of a vCPU that is off, at `now`.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(&self, saved: &state::Calls, now: u64) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Calls::VERSION)?;
        let rows = saved.answered.iter().chain(&saved.denied);
        let behind = rows.flat_map(|row| row.iter().skip(SERVICES)).chain(saved.exits.iter().skip(EXITS));
        let is_call = |[_, call]: &[u64; 2]| call >> 33 == 0;
        if saved.reserved != 0 || behind.into_iter().any(|count| *count != 0) || !saved.ring.iter().all(is_call) {
            return Err(Unfit::Value("what is counted"));
        }
        for (counters, counts) in self.answered.iter().zip(&saved.answered) {
            set(counters, counts);
        }
        for (counters, counts) in self.denied.iter().zip(&saved.denied) {
            set(counters, counts);
        }
        set(&self.forwarded, &saved.forwarded);
        set(&self.exits, &saved.exits);
        for (refused, [age, call]) in self.ring.iter().zip(saved.ring) {
            refused.time.store(if call == 0 { 0 } else { now.wrapping_sub(age) }, Ordering::Relaxed);
            refused.call.store(call, Ordering::Relaxed);
        }
        self.refused.store(saved.refused, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Counted;

    #[test]
    fn what_was_counted_goes_on_and_refused_calls_keep_their_age() {
        let (account, other) = (Account::new(), Account::new());
        (0..3).for_each(|_| account.answer(true, Counted::Ptp));
        (0..70).for_each(|at| account.refuse(at % 2 == 0, Counted::Arch, 0xc300_0000 + at, 1000 + u64::from(at)));
        let saved = account.save(5000);
        assert_eq!(other.restore(&saved, 90_000), Ok(()));
        assert_eq!(other.save(90_000), saved);
        assert_eq!(other.ring[5].time.load(Ordering::Relaxed), 90_000 - (5000 - 1069));
        assert_eq!(other.refused.load(Ordering::Relaxed), 70);
    }

    #[test]
    fn what_nobody_counts_is_refused() {
        let good = Account::new().save(0);
        let mut bad = [good; 5];
        bad[0].version = 2;
        bad[1].reserved = 1;
        bad[2].answered[1][15] = 1;
        bad[3].exits[15] = 1;
        bad[4].ring[63][1] = 1 << 33;
        let account = Account::new();
        for (number, bad) in bad.iter().enumerate() {
            assert!(account.restore(bad, 7).is_err(), "{number}");
            assert_eq!(account.save(0), good, "{number}");
        }
    }
}
