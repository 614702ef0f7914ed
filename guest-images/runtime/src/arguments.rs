//! The kernel command line as `name=value` words.

/// Arguments separated by spaces; of two with one name the last counts.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(&'a str);

impl<'a> Arguments<'a> {
    /// The arguments of a command line.
    pub const fn new(line: &'a str) -> Self {
        Self(line)
    }

    /// The value of `name=value`; empty for a bare `name`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let mut found = None;
        for word in self.0.split_ascii_whitespace() {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            if key == name {
                found = Some(value);
            }
        }
        found
    }

    /// A number, decimal or with `0x`; `default` if the argument is absent, nothing if it is no number.
    pub fn number(&self, name: &str, default: u64) -> Option<u64> {
        let Some(text) = self.get(name) else { return Some(default) };
        match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    }

    /// Every argument's name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.split_ascii_whitespace().map(|word| word.split_once('=').map_or(word, |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_name() {
        let arguments = Arguments::new("std-hyp=1  mode=storm quiet std=0x3");
        assert_eq!(arguments.get("std"), Some("0x3"));
        assert_eq!(arguments.get("mode"), Some("storm"));
        assert_eq!(arguments.get("quiet"), Some(""));
        assert_eq!(arguments.get("hyp"), None);
    }

    #[test]
    fn the_last_of_two_counts() {
        assert_eq!(Arguments::new("cpus=1 cpus=2").number("cpus", 4), Some(2));
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        let arguments = Arguments::new("a=10 b=0x10 c=ten d= e=0xg");
        assert_eq!(arguments.number("a", 0), Some(10));
        assert_eq!(arguments.number("b", 0), Some(16));
        assert_eq!(arguments.number("absent", 7), Some(7));
        for name in ["c", "d", "e"] {
            assert_eq!(arguments.number(name, 7), None, "{name}");
        }
    }

    #[test]
    fn names_are_listed_in_order() {
        assert!(Arguments::new(" std=1 mode ").names().eq(["std", "mode"]));
    }
}
