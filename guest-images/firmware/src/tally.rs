//! What the firmware says: which calls were made, or why it gave up.

use core::fmt;

/// Start of the line with which the firmware gives up, before it switches the machine off.
pub const FAILED: &str = "el3: failed: ";
/// Functions that are told apart.
pub const FUNCTIONS: usize = 64;

#[derive(Clone, Copy, Debug, Default)]
struct Function {
    identifier: u32,
    calls: u64,
    last_w7: u32,
}

/// Counts calls by function. Displays as lines that each begin with `el3: `, the functions in the order of their first
/// calls.
#[derive(Clone, Debug)]
pub struct Tally {
    functions: [Function; FUNCTIONS],
    used: usize,
    others: u64,
    total: u64,
}

impl Tally {
    /// No call was made yet.
    pub const fn new() -> Self {
        const NONE: Function = Function { identifier: 0, calls: 0, last_w7: 0 };
        Self { functions: [NONE; FUNCTIONS], used: 0, others: 0, total: 0 }
    }

    /// Counts a call with `x`, x0 to x7 of the caller.
    pub fn count(&mut self, x: &[u64; 8]) {
        self.total = self.total.saturating_add(1);
        let (identifier, last_w7) = (x[0] as u32, x[7] as u32);
        let known = self.functions.iter_mut().take(self.used).find(|function| function.identifier == identifier);
        if let Some(function) = known {
            *function = Function { identifier, calls: function.calls.saturating_add(1), last_w7 };
        } else if let Some(free) = self.functions.get_mut(self.used) {
            *free = Function { identifier, calls: 1, last_w7 };
            self.used += 1;
        } else {
            self.others = self.others.saturating_add(1);
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "el3: {} SMCs in all", self.total)?;
        for Function { identifier, calls, last_w7 } in self.functions.iter().take(self.used) {
            writeln!(f, "el3: {identifier:#010x} called {calls} times, last w7 = {last_w7}")?;
        }
        if self.others > 0 {
            writeln!(f, "el3: others called {} times", self.others)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_apart_by_w0() {
        let mut tally = Tally::new();
        tally.count(&[0x8400_0000, 0, 0, 0, 0, 0, 0, 1]);
        tally.count(&[0xc200_0001, 0, 0, 0, 0, 0, 0, 9]);
        tally.count(&[0xffff_ffff_8400_0000, 0, 0, 0, 0, 0, 0, 0x7_0000_0002]);
        let expected = "el3: 3 SMCs in all\n\
            el3: 0x84000000 called 2 times, last w7 = 2\n\
            el3: 0xc2000001 called 1 times, last w7 = 9\n";
        assert_eq!(tally.to_string(), expected);
    }

    #[test]
    fn what_does_not_fit_is_counted_together() {
        let mut tally = Tally::new();
        for identifier in 0..FUNCTIONS as u64 + 3 {
            tally.count(&[identifier, 0, 0, 0, 0, 0, 0, 0]);
        }
        tally.count(&[0, 0, 0, 0, 0, 0, 0, 0]);
        let text = tally.to_string();
        assert_eq!(text.lines().count(), FUNCTIONS + 2);
        assert!(text.contains("el3: 0x00000000 called 2 times"), "{text}");
        assert!(text.ends_with("el3: others called 3 times\n"), "{text}");
    }
}
