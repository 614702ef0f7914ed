//! What the tests of several floors share: a machine for each test, with cores that are made up.

#[cfg(test)]
pub mod board;
#[cfg(test)]
pub mod guest;
#[cfg(test)]
pub mod meanwhile;
pub mod per_thread;
#[cfg(test)]
pub mod rig;
