//! Who makes management calls.

use crate::status::Status;

/// A way to make management calls.
pub trait Calls {
    /// Why a call did not succeed: its status, or what the way itself had.
    type Error: Failure;

    /// Makes a management call, `function` in x0 and the arguments in x1 to x3. Returns x1 to x3.
    ///
    /// # Errors
    /// Any status but success, and whatever can go wrong on the way.
    fn call(&mut self, function: u32, arguments: [u64; 3]) -> Result<[u64; 3], Self::Error>;
}

/// What may be the status of a call.
pub trait Failure {
    /// The status that the call has returned; none if it is not known whether there was a call.
    fn status(&self) -> Option<Status>;
}

impl Failure for Status {
    fn status(&self) -> Option<Status> {
        Some(*self)
    }
}
