//! What the numbers of a description may be, and what is said of one that is not so. The manifest is checked by these limits,
//! and at EL2 the bundle once more: one rule, one text. It says what is wrong, then, behind a semicolon, what would be right.

use core::fmt;

use portcullis_abi::{bundle, map};

use crate::units::{Amount, Size, Time};

/// Most bytes of RAM that a VM can have: a 39-bit guest address space, less what lies below [`map::RAM`].
pub const MEMORY_MAX: u64 = (1 << 39) - map::RAM;

/// A length of time in a description, and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// What it is, with its article.
    noun: &'static str,
    /// The shortest one in microseconds.
    least: u32,
    /// The longest one in microseconds.
    most: u32,
}

/// How long a vCPU runs at a time.
pub const SLICE: TimeLimit = TimeLimit { noun: "a slice", least: bundle::SLICE_MIN, most: bundle::SLICE_MAX };
/// The frame of a core with windows.
pub const FRAME: TimeLimit = TimeLimit { noun: "a frame", least: bundle::FRAME_MIN, most: bundle::FRAME_MAX };
/// A window in a frame.
pub const WINDOW: TimeLimit = TimeLimit { noun: "a window", least: bundle::WINDOW_MIN, most: bundle::FRAME_MAX };
/// Where a window starts, from the frame's start.
pub const START: TimeLimit = TimeLimit { noun: "a start", least: 0, most: bundle::FRAME_MAX };

impl TimeLimit {
    /// Checks so many microseconds.
    ///
    /// # Errors
    ///
    /// They are too few or too many.
    pub fn check(self, time: u64) -> Result<u32, WrongTime> {
        let short = u32::try_from(time).ok().filter(|time| (self.least..=self.most).contains(time));
        short.ok_or(WrongTime { limit: self, time })
    }
}

/// A length of time that is too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongTime {
    limit: TimeLimit,
    time: u64,
}

impl fmt::Display for WrongTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TimeLimit { noun, least, most } = self.limit;
        let (least, most) = (Time(least.into()), Time(most.into()));
        write!(f, "{noun} of {}; {noun} is {least} to {most}", Time(self.time))
    }
}

/// A number of things in a description, of which there is one at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountLimit {
    /// What has them, with its article.
    whole: &'static str,
    /// What they are.
    parts: &'static str,
    most: usize,
    /// What else is to be said of them.
    note: &'static str,
}

/// The cores of a VM.
pub const CORES: CountLimit =
    CountLimit { whole: "a VM", parts: "cores", most: map::MAX_VCPUS, note: ": the VM gets one vCPU on each" };
/// The windows of a core.
pub const WINDOWS: CountLimit =
    CountLimit { whole: "a cyclic schedule", parts: "windows", most: bundle::WINDOWS_MAX, note: "" };

impl CountLimit {
    /// Checks so many of them.
    ///
    /// # Errors
    ///
    /// They are none or too many.
    pub fn check(self, count: usize) -> Result<(), WrongCount> {
        match count {
            1.. if count <= self.most => Ok(()),
            _ => Err(WrongCount { limit: self, count }),
        }
    }
}

/// Too few things, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongCount {
    limit: CountLimit,
    count: usize,
}

impl fmt::Display for WrongCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CountLimit { whole, parts, most, note } = self.limit;
        write!(f, "{whole} with {} {parts}; list 1 to {most} {parts}{note}", self.count)
    }
}

/// Checks the bytes of a VM's RAM: at least one [`bundle::MEMORY_UNIT`] and a multiple of it, in the guest's address space.
///
/// # Errors
///
/// They are none of those.
pub fn check_memory(bytes: u64) -> Result<(), WrongMemory> {
    match bytes >= bundle::MEMORY_UNIT && bytes.is_multiple_of(bundle::MEMORY_UNIT) && bytes <= MEMORY_MAX {
        true => Ok(()),
        false => Err(WrongMemory(bytes)),
    }
}

/// An amount of memory that no VM can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongMemory(u64);

impl fmt::Display for WrongMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = (bundle::MEMORY_UNIT, self.0);
        if bytes < unit {
            return write!(f, "a VM with {} of memory; the least is memory = \"{}\"", Size(bytes), Amount(unit));
        }
        if bytes > MEMORY_MAX {
            return write!(f, "a VM with {} of memory; the most is memory = \"{}\"", Size(bytes), Amount(MEMORY_MAX));
        }
        let below = bytes & !(unit - 1);
        let (unit, above) = (Size(unit), Amount(below.saturating_add(unit)));
        write!(
            f,
            "{bytes} bytes of memory are not a multiple of {unit}; the nearest are \"{}\" or \"{above}\"",
            Amount(below)
        )
    }
}

/// How a window does not fit into its frame, all in microseconds from the frame's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It starts before the one in front of it ends.
    Overlap {
        /// Its start.
        start: u32,
        /// The end of the other one.
        free: u32,
    },
    /// It ends after the frame.
    Beyond {
        /// Its end.
        end: u32,
        /// The frame's.
        frame: u32,
    },
}

