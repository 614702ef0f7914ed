//! A FIFO of fixed depth.
#![expect(clippy::indexing_slicing, reason = "every index is reduced to the length of its array")]

/// Entries of a PL011 FIFO (DDI 0183 section 2.4; 32 since r1p5).
pub(super) const DEPTH: usize = 32;

/// A FIFO of [`DEPTH`] entries.
#[derive(Clone, Debug)]
pub(super) struct Fifo<T> {
    cells: [T; DEPTH],
    head: usize,
    len: usize,
}

impl<T: Copy> Fifo<T> {
    /// An empty FIFO; `blank` fills the unused cells.
    pub const fn new(blank: T) -> Self {
        Self { cells: [blank; DEPTH], head: 0, len: 0 }
    }

    /// Entries held.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Appends an entry; false if the FIFO is full.
    #[inline]
    pub fn push(&mut self, value: T) -> bool {
        if self.len >= DEPTH {
            return false;
        }
        self.cells[self.head.wrapping_add(self.len) % DEPTH] = value;
        self.len = self.len.wrapping_add(1);
        true
    }

    /// Takes the oldest entry.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        let value = self.cells[self.head % DEPTH];
        self.head = self.head.wrapping_add(1) % DEPTH;
        Some(value)
    }

    /// All entries, the oldest first, with blanks behind them, and how many there are.
    pub fn save(&self) -> ([T; DEPTH], u32)
    where
        T: Default,
    {
        let (mut cells, mut from) = ([T::default(); DEPTH], self.clone());
        cells.iter_mut().for_each(|cell| *cell = from.pop().unwrap_or_default());
        (cells, self.len as u32)
    }

    /// What was saved. None: a FIFO does not hold so many.
    pub fn restore(cells: [T; DEPTH], len: u32) -> Option<Self> {
        let len = usize::try_from(len).ok()?;
        (len <= DEPTH).then_some(Self { cells, head: 0, len })
    }

    /// Forgets all entries but those that `keep` holds for.
    pub fn retain(&mut self, keep: impl Fn(T) -> bool) {
        for _ in 0..self.len {
            if let Some(value) = self.pop().filter(|&value| keep(value)) {
                self.push(value);
            }
        }
    }
}
