//! Cores that wait for an address in a word of memory (Devicetree Specification, section 3.7.2).

use portcullis_abi::result;
use portcullis_arch::{cpu, spin_table};
use portcullis_board::{PowerControl, Range, WithPage};

use crate::facts::cores::{Core, CoreStart};

/// The cores of a board on which at least one is started like this; all else is up to somebody else.
pub struct SpinTable {
    cores: &'static [Core],
    with_page: WithPage,
    rest: &'static dyn PowerControl,
}

impl SpinTable {
    /// These cores, what maps the page of a core's word, and what switches the machine off.
    ///
    /// # Safety
    ///
    /// The words that the cores wait for must be where the facts say, and in memory that nothing else at EL2 uses.
    pub unsafe fn new(cores: &'static [Core], with_page: WithPage, rest: &'static dyn PowerControl) -> Self {
        Self { cores, with_page, rest }
    }

    /// Where the core with this affinity looks, if it does.
    fn word(&self, affinity: u64) -> Option<u64> {
        let core = self.cores.iter().find(|core| core.mpidr & cpu::MPIDR_AFFINITY == affinity)?;
        match core.start {
            CoreStart::SpinTable(word) => Some(word),
            CoreStart::Psci | CoreStart::Unknown => None,
        }
    }
}

impl PowerControl for SpinTable {
    fn start_core(&self, affinity: u64, entry: u64, argument: u64) -> Result<(), i64> {
        let Some(word) = self.word(affinity) else { return self.rest.start_core(affinity, entry, argument) };
        if word == 0 || !word.is_multiple_of(8) {
            return Err(result::PSCI_INVALID_ADDRESS);
        }
        // The word is mapped for this moment only: it is in the first page on some boards, where null pointers lead.
        let page = Range::sized(word & !0xfff, 0x1000);
        let mut released = false;
        let mut release = || {
            // SAFETY: the facts say that this core waits for this word.
            released = unsafe { spin_table::release(word, affinity, entry, argument) };
        };
        // SAFETY: `new` was promised that nothing else uses it.
        let mapped = unsafe { (self.with_page)(page, &mut release) };
        if mapped && released { Ok(()) } else { Err(result::PSCI_INVALID_ADDRESS) }
    }

    fn power_off(&self) -> ! {
        self.rest.power_off()
    }

    fn reset(&self) -> ! {
        self.rest.reset()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::psci::NoFirmware;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// On the host all memory is mapped.
    unsafe fn with_page(_: Range, work: &mut dyn FnMut()) -> bool {
        work();
        true
    }

    #[test]
    fn each_core_is_released_by_its_own_word() {
        static WORDS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
        let core = |mpidr, start| Core { mpidr, start };
        let cores = Box::leak(Box::new([
            core(0, CoreStart::Unknown),
            core(1, CoreStart::SpinTable(WORDS[0].as_ptr() as u64)),
            core(2, CoreStart::SpinTable(WORDS[1].as_ptr() as u64)),
            core(3, CoreStart::SpinTable(0xdc)),
            core(4, CoreStart::SpinTable(0)),
            core(5, CoreStart::Psci),
        ]));
        // SAFETY: the words are this test's own.
        let power = unsafe { SpinTable::new(cores, with_page, &NoFirmware) };
        assert_eq!(power.start_core(2, 0x8_0000, 7), Ok(()));
        assert_eq!(WORDS.each_ref().map(|word| word.load(Ordering::Relaxed) != 0), [false, true]);
        for odd in [3, 4] {
            assert_eq!(power.start_core(odd, 0x8_0000, 7), Err(result::PSCI_INVALID_ADDRESS));
        }
        for other in [0, 5, 6] {
            assert_eq!(power.start_core(other, 0x8_0000, 7), Err(result::NOT_SUPPORTED));
        }
    }
}
