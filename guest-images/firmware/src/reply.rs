//! What an answer is made of: results for the caller, a core that starts, or the machine's end.

use portcullis_abi::result::{NOT_SUPPORTED, PSCI_SUCCESS};

/// CNTPCT_EL0 at the time of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The count.
    pub count: u64,
    /// CNTFRQ_EL0: counts in a second, not 0.
    pub frequency: u64,
}

/// Where a core begins, at EL2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Number of the core.
    pub core: usize,
    /// Physical address of its first instruction.
    pub entry: u64,
    /// Its x0.
    pub argument: u64,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// x0 to x3; all else is kept.
    Four([u64; 4]),
    /// x0 to x7; all else is kept.
    Eight([u64; 8]),
    /// x0 to x17, as no firmware should.
    Eighteen([u64; 18]),
    /// 0 in x0, after so many counts: meanwhile the core is at EL3, and hears nothing. All else is kept.
    Late(u64),
    /// A core starts, and the caller has [`crate::cores::STARTED`] in x0; all else is kept.
    Start(Start),
    /// The machine is switched off.
    PowerOff,
    /// The machine is reset.
    Reset,
}

impl Answer {
    /// One result in x0; x1 to x3 stay as the caller had them.
    pub(crate) const fn one(result: u64, x: &[u64; 8]) -> Self {
        Self::Four([result, x[1], x[2], x[3]])
    }

    /// The function is not known.
    pub(crate) const fn unknown(x: &[u64; 8]) -> Self {
        Self::one(code(NOT_SUPPORTED), x)
    }
}

/// A code for x0: a negative number is sign-extended to 64 bits.
pub(crate) const fn code(code: i64) -> u64 {
    code as u64
}

/// 0 or "not supported".
pub(crate) const fn supported(known: bool, x: &[u64; 8]) -> Answer {
    Answer::one(code(if known { PSCI_SUCCESS } else { NOT_SUPPORTED }), x)
}
