//! The state of a vCPU that the vectors save and restore.

/// What SP_EL2 points to while a guest runs: the vectors store the guest's registers here without any scratch register.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Context {
    /// x0 to x30 as the guest left them. On a firmware call only x0 to x18 and x30 are saved: the others are kept by the
    /// procedure call standard (AAPCS64, section 6.1.1) and what stands here is stale.
    pub x: [u64; 31],
    /// Where the guest starts, for [`crate::vectors::enter`].
    pub elr: u64,
    /// Processor state with which it starts.
    pub spsr: u64,
    /// Highest address of the EL2 stack of the core on which this vCPU runs.
    pub stack: u64,
}

impl Context {
    /// A context with nothing in it.
    pub const fn new() -> Self {
        Self { x: [0; 31], elr: 0, spsr: crate::el2::EL1H_MASKED, stack: 0 }
    }

    /// The value of general register `n` as an instruction names it: 31 is the zero register.
    pub fn register(&self, n: u64) -> u64 {
        self.x.get(n as usize).copied().unwrap_or(0)
    }

    /// Sets general register `n`; 31 is the zero register.
    pub fn set_register(&mut self, n: u64, value: u64) {
        if let Some(register) = self.x.get_mut(n as usize) {
            *register = value;
        }
    }

    /// Puts the four results of a call in place.
    #[inline(always)]
    pub fn set_results(&mut self, [x0, x1, x2, x3]: [u64; 4]) {
        let [r0, r1, r2, r3, ..] = &mut self.x;
        (*r0, *r1, *r2, *r3) = (x0, x1, x2, x3);
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn register_31_reads_zero_and_ignores_writes() {
        let mut context = Context::new();
        context.set_register(31, 5);
        context.set_register(30, 7);
        assert_eq!((context.register(31), context.register(30)), (0, 7));
    }
}
