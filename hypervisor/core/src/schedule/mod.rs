//! Several vCPUs on one core: whose turn it is, and how the core changes over from one to another.
//!
//! A vCPU that is alone on its core is not scheduled: its core runs it and nothing else, without any timer of the
//! hypervisor's. What is here concerns the others.
//!
//! [`RoundRobin`] is the policy, which knows of numbers only and is tested on the host: round robin with a slice for each vCPU, and
//! above it, if the manifest says so, [`Windows`] in which only one VM's vCPUs have turns.
//! [`SharedCore`](crate::run::shared_core::SharedCore) is the core: it tells the policy who could run, and does what the policy
//! says.

mod round_robin;
pub mod turns;
mod windows;

pub use self::round_robin::{Decision, RoundRobin, Task};
pub use self::windows::{Slot, Window, Windows};
