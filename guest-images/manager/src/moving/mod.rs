//! A VM that moves: the hand-over between two programs, one at either machine, and how they speak through a pipe.
//!
//! - [`handover`] is the order of the steps, and what becomes of the VM when one of them fails: the part that decides.
//! - [`talk`] is what the two say to each other.
//! - [`frame`] puts a stream, which says nothing of its end before it is there, into a pipe that goes on behind it.
//! - [`wait`] ends a wait at that pipe, when a person breaks it off or the other side is silent for too long.
//! - [`onlooker`] is who sees how far it is.

pub mod frame;
pub mod handover;
pub mod onlooker;
pub mod talk;
pub mod wait;
