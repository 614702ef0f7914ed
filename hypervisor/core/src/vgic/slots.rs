//! Which interrupt sits in which list register of a vCPU's core.

use super::list_register::{self, ListRegisters, State};

/// Most list registers that a core can have.
pub const MAX_SLOTS: usize = 16;

/// A vCPU's list registers as they were last seen or written.
#[derive(Clone, Debug)]
pub struct Slots {
    /// List registers that hold an interrupt, as a bitmap.
    pub used: u32,
    /// Those of them that hold an SPI.
    pub spis: u32,
    /// INTID in each.
    intids: [u16; MAX_SLOTS],
    /// Value of each.
    values: [u64; MAX_SLOTS],
    /// An interrupt is waiting for one.
    pub waiting: bool,
    /// The maintenance interrupt for "none pending" is on.
    pub maintained: bool,
}

impl Slots {
    /// Nothing in any list register.
    pub const fn new() -> Self {
        Self { used: 0, spis: 0, intids: [0; MAX_SLOTS], values: [0; MAX_SLOTS], waiting: false, maintained: false }
    }

    /// INTID in slot `n`.
    #[inline]
    pub const fn intid(&self, n: usize) -> u32 {
        self.intids[n % MAX_SLOTS] as u32
    }

    /// Value of slot `n`.
    #[inline]
    pub const fn value(&self, n: usize) -> u64 {
        self.values[n % MAX_SLOTS]
    }

    /// Puts `value` into the free list register `n`.
    #[inline]
    pub fn occupy(&mut self, n: usize, intid: u32, value: u64, lrs: &mut impl ListRegisters) {
        let bit = 1 << (n % MAX_SLOTS);
        self.used |= bit;
        self.spis |= if intid < 32 { 0 } else { bit };
        self.intids[n % MAX_SLOTS] = intid as u16;
        self.rewrite(n, value, lrs);
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
        self.spis &= !bit;
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

    /// The slot whose interrupt should make room for one of this priority: the least urgent one that is pending only, if
    /// it is less urgent.
    pub fn victim(&self, priority: u8) -> Option<usize> {
        self.in_state(State::Pending)
            .max_by_key(|&n| (list_register::priority(self.value(n)), self.intid(n)))
            .filter(|&n| list_register::priority(self.value(n)) > priority)
    }

    /// INTID and present value of every list register that was given an interrupt.
    pub fn in_use(&self, lrs: &impl ListRegisters) -> impl Iterator<Item = (u32, u64)> {
        Bits(self.used).map(move |n| (self.intid(n), lrs.read(n)))
    }

    /// Whether a list register is pending now.
    pub fn any_pending(&self, lrs: &impl ListRegisters) -> bool {
        self.in_use(lrs).any(|(_, value)| State::of(value).is_pending())
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
