//! The other side, for tests on a host: a guest's memory and a driver that does as it is told, also what is forbidden.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that goes wrong ends")]

mod driver;
mod price;
mod ram;

pub use driver::{Driver, INDIRECT, NEXT, WRITE, buffers};
pub use price::{INSTRUCTIONS, price};
pub use ram::{Meanwhile, Ram, START, Step};
