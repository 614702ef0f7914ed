//! What the shell stands on: management calls, time, and a way out.

use core::sync::atomic::AtomicU8;

use controls::calls::Calls;
use controls::status::Status;
use portcullis_abi::manage::SUCCESS;

/// The answer to a firmware call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// x0.
    pub status: i64,
    /// x1 to x3.
    pub values: [u64; 3],
}

impl Answer {
    /// The values of a management call that succeeded.
    ///
    /// # Errors
    /// Its status, if that is another one.
    pub const fn result(self) -> Result<[u64; 3], Status> {
        if self.status == SUCCESS { Ok(self.values) } else { Err(Status(self.status)) }
    }
}

/// How a firmware call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// The HVC instruction.
    Hvc,
    /// The SMC instruction.
    Smc,
}

/// The person has typed Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// The VM that the shell runs in: the real one, or a model of it on the host.
pub trait Manager: Calls<Error = Status> {
    /// Makes a management call and returns all that it returns, whatever the status.
    fn ask(&mut self, function: u32, arguments: [u64; 3]) -> Answer;

    /// Makes any firmware call by a conduit of one's choice.
    fn firmware_call(&mut self, conduit: Conduit, function: u32, arguments: [u64; 3]) -> Answer;

    /// Whether calls of this function can be made from here: not where they are about memory that this manager cannot name.
    fn can_make(&self, _function: u32) -> bool {
        true
    }

    /// CNTVCT_EL0.
    fn counter(&self) -> u64;

    /// CNTPCT_EL0.
    fn physical_counter(&self) -> u64;

    /// CNTFRQ_EL0: ticks of both counters in a second.
    fn frequency(&self) -> u64;

    /// Waits.
    ///
    /// # Errors
    /// [`Cancelled`] if Ctrl-C was typed before the time was over.
    fn sleep(&mut self, microseconds: u64) -> Result<(), Cancelled>;

    /// Memory of this VM for a stream; empty in a build that has no commands for tests.
    fn buffer(&self) -> &'static [AtomicU8];

    /// What this VM was given as its RAM disk; empty where there is none that it could name.
    fn handed(&self) -> &'static [AtomicU8] {
        &[]
    }
}
