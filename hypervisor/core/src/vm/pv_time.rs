//! The PV time structures of a VM's vCPUs: a page that the hypervisor writes and the guest only reads
//! (Arm DEN0057, section 4.1).

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::map;
use portcullis_board::{Range, time::nanoseconds};

/// Words of one structure.
const WORDS: usize = map::PV_TIME_STRIDE as usize / 8;
/// Word of the structure that holds the stolen time in nanoseconds; word 0 is revision and attributes, both 0.
const STOLEN: usize = 1;

/// One page: the structures, then nothing.
#[repr(C, align(4096))]
pub struct Page([AtomicU64; 512]);

impl Page {
    /// A page of zeros.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 512])
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

/// A VM's PV time page.
pub struct PvTime {
    page: &'static Page,
    frequency: u64,
}

impl PvTime {
    /// Publishes in `page`, counting in ticks of `frequency` Hz.
    pub fn new(page: &'static Page, frequency: u64) -> Self {
        Self { page, frequency }
    }

    /// Where the page lies, in physical addresses.
    pub fn range(&self) -> Range {
        Range::sized(core::ptr::from_ref(self.page) as u64, size_of::<Page>() as u64)
    }

    /// Where the guest finds the structure of vCPU `vcpu`.
    pub fn address(vcpu: usize) -> u64 {
        map::PV_TIME + vcpu as u64 * map::PV_TIME_STRIDE
    }

    /// Publishes the stolen time of a vCPU, given in ticks: one aligned 64-bit store, so that a reader never sees half.
    pub fn publish(&self, vcpu: usize, ticks: u64) {
        if let Some(word) = self.page.0.get(vcpu * WORDS + STOLEN) {
            word.store(nanoseconds(ticks, self.frequency), Ordering::Release);
        }
    }

    /// Returns what the guest reads of the stolen time of a vCPU, in nanoseconds.
    #[cfg(test)]
    pub fn published(&self, vcpu: usize) -> u64 {
        self.page.0[vcpu * WORDS + STOLEN].load(Ordering::Relaxed)
    }

    /// Zeroes all structures.
    pub fn clear(&self) {
        for word in self.page.0.iter().take(map::MAX_VCPUS * WORDS) {
            word.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;

    #[test]
    fn structures_do_not_touch_each_other() {
        let page: &'static Page = Box::leak(Box::new(Page::new()));
        let time = PvTime::new(page, 62_500_000);
        time.publish(1, 62_500_000);
        assert_eq!(page.0[9].load(Ordering::Relaxed), 1_000_000_000);
        assert!(page.0.iter().enumerate().all(|(at, word)| at == 9 || word.load(Ordering::Relaxed) == 0));
        time.clear();
        assert!(page.0.iter().all(|word| word.load(Ordering::Relaxed) == 0));
        time.publish(usize::MAX / WORDS, 1);
    }

    #[test]
    fn every_structure_lies_in_the_page_outside_ram() {
        let last = PvTime::address(map::MAX_VCPUS - 1);
        assert!(last + map::PV_TIME_STRIDE <= map::PV_TIME + 4096 && last < map::RAM);
    }
}
