//! Whether more is taken from the board's line: back pressure that never keeps the escape key from being heard.
//!
//! While the attached VM has no room for what is typed, input stays on the line, and the line waits as long as the VM goes on
//! reading at all. A VM that takes nothing for [`PATIENCE`] seconds with [`TYPED_MAX`](super::TYPED_MAX) bytes before it
//! does not keep the keyboard from its person: what comes beyond these is then read and dropped, so that the escape key among
//! it is heard.

/// Seconds for which a VM that reads nothing holds the line.
pub const PATIENCE: u64 = 2;

/// What to do about input that may be on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Take it: there is room, or it is nobody's.
    Take,
    /// Leave it on the line.
    Wait,
    /// Take it and drop what is for the VM.
    Drop,
}

/// How long the line has waited, and for whom.
#[derive(Debug, Default)]
pub struct Pressure {
    /// The VM, the bytes that it had taken by then, and the counter.
    since: Option<(usize, u32, u64)>,
}

impl Pressure {
    /// Makes one of a line that does not wait.
    pub const fn new() -> Self {
        Self { since: None }
    }

    /// Whether the line waits.
    pub const fn is_waiting(&self) -> bool {
        self.since.is_some()
    }

    /// What to do at `now`, on a counter of `frequency` Hz. `full`: the attached VM that has no room, and how many bytes it has
    /// taken so far.
    pub fn intake(&mut self, full: Option<(usize, u32)>, now: u64, frequency: u64) -> Intake {
        let Some((vm, taken)) = full else {
            self.since = None;
            return Intake::Take;
        };
        match self.since {
            Some((whose, before, since)) if (whose, before) == (vm, taken) => {
                let over = now.saturating_sub(since) >= frequency.saturating_mul(PATIENCE);
                if over { Intake::Drop } else { Intake::Wait }
            }
            _ => {
                self.since = Some((vm, taken, now));
                Intake::Wait
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 1000;

    #[test]
    fn the_line_waits_as_long_as_the_vm_reads() {
        let mut pressure = Pressure::new();
        for second in 0..1000 {
            let taken = second as u32;
            assert_eq!(pressure.intake(Some((3, taken)), second * HZ, HZ), Intake::Wait);
            assert_eq!(pressure.intake(Some((3, taken)), second * HZ + HZ - 1, HZ), Intake::Wait);
        }
        assert_eq!(pressure.intake(None, 1000 * HZ, HZ), Intake::Take);
        assert!(!pressure.is_waiting());
    }

    #[test]
    fn a_vm_that_reads_nothing_does_not_hold_the_escape_key() {
        let mut pressure = Pressure::new();
        assert_eq!(pressure.intake(Some((0, 7)), 5, HZ), Intake::Wait);
        assert_eq!(pressure.intake(Some((0, 7)), 5 + PATIENCE * HZ - 1, HZ), Intake::Wait);
        for later in 0..10 {
            assert_eq!(pressure.intake(Some((0, 7)), 5 + PATIENCE * HZ + later, HZ), Intake::Drop);
        }
        assert_eq!(pressure.intake(Some((0, 8)), 5 + PATIENCE * HZ + 10, HZ), Intake::Wait, "it reads again");
        assert_eq!(pressure.intake(Some((1, 8)), 5 + PATIENCE * HZ + 10, HZ), Intake::Wait, "another one");
    }
}
