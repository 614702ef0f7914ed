//! What the tests of several floors share.

pub mod per_thread;
