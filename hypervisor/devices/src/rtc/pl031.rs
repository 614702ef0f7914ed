//! The clock's state and what register accesses do to it.

use super::registers::*;

/// An emulated PL031. It shows the time of day that it is given, until the guest sets it to another; then it keeps the
/// difference. It wakes up running, as firmware leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pl031 {
    /// What the clock shows, less the time of day; modulo 2^32.
    pub(super) offset: u32,
    /// The last value of LR.
    pub(super) load: u32,
    /// MR.
    pub(super) alarm: u32,
    /// IMSC.
    pub(super) enabled: bool,
    /// RIS.
    pub(super) raised: bool,
    /// The clock has yet to reach [`alarm`](Self::alarm). What is more than half of its range away lies behind it.
    pub(super) ahead: bool,
}

impl Pl031 {
    /// A clock that shows the time of day, without an alarm.
    pub const fn new() -> Self {
        Self { offset: 0, load: 0, alarm: 0, enabled: false, raised: false, ahead: false }
    }

    /// The state after the VM's reset: the bus side is reset, but the clock goes on, with what it was set to.
    pub const fn reset(&mut self) {
        *self = Self { offset: self.offset, load: self.load, ..Self::new() };
    }

    /// Whether the interrupt line is high: MIS is not zero.
    pub const fn irq_level(&self) -> bool {
        self.raised && self.enabled
    }

    /// Takes note of the time: the alarm goes off when the clock shows its time, or has passed it since the last look.
    pub const fn look(&mut self, now: u32) {
        if self.left(now) > 0 {
            self.ahead = true;
        } else if self.ahead {
            self.ahead = false;
            self.raised = true;
        }
    }

    /// In how many seconds the clock has to [`look`](Self::look) for its interrupt line to rise in time; the line rises with
    /// the change of the second. None: nothing will raise it.
    pub const fn due(&self, now: u32) -> Option<u32> {
        let left = self.left(now);
        if self.enabled && !self.raised && self.ahead && left > 0 { Some(left.cast_unsigned()) } else { None }
    }

    /// Reads the register at `offset` bytes into the frame. Unknown, unaligned and write-only offsets read as zero. A narrower
    /// access takes the low bits of the result.
    pub fn read(&mut self, now: u32, offset: u64) -> u32 {
        self.look(now);
        match offset {
            DR => self.shown(now),
            MR => self.alarm,
            LR => self.load,
            CR => 1,
            IMSC => u32::from(self.enabled),
            RIS => u32::from(self.raised),
            MIS => u32::from(self.irq_level()),
            ID.. if offset & 3 == 0 => {
                let index = usize::try_from((offset - ID) >> 2).unwrap_or(usize::MAX);
                ID_VALUES.get(index).copied().map_or(0, u32::from)
            }
            _ => 0,
        }
    }

    /// Writes the register at `offset` bytes into the frame. Unknown, unaligned and read-only offsets ignore it; so does CR,
    /// since a clock that runs cannot be stopped (DDI 0224, section 3.3.4). A narrower access is extended with zeros.
    pub fn write(&mut self, now: u32, offset: u64, value: u32) {
        self.look(now);
        match offset {
            MR => {
                self.alarm = value;
                self.compare(now);
            }
            LR => {
                self.load = value;
                self.offset = value.wrapping_sub(now);
                self.compare(now);
            }
            IMSC => self.enabled = value & 1 != 0,
            ICR if value & 1 != 0 => self.raised = false,
            _ => {}
        }
    }

    /// What the clock shows.
    const fn shown(&self, now: u32) -> u32 {
        now.wrapping_add(self.offset)
    }

    /// Seconds until the clock shows the alarm's time; negative if that was before.
    const fn left(&self, now: u32) -> i32 {
        self.alarm.wrapping_sub(self.shown(now)).cast_signed()
    }

    /// One of the two that are compared has changed: the alarm goes off at once if they are equal.
    const fn compare(&mut self, now: u32) {
        self.ahead = self.left(now) >= 0;
        self.look(now);
    }
}
