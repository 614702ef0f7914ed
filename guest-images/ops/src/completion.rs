//! Completion of the word before the cursor.

use core::fmt::{self, Write};

use heapless::{String, Vec};

use crate::words::MAX_WORDS;

/// Most bytes that one completion adds.
const ADDITION: usize = 32;

/// What can stand where.
pub trait Vocabulary {
    /// Gives `each` every word that can stand behind the words before it.
    fn candidates(&self, before: &[&str], each: &mut dyn FnMut(&str));
}

/// What is to be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// What all candidates have in common behind what is there; with a space if there is one candidate only.
    pub addition: String<ADDITION>,
    /// Number of candidates.
    pub count: usize,
}

/// The words before the last one, and the start of that one. Values are joined by `+` or `|`; each part is completed by
/// itself.
fn split(before: &str) -> (Vec<&str, MAX_WORDS>, &str) {
    let start = before.rfind(' ').map_or(0, |space| space + 1);
    let (words, last) = before.split_at(start);
    let part = last.rfind(['+', '|']).map_or(0, |joint| joint + 1);
    (words.split_ascii_whitespace().take(MAX_WORDS).collect(), last.get(part..).unwrap_or_default())
}

fn each_match(before: &str, vocabulary: &dyn Vocabulary, each: &mut dyn FnMut(&str, &str)) {
    let (words, start) = split(before);
    vocabulary.candidates(&words, &mut |candidate| {
        if let Some(rest) = candidate.strip_prefix(start) {
            each(candidate, rest);
        }
    });
}

/// Completes the text before the cursor.
pub fn complete(before: &str, vocabulary: &dyn Vocabulary) -> Completion {
    let mut completion = Completion::default();
    each_match(before, vocabulary, &mut |_, rest| {
        if completion.count == 0 {
            let fits = rest.len().min(ADDITION);
            let _ = completion.addition.push_str(rest.get(..fits).unwrap_or_default());
        } else {
            let common = completion.addition.bytes().zip(rest.bytes()).take_while(|(a, b)| a == b).count();
            completion.addition.truncate(common);
        }
        completion.count += 1;
    });
    if completion.count == 1 {
        let _ = completion.addition.push(' ');
    }
    completion
}

/// Lists the candidates for the word before the cursor.
///
/// # Errors
/// Those of `out`.
pub fn list(before: &str, vocabulary: &dyn Vocabulary, out: &mut dyn Write) -> fmt::Result {
    let (mut first, mut result) = (true, Ok(()));
    each_match(before, vocabulary, &mut |candidate, _| {
        let gap = if core::mem::take(&mut first) { "" } else { "  " };
        result = result.and_then(|()| write!(out, "{gap}{candidate}"));
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words;

    impl Vocabulary for Words {
        fn candidates(&self, before: &[&str], each: &mut dyn FnMut(&str)) {
            let words: &[&str] = match before.len() {
                0 => &["start", "stats", "stop", "help"],
                _ => &["trng", "ptp", "pv-time"],
            };
            words.iter().for_each(|word| each(word));
        }
    }

    fn added(before: &str) -> (String<ADDITION>, usize) {
        let Completion { addition, count } = complete(before, &Words);
        (addition, count)
    }

    #[test]
    fn one_candidate_is_completed() {
        assert_eq!(added("he"), ("lp ".try_into().unwrap(), 1));
        assert_eq!(added("set t"), ("rng ".try_into().unwrap(), 1));
        assert_eq!(added("set trng+pt"), ("p ".try_into().unwrap(), 1));
        assert_eq!(added("help"), (" ".try_into().unwrap(), 1));
    }

    #[test]
    fn several_share_their_start() {
        assert_eq!(added("s"), ("t".try_into().unwrap(), 3));
        assert_eq!(added("sta"), (String::new(), 2));
        assert_eq!(added("x"), (String::new(), 0));
        let mut listed = std::string::String::new();
        list("sta", &Words, &mut listed).unwrap();
        assert_eq!(listed, "start  stats");
    }
}
