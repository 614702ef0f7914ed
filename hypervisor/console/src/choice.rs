//! Choosing a VM by what a person types behind the escape key: its number, or the first letters of its name.

use core::fmt;

use portcullis_abi::bundle::NAME_MAX;

/// Names that a message tells.
const TOLD: usize = 12;

/// What was typed so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice {
    bytes: [u8; NAME_MAX],
    len: usize,
}

/// What a key does to a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One more character, this one.
    Added(u8),
    /// The last character is gone.
    Removed,
    /// It stays as it is.
    Same,
    /// It is complete.
    Complete,
    /// Nothing is to be chosen.
    Ended,
}

/// What a complete choice means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The VM with this number, from 0.
    Vm(usize),
    /// The key `d` or `0`: no VM.
    Detach,
    /// The key `q`.
    PowerOff,
    /// No VM that it could be.
    NoVm(NoVm),
}

/// Why a choice means no VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoVm {
    /// None has this number.
    Number,
    /// No name begins so.
    Name,
    /// The names of several begin so.
    Several,
}

impl Choice {
    /// Makes a choice that begins with this key.
    pub fn of(key: u8) -> Self {
        let mut choice = Self::default();
        choice.step(key);
        choice
    }

    /// What was typed.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Takes the next key.
    pub fn step(&mut self, key: u8) -> Step {
        match key {
            b'\r' | b'\n' => Step::Complete,
            0x08 | 0x7f => match self.len.checked_sub(1) {
                Some(len) => {
                    self.len = len;
                    Step::Removed
                }
                None => Step::Ended,
            },
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => match self.bytes.get_mut(self.len) {
                Some(place) => {
                    // No name has a capital letter.
                    *place = key.to_ascii_lowercase();
                    self.len = self.len.wrapping_add(1);
                    Step::Added(*place)
                }
                None => Step::Same,
            },
            _ => Step::Ended,
        }
    }

    /// What it means where VMs have these names. The keys `d` and `q` mean what they do by themselves, a whole name is its VM's.
    pub fn meaning<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> Meaning {
        let text = self.as_str();
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse::<usize>() {
                Ok(0) => Meaning::Detach,
                Ok(number) if number <= names.count() => Meaning::Vm(number.wrapping_sub(1)),
                _ => Meaning::NoVm(NoVm::Number),
            };
        }
        match text {
            "d" => return Meaning::Detach,
            "q" => return Meaning::PowerOff,
            _ => {}
        }
        if let Some(vm) = names.clone().position(|name| name == text) {
            return Meaning::Vm(vm);
        }
        let mut all = names.enumerate().filter(|(_, name)| name.starts_with(text));
        match (all.next(), all.next()) {
            (None, _) => Meaning::NoVm(NoVm::Name),
            (Some((vm, _)), None) => Meaning::Vm(vm),
            _ => Meaning::NoVm(NoVm::Several),
        }
    }
}

/// The names of VMs, as a message tells them: the first ones, and how many there are besides.
pub struct Names<I>(pub I);

impl<'a, I: Iterator<Item = &'a str> + Clone> fmt::Display for Names<I> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let count = self.0.clone().count();
        for (index, name) in self.0.clone().take(TOLD).enumerate() {
            let gap = if index == 0 { "" } else { ", " };
            write!(out, "{gap}{name}")?;
        }
        match count.saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Choice {
        let mut choice = Choice::default();
        keys.iter().for_each(|key| _ = choice.step(*key));
        choice
    }

    fn meaning(keys: &[u8], names: &[&str]) -> Meaning {
        typed(keys).meaning(names.iter().copied())
    }

    #[test]
    fn numbers_and_first_letters_are_understood() {
        let names = ["linux-a", "linux-b", "web", "web-2", "debian", "d1", "quiet", "linux"];
        for (text, expected) in [
            ("1", Meaning::Vm(0)),
            ("8", Meaning::Vm(7)),
            ("007", Meaning::Vm(6)),
            ("9", Meaning::NoVm(NoVm::Number)),
            ("18446744073709551616", Meaning::NoVm(NoVm::Number)),
            ("0", Meaning::Detach),
            ("d", Meaning::Detach),
            ("q", Meaning::PowerOff),
            ("de", Meaning::Vm(4)),
            ("d1", Meaning::Vm(5)),
            ("qu", Meaning::Vm(6)),
            ("w", Meaning::NoVm(NoVm::Several)),
            ("web", Meaning::Vm(2)),
            ("web-", Meaning::Vm(3)),
            ("linux", Meaning::Vm(7)),
            ("linu", Meaning::NoVm(NoVm::Several)),
            ("linux-", Meaning::NoVm(NoVm::Several)),
            ("linux-b", Meaning::Vm(1)),
            ("WEB", Meaning::Vm(2)),
            ("x", Meaning::NoVm(NoVm::Name)),
            ("web-22", Meaning::NoVm(NoVm::Name)),
            ("-", Meaning::NoVm(NoVm::Name)),
        ] {
            assert_eq!(meaning(text.as_bytes(), &names), expected, "{text}");
        }
        assert_eq!((meaning(b"1", &[]), meaning(b"a", &[])), (Meaning::NoVm(NoVm::Number), Meaning::NoVm(NoVm::Name)));
    }

    #[test]
    fn every_vm_is_found_by_its_number_and_its_name() {
        let names: Vec<String> = (1..=32).map(|n| format!("vm-{n}")).collect();
        let all = names.iter().map(String::as_str);
        for (vm, name) in names.iter().enumerate() {
            assert_eq!(typed((vm + 1).to_string().as_bytes()).meaning(all.clone()), Meaning::Vm(vm));
            assert_eq!(typed(name.as_bytes()).meaning(all.clone()), Meaning::Vm(vm), "{name} is a whole name");
        }
        assert_eq!(typed(b"33").meaning(all.clone()), Meaning::NoVm(NoVm::Number));
        assert_eq!(typed(b"vm-").meaning(all), Meaning::NoVm(NoVm::Several));
    }

    #[test]
    fn keys_edit_it() {
        let mut choice = Choice::of(b'1');
        assert_eq!((choice.step(b'2'), choice.as_str()), (Step::Added(b'2'), "12"));
        assert_eq!((choice.step(0x7f), choice.as_str()), (Step::Removed, "1"));
        assert_eq!((choice.step(8), choice.as_str()), (Step::Removed, ""));
        assert_eq!(choice.step(8), Step::Ended);
        assert_eq!((choice.step(b'W'), choice.as_str()), (Step::Added(b'w'), "w"));
        assert_eq!((choice.step(b'\r'), choice.step(b'\n')), (Step::Complete, Step::Complete));
        for key in
            (0..=u8::MAX).filter(|key| !key.is_ascii_alphanumeric() && !matches!(key, b'-' | b'\r' | b'\n' | 8 | 0x7f))
        {
            assert_eq!(choice.step(key), Step::Ended, "{key:#x}");
        }
        let mut full = typed(&[b'a'; NAME_MAX]);
        assert_eq!((full.step(b'a'), full.as_str().len()), (Step::Same, NAME_MAX));
    }

    #[test]
    fn a_long_list_of_names_is_cut_and_says_so() {
        let names: Vec<String> = (1..=32).map(|n| format!("sixteen-letter{n:02}")).collect();
        let all = names.iter().map(String::as_str);
        let text = Names(all.clone()).to_string();
        assert!(text.starts_with("sixteen-letter01, sixteen-letter02, ") && text.ends_with("letter12 and 20 more"));
        assert_eq!(Names(all.take(2)).to_string(), "sixteen-letter01, sixteen-letter02");
    }
}
