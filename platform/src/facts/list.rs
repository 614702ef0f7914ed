//! Lists and texts of a fixed capacity, for facts that are gathered before there is a heap.

use core::fmt;
use core::ops::Deref;

/// Up to `N` items in place; derefs to a slice.
#[derive(Clone, Copy)]
pub struct List<T, const N: usize> {
    items: [T; N],
    length: usize,
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// Appends an item; false if the list is full.
    pub fn push(&mut self, item: T) -> bool {
        match self.items.get_mut(self.length) {
            Some(slot) => {
                *slot = item;
                self.length = self.length.saturating_add(1);
                true
            }
            None => false,
        }
    }

    /// A list of what `change` makes of each item.
    pub fn map<U: Copy + Default>(&self, change: impl Fn(T) -> U) -> List<U, N> {
        let mut list = List::default();
        self.iter().for_each(|item| _ = list.push(change(*item)));
        list
    }

    /// Takes the item with this index out; the last one takes its place.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        let item = self.get(index).copied()?;
        let last = self.pop()?;
        if let Some(slot) = self.items.get_mut(index).filter(|_| index < self.length) {
            *slot = last;
        }
        Some(item)
    }

    /// Takes the last item off.
    pub fn pop(&mut self) -> Option<T> {
        self.length = self.length.checked_sub(1)?;
        self.items.get(self.length).copied()
    }
}

impl<T: Copy + Default, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self { items: [T::default(); N], length: 0 }
    }
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.items.get(..self.length).unwrap_or_default()
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: PartialEq, const N: usize> PartialEq for List<T, N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for List<T, N> {}

/// A string of up to 48 bytes in place; derefs to `str`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Text(List<u8, 48>);

impl Text {
    /// Copies a string; none if it is too long.
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = List::default();
        text.bytes().all(|byte| bytes.push(byte)).then_some(Self(bytes))
    }

    /// The string.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_as_much_as_it_can() {
        let mut list = List::<u32, 2>::default();
        assert!(list.is_empty());
        assert!(list.push(7) && list.push(8) && !list.push(9));
        assert_eq!(*list, [7, 8]);
        assert_eq!(*list.map(|item| item * 2), [14, 16]);
        let mut other = list;
        assert_eq!((other.swap_remove(2), other.swap_remove(0), &*other), (None, Some(7), &[8][..]));
        assert_eq!((other.swap_remove(0), other.len()), (Some(8), 0));
        assert_eq!([list.pop(), list.pop(), list.pop()], [Some(8), Some(7), None]);
    }

    #[test]
    fn texts_come_back_or_are_refused() {
        assert_eq!(&*Text::new("raspberrypi,4-model-b").unwrap(), "raspberrypi,4-model-b");
        assert_eq!(Text::new(&"x".repeat(49)), None);
    }
}
