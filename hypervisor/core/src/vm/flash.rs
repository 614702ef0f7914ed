//! The memory behind a VM's two banks of flash.

use core::sync::atomic::AtomicBool;

use portcullis_abi::map::{FLASH, FLASH_BANK};
use portcullis_abi::state::FlashNeeds;
use portcullis_arch::checksum::Pieces;
use portcullis_board::vm_memory::Banks;
use spin::Mutex;

use crate::memory::guest::GuestMemory;

/// The guest's address of the second bank.
pub const SECOND: u64 = FLASH + FLASH_BANK;

/// What lies behind the flash of a VM. It keeps what it holds while the VM starts again, as flash does.
#[derive(Debug)]
pub struct Flash {
    /// Where the cells of its banks are.
    pub banks: Banks,
    /// The cells hold what the VM's files have, or what the VM has made of it.
    pub(crate) loaded: AtomicBool,
    /// What the first bank is to hold; nothing: it has no file.
    pub(crate) firmware: &'static [u8],
    /// The checksum of that.
    sum: Mutex<Pieces>,
}

impl Flash {
    /// The memory at `banks`, which is yet to be loaded: the first bank with `firmware`.
    pub const fn new(banks: Banks, firmware: &'static [u8]) -> Self {
        Self { banks, loaded: AtomicBool::new(false), firmware, sum: Mutex::new(Pieces::new()) }
    }

    /// Works out the next piece of the firmware's checksum, `most` bytes at the most. True: it is worked out.
    pub(crate) fn sum_up(&self, most: usize) -> bool {
        self.sum.lock().take_in(self.firmware, most)
    }

    /// What a VM that has it needs. The checksum was [worked out](Self::sum_up) before.
    pub(crate) fn needs(&self) -> FlashNeeds {
        FlashNeeds {
            version: FlashNeeds::VERSION,
            sum: self.sum.lock().finish(),
            first: self.firmware.len() as u64,
            second: self.banks.second.size(),
        }
    }

    /// The cells of the second bank, at their offsets into it, as core `core` reaches them, on which this has to run.
    pub(crate) fn second_on(&self, core: usize) -> Option<GuestMemory> {
        // SAFETY: the bank is one VM's memory, in blocks that are its own; every caller runs on the core that it names.
        unsafe { GuestMemory::new(core, 0, self.banks.second) }
    }

    /// Whether the guest's address `ipa` is in the first bank's file, or in the block that this ends in.
    pub fn has_code(&self, ipa: u64) -> bool {
        self.banks.first.is_some_and(|first| (FLASH..FLASH.saturating_add(first.size())).contains(&ipa))
    }
}
