//! The machine of the tests, for those of other crates: a program that makes management calls is tested against the code that
//! serves them. Only builds for tests have it (the feature `rig`).

use crate::manage::tests::bench::{A, B, Bench};

/// A machine of three VMs: `ops`, the control VM, which runs; `a` and `b-with-16-chars-`, which were just created. It is one
/// test's, on the thread that it was made by; others wait for it.
pub struct Machine(Bench);

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// Waits for the machine, and puts it back to how it was.
    pub fn new() -> Self {
        Self(Bench::new())
    }

    /// Makes a management call as the control VM does by HVC. Returns x0 to x3.
    pub fn call(&self, [function, arguments @ ..]: [u64; 4]) -> [u64; 4] {
        // What is no function identifier of 32 bits is none of the interface's.
        match u32::try_from(function) {
            Ok(function) => {
                let (status, [x1, x2, x3]) = self.0.call(function, arguments);
                [status.cast_unsigned(), x1, x2, x3]
            }
            Err(_) => [portcullis_abi::manage::UNKNOWN_CALL.cast_unsigned(), 0, 0, 0],
        }
    }

    /// Lets the cores of the VMs do what is in progress.
    pub fn settle(&self) {
        [A, B].into_iter().for_each(|vm| self.0.settle(vm));
    }
}
