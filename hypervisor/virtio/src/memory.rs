//! A guest's memory as a device shares it with a driver that runs meanwhile.

use core::sync::atomic::{Ordering, fence};

use portcullis_devices::{Memory, OutOfReach};

/// Copies 16 bytes at `address` in: what [`Shared::load_pair`] does where there is no shorter way.
///
/// # Errors
///
/// [`OutOfReach`].
pub fn copy_pair<M: Memory + ?Sized>(memory: &mut M, address: u64) -> Result<[u64; 2], OutOfReach> {
    let mut bytes = [0; 16];
    memory.copy_in(address, &mut bytes)?;
    let word = u128::from_le_bytes(bytes);
    Ok([word as u64, (word >> 64) as u64])
}

/// Copies 24 bytes at `address` in: what [`Shared::load_three`] does where there is no shorter way.
///
/// # Errors
///
/// [`OutOfReach`].
pub fn copy_three<M: Memory + ?Sized>(memory: &mut M, address: u64) -> Result<[u64; 3], OutOfReach> {
    let mut bytes = [0; 24];
    memory.copy_in(address, &mut bytes)?;
    let (words, _) = bytes.as_chunks::<8>();
    let word = |number: usize| words.get(number).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    Ok([word(0), word(1), word(2)])
}

/// The memory of a guest whose driver works on the same bytes at the same time, on other cores.
///
/// What is copied out of it may be some of what was there before a store of the guest's and some of what was there after it. Only
/// an index of a ring is read and written as a whole ([`load`](Self::load), [`store`](Self::store)); whatever else is
/// judged is judged as the copy that was made of it.
pub trait Shared: Memory {
    /// Checks that all of a range is the guest's RAM. A range that was checked can be copied for as long as the guest lives.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]: it is not, or its end is behind that of the address space.
    fn check(&self, address: u64, length: u32) -> Result<(), OutOfReach>;

    /// Loads 16 bits at `address`, a multiple of 2, by one single-copy atomic access (Arm ARM, B2.2.1): half of an old
    /// index and half of a new one would be an index that the driver has never written.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    fn load(&mut self, address: u64) -> Result<u16, OutOfReach>;

    /// Loads 16 bytes at `address`, little-endian, as copies of 64 bits.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    #[inline]
    fn load_pair(&mut self, address: u64) -> Result<[u64; 2], OutOfReach> {
        copy_pair(self, address)
    }

    /// Loads 24 bytes at `address`, little-endian, as copies of 64 bits: the beginning of a header that is judged as such.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    fn load_three(&mut self, address: u64) -> Result<[u64; 3], OutOfReach> {
        copy_three(self, address)
    }

    /// Stores 24 bytes at `address`, little-endian.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is stored.
    fn store_three(&mut self, address: u64, words: [u64; 3]) -> Result<(), OutOfReach> {
        self.copy_out(address, words.map(u64::to_le_bytes).as_flattened())
    }

    /// Stores 16 bits at `address`, a multiple of 2, by one single-copy atomic access.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is stored.
    fn store(&mut self, address: u64, value: u16) -> Result<(), OutOfReach>;

    /// Stores 64 bits, little-endian, at `address`.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is stored.
    fn store_u64(&mut self, address: u64, value: u64) -> Result<(), OutOfReach> {
        self.copy_out(address, &value.to_le_bytes())
    }

    /// Copies from this guest's memory at `from` to another's at `to`, each byte once.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`] of either; then nothing is copied.
    fn copy_across(&mut self, from: u64, other: &mut Self, to: u64, length: usize) -> Result<(), OutOfReach>;

    /// Orders the accesses before it and those behind it, as the vCPUs of the guest see them. Both sides are cores of one inner
    /// shareable domain with Normal memory between them, so that the fences of the language are the barriers that are needed
    /// (Arm ARM, B2.3.7): `Acquire` is DMB ISHLD, `Release` and `SeqCst` are DMB ISH. An implementation only has a reason for its
    /// own if it is to see them.
    ///
    /// What an implementation has to see to: a fence of the language orders atomic accesses only, and one that is neither
    /// atomic nor volatile may be moved past it, or be left out, by the compiler. So `copy_in`, `copy_out`,
    /// [`load`](Self::load), [`store`](Self::store) and [`copy_across`](Self::copy_across) are made of atomic accesses
    /// (`Relaxed` is enough) or of assembly that the compiler takes to read and write memory (without `nomem`, `readonly` or
    /// `pure`). `core::ptr::copy` is neither: another core writes to the same bytes, which is a data race of the language. The
    /// same holds for memory that is reached by an alias.
    fn order(&mut self, order: Ordering) {
        fence(order);
    }
}
