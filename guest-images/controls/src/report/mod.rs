//! What there is to know of a VM or of the machine, read by calls and shown as text: a file for each report.

pub mod audit;
pub mod clock;
pub mod counters;
pub mod filter;
pub mod links;
pub mod log;
pub mod refusals;
pub mod registers;
pub mod vms;

use core::fmt;

/// Microseconds as seconds with six decimals.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// The conduit of a call.
pub const fn conduit(smc: bool) -> &'static str {
    if smc { "smc" } else { "hvc" }
}
