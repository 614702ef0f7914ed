//! The records that a reader has not got yet.

use portcullis_abi::manage::{EVENT_SIZE, EVENTS_KEPT};

/// How many there are at the most.
const KEPT: usize = EVENTS_KEPT as usize;
/// Bytes of one.
const SIZE: usize = EVENT_SIZE as usize;

/// See the module. Of more than it keeps the oldest are lost, and the one behind them says how many.
#[derive(Debug)]
pub struct Ring {
    records: [[u64; 4]; KEPT],
    /// Free-running: the next one that is read, and the next one that is written.
    first: usize,
    next: usize,
    lost: u32,
}

impl Ring {
    /// One without records.
    pub const fn new() -> Self {
        Self { records: [[0; 4]; KEPT], first: 0, next: 0, lost: 0 }
    }

    /// Whether there is no record.
    pub const fn is_empty(&self) -> bool {
        self.first == self.next
    }

    /// Puts a record behind the others.
    pub fn push(&mut self, record: [u64; 4]) {
        if self.next.wrapping_sub(self.first) == KEPT {
            self.first = self.first.wrapping_add(1);
            self.lost = self.lost.saturating_add(1);
        }
        if let Some(place) = self.records.get_mut(self.next % KEPT) {
            *place = record;
        }
        self.next = self.next.wrapping_add(1);
    }

    /// Takes the oldest record, with how many were lost before it.
    pub fn pop(&mut self) -> Option<[u8; SIZE]> {
        if self.is_empty() {
            return None;
        }
        let [head, time, subject, value] = *self.records.get(self.first % KEPT)?;
        self.first = self.first.wrapping_add(1);
        let head = head | u64::from(core::mem::take(&mut self.lost)) << 32;
        let mut bytes = [0; SIZE];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip([head, time, subject, value]) {
            *bytes = word.to_le_bytes();
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(record: [u8; SIZE]) -> (u64, u64) {
        let word = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().unwrap());
        (word(24), word(0) >> 32)
    }

    #[test]
    fn a_slow_reader_has_the_last_ones_and_is_told_how_many_are_lost() {
        let mut ring = Ring::new();
        assert!(ring.is_empty() && ring.pop().is_none());
        let mut expected = 0;
        // As many as it keeps, one more, and several times as many.
        for count in [1, KEPT, KEPT + 1, 3 * KEPT + 7] {
            (0..count).for_each(|n| ring.push([32, 0, 0, n as u64]));
            let lost = count.saturating_sub(KEPT);
            assert_eq!(ring.pop().map(number), Some((lost as u64, lost as u64)));
            for n in lost + 1..count {
                assert_eq!(ring.pop().map(number), Some((n as u64, 0)), "said once");
            }
            assert!(ring.is_empty() && ring.pop().is_none());
            expected += 1;
        }
        assert_eq!(expected, 4);
    }
}
