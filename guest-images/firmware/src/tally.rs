//! What the firmware says: which calls were made, or why it gave up.

use core::fmt;

/// Start of the line with which the firmware gives up, before it switches the machine off.
pub const FAILED: &str = "el3: failed: ";
/// Functions that are told apart.
pub const FUNCTIONS: usize = 64;

/// Values of w7 that are shown for a function: the lowest ones.
pub const VALUES: usize = 8;

/// A few numbers, ascending.
#[derive(Clone, Copy, Debug)]
struct Values {
    values: [u32; VALUES],
    used: usize,
    /// There were more than there is room for.
    more: bool,
}

impl Values {
    const NONE: Self = Self { values: [0; VALUES], used: 0, more: false };

    fn add(&mut self, value: u32) {
        let Err(place) = self.values[..self.used].binary_search(&value) else { return };
        if self.used < VALUES {
            self.used += 1;
        } else {
            self.more = true;
        }
        // The one that is last moves to where the new one belongs: either it is unused, or it is the highest of all.
        if let above @ [_, ..] = &mut self.values[place..self.used] {
            above.rotate_right(1);
            above[0] = value;
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.iter().take(self.used).try_for_each(|value| write!(f, " {value}"))?;
        if self.more { f.write_str(" ...") } else { Ok(()) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Function {
    identifier: u32,
    calls: u64,
    w7: Values,
}

/// Counts calls by function. Displays as lines that each begin with `el3: `, the functions in the order of their first
/// calls with the lowest values of w7 that they came with; `...` after these says that there were others.
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
        const NONE: Function = Function { identifier: 0, calls: 0, w7: Values::NONE };
        Self { functions: [NONE; FUNCTIONS], used: 0, others: 0, total: 0 }
    }

    /// Counts a call with `x`, x0 to x7 of the caller.
    pub fn count(&mut self, x: &[u64; 8]) {
        self.total = self.total.saturating_add(1);
        let identifier = x[0] as u32;
        let known = self.functions.iter().take(self.used).position(|function| function.identifier == identifier);
        let Some(function) = self.functions.get_mut(known.unwrap_or(self.used)) else {
            self.others = self.others.saturating_add(1);
            return;
        };
        if known.is_none() {
            self.used += 1;
        }
        function.identifier = identifier;
        function.calls = function.calls.saturating_add(1);
        function.w7.add(x[7] as u32);
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
        for Function { identifier, calls, w7 } in self.functions.iter().take(self.used) {
            writeln!(f, "el3: {identifier:#010x} called {calls} times, w7 ={w7}")?;
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
            el3: 0x84000000 called 2 times, w7 = 1 2\n\
            el3: 0xc2000001 called 1 times, w7 = 9\n";
        assert_eq!(tally.to_string(), expected);
    }

    #[test]
    fn every_value_of_w7_is_shown_once_and_the_lowest_ones_first() {
        let line = |values: &[u64]| {
            let mut tally = Tally::new();
            values.iter().for_each(|w7| tally.count(&[0, 0, 0, 0, 0, 0, 0, *w7]));
            tally.to_string().lines().nth(1).unwrap().to_owned()
        };
        assert_eq!(line(&[2, 1, 0xffff_ffff, 2, 1, 1]), "el3: 0x00000000 called 6 times, w7 = 1 2 4294967295");
        let eight = [70, 10, 30, 20, 50, 40, 60, 80];
        assert_eq!(line(&eight), "el3: 0x00000000 called 8 times, w7 = 10 20 30 40 50 60 70 80");
        let lower = [&eight[..], &[55, 5]].concat();
        assert_eq!(line(&lower), "el3: 0x00000000 called 10 times, w7 = 5 10 20 30 40 50 55 60 ...");
        let higher = [&eight[..], &[90, 80]].concat();
        assert_eq!(line(&higher), "el3: 0x00000000 called 10 times, w7 = 10 20 30 40 50 60 70 80 ...");
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
