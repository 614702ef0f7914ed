//! What the tests of several floors share: a machine for each test, with cores that are made up.

pub mod board;
pub mod guest;
pub mod per_thread;
pub mod rig;
