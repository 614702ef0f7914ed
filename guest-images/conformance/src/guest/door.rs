//! Calls through one conduit, with patterns in all registers that a call must leave alone.

use core::fmt;

use guest_runtime::call::{Immediate, Registers, call};
use guest_runtime::power::Conduit;
use portcullis_abi::result::NOT_SUPPORTED;

use crate::guest::report;

/// x0 to x3 of a refused call: -1 over 64 bits and zeros (DEN0028 section 7.1).
pub const REFUSED: [u64; 4] = [NOT_SUPPORTED as u64, 0, 0, 0];
/// What upper halves hold that a callee has to ignore.
pub const JUNK: u64 = 0xdead_beef_0000_0000;

/// An error code alone in x0.
pub const fn code(value: i64) -> [u64; 4] {
    [value as u64, 0, 0, 0]
}

/// What a call left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// x0 to x3.
    pub x: [u64; 4],
    /// The first register that changed and should not have: x4 to x30, or 31 for SP.
    pub changed: Option<usize>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "x0..x3 {:x?}", self.x)?;
        match self.changed {
            None => Ok(()),
            Some(31) => write!(f, " and SP changed"),
            Some(number) => write!(f, " and x{number} changed"),
        }
    }
}

/// One conduit.
pub struct Door {
    conduit: Conduit,
}

impl Door {
    /// The door of a conduit.
    pub const fn new(conduit: Conduit) -> Self {
        Self { conduit }
    }

    /// The conduit.
    pub const fn conduit(&self) -> Conduit {
        self.conduit
    }

    /// The conduit's name.
    pub fn name(&self) -> &'static str {
        match self.conduit {
            Conduit::Hvc => "hvc",
            Conduit::Smc => "smc",
        }
    }

    /// A call with a whole x0 and arguments in x1 to x3.
    #[inline(never)]
    pub fn call(&self, x0: u64, arguments: [u64; 3]) -> Answer {
        self.call_with(Immediate::Zero, x0, arguments)
    }

    /// A call with an immediate.
    #[inline(never)]
    pub fn call_with(&self, immediate: Immediate, x0: u64, arguments: [u64; 3]) -> Answer {
        let mut x = [0; 31];
        for (number, register) in x.iter_mut().enumerate() {
            *register = 0x5a5a_a5a5_0000_0000 | (x0 & 0xffff) << 16 | (0x0101 * number as u64);
        }
        x[0] = x0;
        x[1..4].copy_from_slice(&arguments);
        self.raw(immediate, x)
    }

    /// A call with given registers.
    #[inline(never)]
    pub fn raw(&self, immediate: Immediate, x: [u64; 31]) -> Answer {
        let mut registers = Registers::new(x);
        call(self.conduit, immediate, &mut registers);
        let mut changed = (4..31).find(|&number| registers.x[number] != x[number]);
        if registers.sp_after != registers.sp_before {
            changed = changed.or(Some(31));
        }
        Answer { x: [registers.x[0], registers.x[1], registers.x[2], registers.x[3]], changed }
    }

    /// A case: the call answers `expected` in x0 to x3 and keeps the rest.
    #[inline(never)]
    pub fn expect(&self, name: fmt::Arguments, x0: u64, arguments: [u64; 3], expected: [u64; 4]) {
        let expected = Answer { x: expected, changed: None };
        report::equal(format_args!("{}/{name}", self.name()), expected, self.call(x0, arguments));
    }

    /// A case: the call is refused.
    #[inline(never)]
    pub fn refused(&self, name: fmt::Arguments, x0: u64, arguments: [u64; 3]) {
        self.expect(name, x0, arguments, REFUSED);
    }

    /// A case: what the call answers satisfies a condition, `expected` in words, and the rest is kept.
    pub fn satisfies(
        &self,
        name: fmt::Arguments,
        x0: u64,
        arguments: [u64; 3],
        expected: &str,
        condition: impl FnOnce(&[u64; 4]) -> bool,
    ) -> Answer {
        let answer = self.call(x0, arguments);
        let holds = answer.changed.is_none() && condition(&answer.x);
        report::holds(format_args!("{}/{name}", self.name()), holds, expected, &answer);
        answer
    }
}
