//! Why a VM failed.

use core::fmt;

use portcullis_abi::manage;

/// What a VM cannot go on from. The numbers are those of the management calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// An instruction fetch from where there is no memory.
    Fetch = manage::FAILURE_FETCH as u8,
    /// A load or store to where there is neither memory nor a device.
    Access = manage::FAILURE_ACCESS as u8,
    /// A load or store to a device by an instruction that its syndrome does not describe.
    Instruction = manage::FAILURE_INSTRUCTION as u8,
    /// An exception that this machine has no answer to.
    Exception = manage::FAILURE_EXCEPTION as u8,
    /// Its images could not be loaded.
    Load = manage::FAILURE_LOAD as u8,
    /// An SError.
    SError = manage::FAILURE_SERROR as u8,
    /// An abort at the first instruction of the guest's own exception vector, again.
    Vector = manage::FAILURE_VECTOR as u8,
    /// Its watchdog has bitten.
    Watchdog = manage::FAILURE_WATCHDOG as u8,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(manage::FAILURES.get(*self as usize).copied().unwrap_or_default())
    }
}

/// A failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub reason: Reason,
    /// Number of the vCPU to which it happened.
    pub vcpu: usize,
    /// Bits 31:0 of ESR_EL2.
    pub syndrome: u32,
    /// The guest's program counter.
    pub pc: u64,
    /// The address of the access, in the guest's physical addresses; zero if there is none.
    pub address: u64,
}

impl Failure {
    /// What happened, to whom and by which syndrome: x1 of `VM_FAILURE`.
    pub const fn word(&self) -> u64 {
        self.reason as u64 | (self.vcpu as u64 & 0xff) << 8 | (self.syndrome as u64) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_text() {
        let reasons = [
            Reason::Fetch,
            Reason::Access,
            Reason::Instruction,
            Reason::Exception,
            Reason::Load,
            Reason::SError,
            Reason::Vector,
            Reason::Watchdog,
        ];
        assert_eq!(reasons.len() + 1, manage::FAILURES.len());
        for (reason, text) in reasons.iter().zip(&manage::FAILURES[1..]) {
            assert_eq!(&reason.to_string(), text);
        }
    }
}
