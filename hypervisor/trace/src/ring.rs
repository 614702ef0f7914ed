//! The last records of a core. That core alone writes, without waiting for anybody; any core may read, and finds out when what it
//! was reading has been overwritten.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::atomic::{AtomicU64, Ordering, fence};

/// A ring of records, which are numbered from 0 on without an end. Of more than it has places for, the oldest are overwritten.
///
/// It is a sequence lock with one place a record: the number of the record that is being written stands in `next` before its words
/// are, and one more behind them. So who has read words that belong to a later record also sees that number.
#[derive(Debug)]
pub struct Ring {
    /// The number of the next record: all below it are whole.
    next: AtomicU64,
    places: Box<[[AtomicU64; 3]]>,
}

/// What is read of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The record of this number.
    Record([u64; 3]),
    /// It was overwritten, and so were those up to this number.
    Lost(u64),
    /// It is yet to be written.
    None,
}

impl Ring {
    /// A ring without records, with room for `records` less one. None: there is no memory for it, or it would have no room.
    pub fn new(records: usize) -> Option<Self> {
        let mut places = Vec::new();
        places.try_reserve_exact(records).ok()?;
        places.resize_with(records, || core::array::from_fn(|_| AtomicU64::new(0)));
        (records > 1).then(|| Self { next: AtomicU64::new(0), places: places.into_boxed_slice() })
    }

    /// Writes a record. To be called on the ring's own core only.
    pub fn write(&self, record: [u64; 3]) {
        let number = self.next.load(Ordering::Relaxed);
        let Some(place) = self.place(number) else { return };
        // Who reads one of the words below, and orders what it reads next behind that, finds `next` to be this number at least.
        fence(Ordering::Release);
        for (place, word) in place.iter().zip(record) {
            place.store(word, Ordering::Relaxed);
        }
        self.next.store(number.wrapping_add(1), Ordering::Release);
    }

    /// The number of the next record.
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Reads the record with this number.
    pub fn read(&self, number: u64) -> Read {
        let written = number < self.next();
        let Some(place) = self.place(number).filter(|_| written) else { return Read::None };
        let record = place.each_ref().map(|word| word.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        // The place of the record that may be being written now has none.
        let oldest = self.next.load(Ordering::Relaxed).saturating_add(1).saturating_sub(self.places.len() as u64);
        if number < oldest { Read::Lost(oldest) } else { Read::Record(record) }
    }

    fn place(&self, number: u64) -> Option<&[AtomicU64; 3]> {
        let places = self.places.len() as u64;
        self.places.get(number.checked_rem(places)? as usize)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn record(number: u64) -> [u64; 3] {
        [number, number.wrapping_mul(3), !number]
    }

    #[test]
    fn the_last_ones_are_kept_and_what_is_lost_is_told_by_number() {
        let ring = Ring::new(8).unwrap();
        assert_eq!(ring.read(0), Read::None);
        for number in 0..100 {
            ring.write(record(number));
            assert_eq!(ring.read(number), Read::Record(record(number)));
            assert_eq!(ring.read(number + 1), Read::None);
            let oldest = (number + 1).saturating_sub(7);
            for earlier in 0..=number {
                let expected = if earlier < oldest { Read::Lost(oldest) } else { Read::Record(record(earlier)) };
                assert_eq!(ring.read(earlier), expected, "{earlier} behind {number}");
            }
        }
        assert_eq!((ring.next(), ring.read(u64::MAX)), (100, Read::None));
    }

    #[test]
    fn a_ring_without_room_is_none() {
        assert!(Ring::new(0).is_none() && Ring::new(1).is_none());
        assert!(Ring::new(usize::MAX / 2).is_none(), "there is no such memory");
    }

    /// However fast the writer is, what is read is whole, in order, and what is missing is known.
    #[test]
    fn readers_see_whole_records_beside_a_writer() {
        const RECORDS: u64 = if cfg!(miri) { 200 } else { 200_000 };
        let ring = Ring::new(16).unwrap();
        std::thread::scope(|scope| {
            let readers = [0, 1].map(|_| {
                scope.spawn(|| {
                    let (mut at, mut lost) = (0, 0);
                    while at < RECORDS {
                        match ring.read(at) {
                            Read::Record(found) => {
                                assert_eq!(found, record(at));
                                at += 1;
                            }
                            Read::Lost(oldest) => {
                                assert!(oldest > at);
                                lost += oldest - at;
                                at = oldest;
                            }
                            Read::None => std::thread::yield_now(),
                        }
                    }
                    lost
                })
            });
            (0..RECORDS).for_each(|number| ring.write(record(number)));
            for reader in readers {
                assert!(reader.join().unwrap() <= RECORDS);
            }
        });
    }
}
