//! Who has sent a vCPU its pending SGIs: in GICv2 each sender's is pending by itself (IHI 0048, section 4.3.15).

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::map::MAX_VCPUS;

/// Senders of the SGIs that are pending for one vCPU and in none of its list registers: a byte per SGI with a bit per
/// sender, as GICD_SPENDSGIRn has them. Any core adds; only the vCPU's own core takes away. Those of two vCPUs share no cache
/// line, so that an SGI to one of them does not slow the core of the other.
#[repr(align(64))]
pub struct Sources([AtomicU64; 2]);

const _: () = assert!(MAX_VCPUS <= u8::BITS as usize);
const _: () = assert!(
    align_of::<Sources>() == 64 && size_of::<Sources>() == 64,
    "those of a vCPU have a cache line of their own"
);

impl Sources {
    /// Nothing is pending.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 2])
    }

    fn word(&self, sgi: u32) -> (&AtomicU64, u32) {
        (&self.0[(sgi >> 3 & 1) as usize], (sgi & 7) * 8)
    }

    /// The senders of SGI `sgi` (modulo 16).
    pub fn of(&self, sgi: u32) -> u8 {
        let (word, shift) = self.word(sgi);
        (word.load(Ordering::Relaxed) >> shift) as u8
    }

    /// Makes an SGI pending for these senders. Whoever does has to notify the vCPU afterwards.
    pub fn add(&self, sgi: u32, senders: u8) {
        let (word, shift) = self.word(sgi);
        word.fetch_or(u64::from(senders) << shift, Ordering::Relaxed);
    }

    /// Takes the pending state of these senders away; true if others are left.
    pub fn remove(&self, sgi: u32, senders: u8) -> bool {
        let (word, shift) = self.word(sgi);
        let before = (word.fetch_and(!(u64::from(senders) << shift), Ordering::Relaxed) >> shift) as u8;
        before & !senders != 0
    }

    /// Takes the sender with the lowest number, and whether others are left.
    pub fn take(&self, sgi: u32) -> Option<(u32, bool)> {
        let senders = self.of(sgi);
        let first = senders.trailing_zeros();
        (senders != 0).then(|| (first, self.remove(sgi, 1u8.wrapping_shl(first))))
    }

    /// SGIs that are pending for any sender: a bit each.
    #[inline]
    pub fn pending(&self) -> u32 {
        let [low, high] = self.0.each_ref().map(|word| occupied(word.load(Ordering::Relaxed)));
        low | high << 8
    }

    /// Nothing is pending any more.
    pub fn clear(&self) {
        self.0.iter().for_each(|word| word.store(0, Ordering::Relaxed));
    }
}

/// Which bytes of a word are not zero: a bit each.
const fn occupied(word: u64) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Bit 7 of each byte that has any bit.
    let tops = ((word & LOW).wrapping_add(LOW) | word) & !LOW;
    // Each of those eight bits is moved to the top byte; no two meet.
    ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_occupied() {
        for bits in 0..256u32 {
            for value in [1u64, 0x80, 0xff, 0x18] {
                let word = (0..8).filter(|n| bits >> n & 1 != 0).map(|n| value << (n * 8)).sum();
                assert_eq!(occupied(word), bits, "{word:#x}");
            }
        }
    }

    #[test]
    fn senders_come_and_go_one_by_one() {
        let sources = Sources::new();
        sources.add(9, 0b1010_0001);
        sources.add(15, 0x80);
        sources.add(0, 1);
        assert_eq!(sources.pending(), 1 << 9 | 1 << 15 | 1);
        assert_eq!((sources.of(9), sources.of(1)), (0b1010_0001, 0));
        assert!(sources.remove(9, 1 << 5));
        assert_eq!(sources.take(9), Some((0, true)));
        assert_eq!(sources.take(9), Some((7, false)));
        assert_eq!(sources.take(9), None);
        assert!(!sources.remove(15, 0xff) && !sources.remove(3, 1));
        sources.clear();
        assert_eq!(sources.pending(), 0);
    }
}
