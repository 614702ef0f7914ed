//! The CPU implementations that a VM is told of: those of its cores, each once, and those that its manifest adds.

use portcullis_abi::bundle::IMPLEMENTATIONS_MAX;
use portcullis_bundle::implementations::Implementation;

/// Implementations, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownImplementations {
    list: [Implementation; IMPLEMENTATIONS_MAX],
    count: usize,
}

/// There are more than [`IMPLEMENTATIONS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl KnownImplementations {
    /// Those of `all` in their order, each once.
    ///
    /// # Errors
    ///
    /// [`TooMany`] different ones.
    pub fn of(all: impl IntoIterator<Item = Implementation>) -> Result<Self, TooMany> {
        let mut known = Self { list: [Implementation::default(); IMPLEMENTATIONS_MAX], count: 0 };
        for one in all {
            if !known.as_slice().contains(&one) {
                *known.list.get_mut(known.count).ok_or(TooMany)? = one;
                known.count += 1;
            }
        }
        Ok(known)
    }

    /// The implementations.
    pub fn as_slice(&self) -> &[Implementation] {
        self.list.get(..self.count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(midr: u64, revidr: u64, aidr: u64) -> Implementation {
        Implementation { midr, revidr, aidr }
    }

    #[test]
    fn each_is_there_once_in_the_order_of_its_first() {
        let (a72, a53) = (some(0x410f_d083, 0, 0), some(0x410f_d034, 0, 0));
        let known = KnownImplementations::of([a72, a72, a53, a72]).unwrap();
        assert_eq!(known.as_slice(), [a72, a53]);
        // One that differs in one register alone is another one.
        let known = KnownImplementations::of([a72, some(a72.midr, 1, 0), some(a72.midr, 0, 1), a72]).unwrap();
        assert_eq!(known.as_slice().len(), 3);
        assert_eq!(KnownImplementations::of([]).unwrap().as_slice(), []);
    }

    #[test]
    fn there_is_room_for_so_many() {
        let number = |count: u64| (0..count).map(|midr| some(midr, 0, 0));
        let most = IMPLEMENTATIONS_MAX as u64;
        assert_eq!(KnownImplementations::of(number(most)).unwrap().as_slice().len(), IMPLEMENTATIONS_MAX);
        assert_eq!(KnownImplementations::of(number(most).chain(number(most))).unwrap().as_slice().len(), 16);
        assert_eq!(KnownImplementations::of(number(most + 1)), Err(TooMany));
    }
}
