//! Which interrupt sits in which list register of a vCPU's core.

use super::list_register::{self, HW, ListRegisters, State};

/// Most list registers that a core can have.
pub const MAX_SLOTS: usize = 16;

/// Flag of [`Slots::special`]: an interrupt is waiting for a list register.
pub const WAITING: u32 = 1 << 31;

/// A vCPU's list registers as they were last seen or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// List registers that were given an interrupt, as a bitmap.
    pub used: u32,
    /// Those of them that need care when they have ended: they hold an SPI, or lost their link to a physical interrupt.
    /// And [`WAITING`].
    pub special: u32,
    /// The maintenance interrupt for "none pending" is on.
    pub maintained: bool,
    /// Value of each.
    values: [u64; MAX_SLOTS],
}

impl Slots {
    /// Nothing in any list register.
    pub const fn new() -> Self {
        Self { used: 0, special: 0, maintained: false, values: [0; MAX_SLOTS] }
    }

    /// INTID in slot `n`.
    #[inline]
    pub const fn intid(&self, n: usize) -> u32 {
        self.value(n) as u32
    }

    /// Value of slot `n`.
    #[inline]
    pub const fn value(&self, n: usize) -> u64 {
        self.values[n % MAX_SLOTS]
    }

    /// Slots that hold SPIs.
    pub fn spis(&self) -> impl Iterator<Item = usize> + use<> {
        let spis = Bits(self.used & self.special).filter(|&n| self.intid(n) >= 32);
        Bits(spis.fold(0, |bits, n| bits | 1 << (n % MAX_SLOTS)))
    }

    /// Puts `value` into the free list register `n`.
    #[inline]
    pub fn occupy(&mut self, n: usize, value: u64, lrs: &mut impl ListRegisters) {
        let bit = 1 << (n % MAX_SLOTS);
        self.used |= bit;
        self.special |= if value as u32 >= 32 { bit } else { 0 };
        self.rewrite(n, value, lrs);
    }

    /// Puts `value`, which is an SPI's, into the first list register. The others are free.
    #[inline]
    pub fn hold_only(&mut self, value: u64, lrs: &mut impl ListRegisters) {
        (self.used, self.special) = (1, 1);
        self.rewrite(0, value, lrs);
    }

    /// Has the end of slot `n`, which has `value`, reported. That excludes a link to a physical interrupt. Returns the
    /// value that it has to get.
    pub fn report_end(&mut self, n: usize, value: u64) -> u64 {
        self.special |= if value & HW != 0 { 1 << (n % MAX_SLOTS) } else { 0 };
        list_register::with_end_reported(value)
    }

    /// Writes another value of the same interrupt to list register `n`.
    #[inline]
    pub fn rewrite(&mut self, n: usize, value: u64, lrs: &mut impl ListRegisters) {
        self.values[n % MAX_SLOTS] = value;
        lrs.write(n, value);
    }

    /// Notes the value that list register `n` was found to have.
    #[inline]
    pub fn note(&mut self, n: usize, value: u64) {
        self.values[n % MAX_SLOTS] = value;
    }

    /// Slot `n` is free from now on.
    #[inline]
    pub fn vacate(&mut self, n: usize) {
        let bit = 1 << (n % MAX_SLOTS);
        self.used &= !bit;
        self.special &= !bit;
    }

    /// A free slot among the first `count`.
    #[inline]
    pub fn free(&self, count: usize) -> Option<usize> {
        let n = (!self.used).trailing_zeros() as usize;
        (n < count.min(MAX_SLOTS)).then_some(n)
    }

    /// Slots in the given state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = usize> {
        Bits(self.used).filter(move |&n| State::of(self.value(n)) == state)
    }

    /// The slot whose interrupt should make room for one of this priority: the least urgent one that is pending only,
    /// if it is less urgent.
    pub fn victim(&self, priority: u8) -> Option<usize> {
        self.in_state(State::Pending)
            .max_by_key(|&n| (list_register::priority(self.value(n)), self.intid(n)))
            .filter(|&n| list_register::priority(self.value(n)) > priority)
    }

    /// Interrupts of a bank (INTID / 32) that are pending, and that are active, in list registers whose values are
    /// those.
    pub fn states(&self, bank: u32, values: impl Fn(usize) -> u64) -> (u32, u32) {
        let (mut pending, mut active) = (0, 0);
        for n in Bits(self.used).filter(|&n| self.intid(n) >> 5 == bank) {
            let state = State::of(values(n));
            let bit = 1u32.wrapping_shl(self.intid(n));
            pending |= if state.is_pending() { bit } else { 0 };
            active |= if state.is_active() { bit } else { 0 };
        }
        (pending, active)
    }

    /// Whether a list register is pending now.
    pub fn any_pending(&self, lrs: &impl ListRegisters) -> bool {
        Bits(self.used & !lrs.empty()).any(|n| State::of(lrs.read(n)).is_pending())
    }
}

/// The set bits of a word, lowest first.
#[derive(Clone, Copy)]
pub struct Bits(pub u32);

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let n = self.0.trailing_zeros() as usize;
        self.0 &= self.0.wrapping_sub(1);
        Some(n)
    }
}
