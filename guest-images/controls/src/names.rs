//! Lists of words.

use core::fmt;

/// Words with commas between them.
pub struct Names<I>(pub I);

impl<'a, I: Iterator<Item = &'a str> + Clone> fmt::Display for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (number, name) in self.0.clone().enumerate() {
            write!(f, "{}{name}", if number == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The name of a number; `?` for one that has none.
pub fn name(names: &[&'static str], number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| names.get(number)).copied().unwrap_or("?")
}
