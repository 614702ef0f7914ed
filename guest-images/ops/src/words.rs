//! A command line as words, and a script as command lines.

use heapless::Vec;

/// Most words of one command.
pub const MAX_WORDS: usize = 16;

/// The words of a command line.
pub type Words<'a> = Vec<&'a str, MAX_WORDS>;

/// The words of a line, separated by blanks; none if there are more than [`MAX_WORDS`].
pub fn split(line: &str) -> Option<Words<'_>> {
    let mut words = Words::new();
    for word in line.split_ascii_whitespace() {
        words.push(word).ok()?;
    }
    Some(words)
}

/// The commands of a script, separated by `;`; blank ones are left out.
pub fn commands(script: &str) -> impl Iterator<Item = &str> {
    script.split(';').map(str::trim).filter(|command| !command.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_separate_words() {
        assert_eq!(split("  set  linux-a\tstd trng ").unwrap(), ["set", "linux-a", "std", "trng"]);
        assert!(split("").unwrap().is_empty());
        assert!(split(&"x ".repeat(MAX_WORDS)).is_some() && split(&"x ".repeat(MAX_WORDS + 1)).is_none());
    }

    #[test]
    fn semicolons_separate_commands() {
        assert!(commands(" vms;; start 1 ;").eq(["vms", "start 1"]));
    }
}
