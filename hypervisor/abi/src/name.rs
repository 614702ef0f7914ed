//! Names as they stand in structures.

/// The bytes of `name` in a field of `N` bytes: the rest is zero, and what is longer is cut.
#[must_use]
pub fn padded<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_followed_by_zeros() {
        assert_eq!(padded("lan"), *b"lan\0\0");
        assert_eq!(padded("lan"), *b"lan");
        assert_eq!((padded("lan"), padded("")), (*b"la", [0; 4]));
    }
}
