//! Stops a watchdog that a boot loader has left running. Nobody here would tell it that all is well, and it would reset the
//! machine.

use core::fmt;

use portcullis_board::Range;

/// What stops the watchdogs of one kind. All registers have 32 bits; offsets are from the first one, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Offset of the register that controls it.
    pub control: u64,
    /// The bits of it that are set while it runs: one of them is enough.
    pub runs: u32,
    /// The bits of it that are left as they are.
    pub kept: u32,
    /// What every write to it has beside that.
    pub key: u32,
    /// A register by which writes are let in: its offset, what lets them in, and what ends that.
    pub lock: Option<(u64, [u32; 2])>,
}

/// What was found of a watchdog, and what has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It does not run.
    Idle,
    /// It ran.
    Stopped,
    /// It runs: what was written has not stopped it.
    Runs,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "does not run",
            Self::Stopped => "was left running, and is stopped",
            Self::Runs => {
                "was left running, and does not stop: it will reset the machine; have the boot loader not start it, or give it to a VM \
                 that drives it"
            }
        })
    }
}

impl Stop {
    /// Stops the watchdog whose registers are in `registers`, if it runs. None if they have no room for those that are needed.
    ///
    /// # Safety
    ///
    /// They must be registers of such a watchdog, mapped as device memory and used by nothing else.
    pub unsafe fn stop(&self, registers: Range) -> Option<Found> {
        let place = |offset: u64| {
            let place = Range::checked(registers.start.checked_add(offset)?, size_of::<u32>() as u64)?;
            registers.contains(&place).then_some(place.start as *mut u32)
        };
        let control = place(self.control)?;
        let lock = match self.lock {
            Some((offset, keys)) => Some((place(offset)?, keys)),
            None => None,
        };
        // SAFETY: passed on to the caller; reading it has no effect.
        let read = || unsafe { control.read_volatile() };
        let before = read();
        if before & self.runs == 0 {
            return Some(Found::Idle);
        }
        // SAFETY: passed on to the caller, for all three. They are of one device, which gets them in this order (Arm ARM, B2.7.2).
        unsafe {
            if let Some((lock, [open, _])) = lock {
                lock.write_volatile(open);
            }
            control.write_volatile(before & self.kept | self.key);
            if let Some((lock, [_, close])) = lock {
                lock.write_volatile(close);
            }
        }
        Some(if read() & self.runs == 0 { Found::Stopped } else { Found::Runs })
    }
}

/// What the tests of each kind have in common, too.
#[cfg(test)]
pub mod tests {
    use super::*;

    /// What a block of registers is after the watchdog in it was stopped, and what was found.
    pub fn after<const N: usize>(stop: &Stop, mut block: [u32; N]) -> (Option<Found>, [u32; N]) {
        let registers = Range::sized(block.as_mut_ptr() as u64, size_of_val(&block) as u64);
        // SAFETY: the block is a register block in memory, and this test's own.
        let found = unsafe { stop.stop(registers) };
        (found, block)
    }

    const PLAIN: Stop = Stop { control: 4, runs: 0b11, kept: 0xf0, key: 0x5000, lock: None };

    #[test]
    fn one_that_runs_is_stopped() {
        assert_eq!(after(&PLAIN, [7, 0xff, 7]), (Some(Found::Stopped), [7, 0x50f0, 7]));
        assert_eq!(after(&PLAIN, [7, 0x2, 7]), (Some(Found::Stopped), [7, 0x5000, 7]));
        // In memory the last write to the lock is what stays.
        let locked = Stop { lock: Some((8, [1, 2])), ..PLAIN };
        assert_eq!(after(&locked, [7, 1, 7]), (Some(Found::Stopped), [7, 0x5000, 2]));
    }

    #[test]
    fn one_that_does_not_run_is_left_alone() {
        assert_eq!(after(&PLAIN, [3, 0xfc, 3]), (Some(Found::Idle), [3, 0xfc, 3]));
        let locked = Stop { lock: Some((8, [1, 2])), ..PLAIN };
        assert_eq!(after(&locked, [3, 0, 3]), (Some(Found::Idle), [3, 0, 3]));
    }

    #[test]
    fn one_that_goes_on_is_told_of() {
        let stubborn = Stop { kept: 0xff, ..PLAIN };
        assert_eq!(after(&stubborn, [0, 1, 0]).0, Some(Found::Runs));
        assert!(Found::Runs.to_string().contains("will reset the machine"));
    }

    #[test]
    fn registers_that_are_not_there_are_not_written() {
        assert_eq!(after(&PLAIN, [1]), (None, [1]));
        assert_eq!(after(&Stop { lock: Some((8, [1, 2])), ..PLAIN }, [1, 1]), (None, [1, 1]));
    }
}