/// Checks a window that starts at `start` and has the length `length`, in a frame in which time is free from `free` on. Returns
/// where it ends.
///
/// # Errors
///
/// [`Misfit`].
pub fn place_window(start: u32, length: u32, free: u32, frame: u32) -> Result<u32, Misfit> {
    if start < free {
        return Err(Misfit::Overlap { start, free });
    }
    match start.saturating_add(length) {
        end if end <= frame => Ok(end),
        end => Err(Misfit::Beyond { end, frame }),
    }
}

impl Misfit {
    /// Says which windows are meant: this one, and the one in front of it.
    pub fn of<W, B>(self, window: W, before: B) -> WindowMisfit<W, B> {
        WindowMisfit { misfit: self, window, before }
    }
}

/// A window that does not fit, with names for it and for the one in front of it.
#[derive(Clone, Copy, Debug)]
pub struct WindowMisfit<W, B> {
    misfit: Misfit,
    window: W,
    before: B,
}

impl<W: fmt::Display, B: fmt::Display> fmt::Display for WindowMisfit<W, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { misfit, window, before } = self;
        match *misfit {
            Misfit::Overlap { start, free } => {
                let (start, free) = (Time(start.into()), Time(free.into()));
                write!(
                    f,
                    "{window} starts at {start}, but {before} ends at {free}; \
                     windows stand in the order of their time and do not overlap: from {free} on it is free"
                )
            }
            Misfit::Beyond { end, frame } => {
                let (end, frame) = (Time(end.into()), Time(frame.into()));
                write!(
                    f,
                    "{window} ends at {end}, but the frame at {frame}; \
                     make the frame longer, or the windows shorter or fewer"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_both_ends() {
        for limit in [SLICE, FRAME, WINDOW, START] {
            let (least, most) = (u64::from(limit.least), u64::from(limit.most));
            assert_eq!((limit.check(least), limit.check(most)), (Ok(limit.least), Ok(limit.most)));
            assert!(limit.check(most + 1).is_err() && limit.check(u64::MAX).is_err());
            assert!(least == 0 || limit.check(least - 1).is_err());
        }
        assert_eq!(SLICE.check(7).unwrap_err().to_string(), "a slice of 7us; a slice is 100us to 1s");
        let long = START.check(1 << 40).unwrap_err().to_string();
        assert_eq!(long, "a start of 1099511627776us; a start is 0us to 1s");
    }

    #[test]
    fn there_is_one_at_least() {
        for limit in [CORES, WINDOWS] {
            assert!(limit.check(0).is_err() && limit.check(1).is_ok());
            assert!(limit.check(limit.most).is_ok() && limit.check(limit.most + 1).is_err());
        }
        let none = CORES.check(0).unwrap_err().to_string();
        assert_eq!(none, "a VM with 0 cores; list 1 to 8 cores: the VM gets one vCPU on each");
        let many = WINDOWS.check(17).unwrap_err().to_string();
        assert_eq!(many, "a cyclic schedule with 17 windows; list 1 to 16 windows");
    }

    #[test]
    fn memory_has_a_unit_and_an_end() {
        for right in [2 << 20, 4 << 20, MEMORY_MAX] {
            assert_eq!(check_memory(right), Ok(()));
        }
        let text = |bytes| check_memory(bytes).unwrap_err().to_string();
        assert_eq!(text(0), "a VM with 0 bytes of memory; the least is memory = \"2M\"");
        assert_eq!(text((2 << 20) - 1), "a VM with 2.0 MiB of memory; the least is memory = \"2M\"");
        let odd = "3145728 bytes of memory are not a multiple of 2 MiB; the nearest are \"2M\" or \"4M\"";
        assert_eq!(text(3 << 20), odd);
        let much = "a VM with 523266 MiB of memory; the most is memory = \"511G\"";
        assert_eq!(text(MEMORY_MAX + (2 << 20)), much);
        assert_eq!(text(u64::MAX), "a VM with 17592186044416.0 MiB of memory; the most is memory = \"511G\"");
    }

    #[test]
    fn windows_follow_each_other_within_the_frame() {
        assert_eq!(place_window(0, 100, 0, 1_000), Ok(100));
        assert_eq!(place_window(900, 100, 900, 1_000), Ok(1_000));
        let text = |start, length| {
            place_window(start, length, 500, 1_000).unwrap_err().of("this", "the one before").to_string()
        };
        assert_eq!(
            text(499, 100),
            "this starts at 499us, but the one before ends at 500us; \
             windows stand in the order of their time and do not overlap: from 500us on it is free"
        );
        let beyond =
            "this ends at 1001us, but the frame at 1ms; make the frame longer, or the windows shorter or fewer";
        assert_eq!(text(500, 501), beyond);
        assert_eq!(place_window(u32::MAX, 2, 0, 1_000), Err(Misfit::Beyond { end: u32::MAX, frame: 1_000 }));
    }
}
