//! What a core notes while a trace is on: records ([`Event`]), and the ring in which the last ones are kept ([`Ring`]).
#![cfg_attr(not(any(test, loom)), no_std)]
#![forbid(unsafe_code)]
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]

extern crate alloc;

mod atomic;
mod event;
mod ring;

pub use self::event::{Event, Leave, Subject, Verdict};
pub use self::ring::{Read, Ring};
