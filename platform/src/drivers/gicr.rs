//! The first frame of a GICv3's redistributor (RD_base; IHI 0069, section 12.11), as far as a driver that waits without an end must
//! not come to it before this has: whether it wakes, and whether what is written to it takes effect.

use core::fmt;

/// GICR_CTLR (section 12.11.2).
const CTLR: usize = 0;
/// GICR_CTLR.RWP: writes are yet to take effect.
const WRITE_PENDING: u32 = 1 << 3;
/// GICR_WAKER (section 12.11.42).
const WAKER: usize = 0x14;
/// GICR_WAKER.ProcessorSleep: its core wants no interrupts.
const PROCESSOR_SLEEP: u32 = 1 << 1;
/// GICR_WAKER.ChildrenAsleep: nor does it hand over any.
const CHILDREN_ASLEEP: u32 = 1 << 2;
/// How often it is asked. One that has not answered by then never will.
const MOST_LOOKS: u32 = 1 << 20;

/// A redistributor.
#[derive(Debug)]
pub struct Redistributor(usize);

/// What a redistributor does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// It stays asleep (GICR_WAKER.ChildrenAsleep).
    Asleep,
    /// Writes do not take effect (GICR_CTLR.RWP).
    Pending,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asleep => "does not wake (GICR_WAKER)",
            Self::Pending => "does not put into effect what is written to it (GICR_CTLR.RWP)",
        })
    }
}

impl Redistributor {
    /// The one whose first frame is at `address`.
    ///
    /// # Safety
    ///
    /// It must be that of a GICv3's redistributor, mapped as device memory.
    pub const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// Wakes it, if it sleeps, and waits until it has put into effect what was written before.
    ///
    /// # Errors
    ///
    /// [`Stuck`]: it does not.
    pub fn wake(&self) -> Result<(), Stuck> {
        if self.read(WAKER) & CHILDREN_ASLEEP != 0 {
            let register = self.0.wrapping_add(WAKER);
            // SAFETY: GICR_WAKER, as `at` was promised. ProcessorSleep becomes 0 while ChildrenAsleep is 1, as it must.
            unsafe { (register as *mut u32).write_volatile(self.read(WAKER) & !PROCESSOR_SLEEP) };
        }
        self.waits(WAKER, CHILDREN_ASLEEP).then_some(()).ok_or(Stuck::Asleep)?;
        self.waits(CTLR, WRITE_PENDING).then_some(()).ok_or(Stuck::Pending)
    }

    /// Waits until a bit is clear. False: it stays set.
    fn waits(&self, register: usize, bit: u32) -> bool {
        (0..MOST_LOOKS).any(|_| self.read(register) & bit == 0)
    }

    fn read(&self, register: usize) -> u32 {
        // SAFETY: a register of the frame, as `at` was promised; a read has no effect.
        unsafe { (self.0.wrapping_add(register) as *const u32).read_volatile() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wakes(ctlr: u32, waker: u32) -> (Result<(), Stuck>, u32) {
        let mut memory = [ctlr, 0, 0, 0, 0, waker];
        // SAFETY: memory of our own serves for registers, which stay as they are written.
        let result = unsafe { Redistributor::at(memory.as_mut_ptr() as usize) }.wake();
        (result, memory[WAKER / 4])
    }

    #[test]
    fn one_that_is_awake_is_left_as_it_is() {
        assert_eq!(wakes(0, 0), (Ok(()), 0));
        // A non-secure view of it reads as zeros; the implementation's own bits stay.
        assert_eq!(wakes(0, 1 << 31), (Ok(()), 1 << 31));
    }

    #[test]
    fn one_that_never_answers_is_given_up() {
        assert_eq!(wakes(0, PROCESSOR_SLEEP | CHILDREN_ASLEEP), (Err(Stuck::Asleep), CHILDREN_ASLEEP));
        assert_eq!(wakes(WRITE_PENDING, 0), (Err(Stuck::Pending), 0));
        // Where nothing is, some interconnects answer by ones.
        assert_eq!(wakes(u32::MAX, u32::MAX).0, Err(Stuck::Asleep));
    }
}
