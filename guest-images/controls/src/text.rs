//! Text in a fixed amount of memory.

use core::fmt;

use heapless::String;

/// As much of a text as fits.
pub fn cut<const N: usize>(text: fmt::Arguments) -> String<N> {
    struct Cut<const N: usize>(String<N>);
    impl<const N: usize> fmt::Write for Cut<N> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            text.chars().try_for_each(|character| self.0.push(character)).map_err(|_| fmt::Error)
        }
    }
    let mut cut = Cut(String::new());
    // The error only says that it was cut.
    let _ = fmt::write(&mut cut, text);
    cut.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut::<8>(format_args!("{}-{}", 12, 345)), "12-345");
        assert_eq!(cut::<8>(format_args!("{}", "aéééééé")), "aééé");
    }
}
