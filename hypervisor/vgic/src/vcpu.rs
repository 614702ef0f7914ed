//! One vCPU's side of the GIC: its attention word, its private interrupts and its list registers.

use core::sync::atomic::{AtomicU64, Ordering};

use spin::Mutex;

use super::model::Bank;
use super::slots::Slots;
use super::spis::{ALL_BANKS, BANKS};
use crate::version::GicVersion;

/// SGIs: INTID 0 to 15. They are edge-triggered.
pub const SGIS: u32 = 0xffff;

/// Attention: something about private interrupts changed. Bits 31:0 are interrupts that came in: SGIs that were sent,
/// PPIs that were raised in hardware.
pub const PRIVATE: u64 = 1 << 32;
/// Attention: something about SPIs changed, of whatever banks.
pub const SPI: u64 = SPI_FLAG | (ALL_BANKS as u64) << BANK_SHIFT;
/// What [`SPI`] has besides the banks, beside [`FRESH`], so that both are tested at once.
pub const SPI_FLAG: u64 = 1 << 33;
/// The place of the banks, a bit each.
const BANK_SHIFT: u32 = 40;
/// Attention: the list registers may hold what is not ours.
pub const FRESH: u64 = 1 << 34;

const _: () = assert!(BANKS as u32 + BANK_SHIFT <= u64::BITS);

/// Attention: something about SPIs of this bank changed.
#[inline]
pub const fn spi(bank: usize) -> u64 {
    SPI_FLAG | 1 << (BANK_SHIFT as usize + bank % BANKS)
}

/// The banks of SPIs of which an attention word says that something has changed, a bit each.
#[inline]
pub const fn banks(attention: u64) -> u32 {
    (attention >> BANK_SHIFT) as u32 & ALL_BANKS
}

/// Whether an attention word says that something about private interrupts has changed, or that some have come in.
#[inline]
pub const fn has_private(attention: u64) -> bool {
    attention & (PRIVATE | PRIVATE.wrapping_sub(1)) != 0
}

/// A vCPU. Its own cache lines, because other cores write the attention word.
#[repr(align(64))]
pub struct CpuState {
    attention: AtomicU64,
    /// State that is only touched by the vCPU's own core, and by others through its redistributor frame.
    pub state: Mutex<Private>,
}

/// Private interrupts and list registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Private {
    /// SGIs and PPIs.
    pub bank: Bank,
    /// List registers.
    pub slots: Slots,
    /// GICR_WAKER.ProcessorSleep.
    pub asleep: bool,
}

impl Private {
    const fn new(version: GicVersion) -> Self {
        let mut bank = Bank::new(version, SGIS);
        if matches!(version, GicVersion::V2) {
            bank.enabled = SGIS;
        }
        Self { bank, slots: Slots::new(), asleep: true }
    }
}

impl CpuState {
    /// A vCPU out of reset.
    pub const fn new(version: GicVersion) -> Self {
        Self { attention: AtomicU64::new(FRESH), state: Mutex::new(Private::new(version)) }
    }

    /// Back to the state after [`CpuState::new`]; physical interrupts that are held stay noted.
    pub fn reset(&self, version: GicVersion) {
        let mut state = self.state.lock();
        let raised = self.attention.swap(FRESH, Ordering::Acquire) as u32 & !SGIS;
        let physical = state.bank.physical | state.bank.lr.physical | raised;
        *state = Private::new(version);
        state.bank.physical = physical;
    }

    /// Sets bits of the attention word. Returns whether the vCPU's core has to be kicked: if the word was not zero,
    /// whoever made it so has done it, or the core is about to look.
    #[inline]
    pub fn notify(&self, bits: u64) -> bool {
        self.attention.fetch_or(bits, Ordering::Release) == 0
    }

    /// Whether the attention word is not zero.
    #[inline]
    pub fn is_notified(&self) -> bool {
        self.attention.load(Ordering::Relaxed) != 0
    }

    /// The attention word as it is.
    pub fn attention(&self) -> u64 {
        self.attention.load(Ordering::Acquire)
    }

    /// Puts another attention word in place: the VM stands still.
    pub fn set_attention(&self, word: u64) {
        self.attention.store(word, Ordering::Release);
    }

    /// Takes the attention word.
    #[inline]
    pub fn take_attention(&self) -> u64 {
        self.attention.swap(0, Ordering::Acquire)
    }

    /// Interrupts that have come in and were not yet taken into the bank.
    #[inline]
    pub fn incoming(&self) -> u32 {
        self.attention.load(Ordering::Relaxed) as u32
    }

    /// Withdraws interrupts that have come in. What has called for attention goes on to do so: whoever could take that back
    /// could have the vCPU's core kicked again and again, without the vCPU ever having run.
    pub fn withdraw(&self, interrupts: u32) {
        let withdrawn = u64::from(interrupts);
        // In one step: its core takes the word at any time, and nobody would be kicked for what is set after that.
        let step = |word: u64| (word & withdrawn != 0).then_some(word & !withdrawn | PRIVATE);
        let _ = self.attention.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    }

    /// Takes the private interrupts that were raised in hardware, and that nobody has looked at yet. To be called on the vCPU's
    /// core.
    pub fn take_raised(&self) -> u32 {
        let raised = self.incoming() & !SGIS;
        if raised != 0 {
            self.attention.fetch_and(!u64::from(raised), Ordering::Relaxed);
        }
        raised
    }
}
