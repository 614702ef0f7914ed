//! Whether more is taken from the board's line: back pressure that never keeps the escape key from being heard.
//!
//! While the attached VM has no room for what is typed, input stays on the line, and the line waits as long as the VM reads at
//! some pace. A VM that takes less than [`PACE`] bytes in [`PATIENCE`] seconds, with [`TYPED_MAX`](super::TYPED_MAX) before it,
//! does not keep the keyboard from its person: what comes beyond these is then read and dropped, so that the escape key among
//! it is heard. A pace, and not just any progress: a guest that has the terminal answer it without end, and reads a byte now and
//! then, would put off the escape key behind the answers for hours.

/// Seconds for which a VM that hardly reads holds the line.
pub const PATIENCE: u64 = 2;
/// Bytes that a VM has to take in that time.
pub const PACE: u32 = 1024;

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

/// The input of the VM that is attached.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Number of the VM.
    pub vm: usize,
    /// Bytes that there is room for.
    pub room: usize,
    /// Bytes that the VM has taken so far, modulo 2^32.
    pub taken: u32,
}

/// How long the line has waited, and for whom.
#[derive(Debug, Default)]
pub struct Pressure {
    /// The VM, the bytes that it had taken by then, and the counter.
    since: Option<(usize, u32, u64)>,
    /// There was no room the last time.
    full: bool,
}

impl Pressure {
    /// Makes one of a line that does not wait.
    pub const fn new() -> Self {
        Self { since: None, full: false }
    }

    /// Whether there was no room when it was last asked.
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// What to do at `now`, on a counter of `frequency` Hz, about input for the attached VM, if one is.
    pub fn intake(&mut self, attached: Option<Input>, now: u64, frequency: u64) -> Intake {
        self.full = attached.is_some_and(|input| input.room == 0);
        let Some(Input { vm, room, taken }) = attached.filter(|input| input.room < PACE as usize) else {
            self.since = None;
            return Intake::Take;
        };
        if room != 0 {
            return Intake::Take;
        }
        match self.since {
            Some((whose, before, since)) if whose == vm && taken.wrapping_sub(before) < PACE => {
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

    fn full(vm: usize, taken: u32) -> Option<Input> {
        Some(Input { vm, room: 0, taken })
    }

    #[test]
    fn the_line_waits_as_long_as_the_vm_reads() {
        let mut pressure = Pressure::new();
        for second in 0..1000_u64 {
            let taken = u32::MAX.wrapping_add(second as u32 * PACE / PATIENCE as u32);
            for part in 0..10 {
                assert_eq!(pressure.intake(full(3, taken), second * HZ + part * HZ / 10, HZ), Intake::Wait);
            }
        }
        let room = Some(Input { vm: 3, room: PACE as usize, taken: 7 });
        assert_eq!(pressure.intake(room, 1000 * HZ, HZ), Intake::Take);
        assert!(!pressure.is_full());
    }

    #[test]
    fn a_vm_that_reads_nothing_does_not_hold_the_escape_key() {
        let mut pressure = Pressure::new();
        assert_eq!(pressure.intake(full(0, 7), 5, HZ), Intake::Wait);
        assert_eq!(pressure.intake(full(0, 7), 5 + PATIENCE * HZ - 1, HZ), Intake::Wait);
        for later in 0..10 {
            assert_eq!(pressure.intake(full(0, 7), 5 + PATIENCE * HZ + later, HZ), Intake::Drop);
        }
        assert_eq!(pressure.intake(full(0, 7 + PACE), 5 + PATIENCE * HZ + 10, HZ), Intake::Wait, "it reads again");
        assert_eq!(pressure.intake(full(1, 8), 5 + PATIENCE * HZ + 10, HZ), Intake::Wait, "another one");
        assert_eq!(pressure.intake(None, 5 + PATIENCE * HZ + 11, HZ), Intake::Take, "nobody");
    }

    #[test]
    fn nor_does_one_that_reads_a_byte_now_and_then() {
        let mut pressure = Pressure::new();
        let (mut line, mut taken, mut now) = (1 << 20, 0, 0);
        // It reads a byte a second; the line brings one whenever there is room, or it is dropped.
        while line != 0 {
            now += HZ / 10;
            let reads = now % HZ == 0;
            taken += u32::from(reads);
            for room in (0..=usize::from(reads)).rev() {
                let batch = match pressure.intake(Some(Input { vm: 0, room, taken }), now, HZ) {
                    Intake::Take => room,
                    Intake::Wait => 0,
                    Intake::Drop => 1000,
                };
                line -= batch.min(line);
            }
        }
        assert!(now < 2 * 60 * HZ, "the escape key was behind it for {} s", now / HZ);
    }
}
