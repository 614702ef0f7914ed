//! The machine room of Portcullis: VMs and vCPUs, the cores that run them, and what guests reach of EL2.
//!
//! - It is built in floors, and a file uses what stands below it: `lint arrows` of `scripts/test` fails on an import that runs
//!   up. What a VM *is* ([`vm`]) knows nothing of what is *done* with it ([`life`], [`run`]); neither knows who asks for it
//!   ([`manage`], [`service`], [`trap`]). The map is in `docs/architecture.md`.
//! - What a lower floor needs of a higher one is handed to it: trap handlers ([`machine::TrapHandlers`]), a device's VM
//!   ([`devices::owner::Owner`]).
//! - Policy is numbers in, a decision out: [`schedule`], [`entropy`], [`vm::step`], [`vm::state`]. Registers are
//!   `portcullis_arch`'s, boards are behind the traits of `portcullis_board`.
//! - A core waits for no other one. A VM is steered by a word and a kick of its cores; each vCPU does what the word says by itself,
//!   and the last one does the rest.
//! - On a path that a guest can reach nothing panics, nothing allocates, and work is bounded; what takes longer is cut into pieces.
//!
//! # Example
//!
//! What a core owes a vCPU next follows from two words:
//!
//! ```
//! use portcullis_core::vm::power::PowerState;
//! use portcullis_core::vm::state::{Action, State};
//! use portcullis_core::vm::step::{Step, step};
//!
//! assert_eq!(step(PowerState::OnPending, State::RUNNING, || false), Step::Start);
//! let ending = State { action: Action::Off, ..State::RUNNING };
//! assert_eq!(step(PowerState::On, ending, || false), Step::Retire, "its VM ends: it leaves its core");
//! ```
#![cfg_attr(not(any(test, feature = "rig")), no_std)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(
    any(test, feature = "rig"),
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;

pub mod cpu;
pub mod devices;
pub mod entropy;
pub mod life;
pub mod links;
pub mod logger;
pub mod machine;
pub mod manage;
pub mod memory;
#[cfg(feature = "rig")]
pub mod rig;
pub mod run;
pub mod schedule;
pub mod serial;
pub mod service;
#[cfg(any(test, feature = "rig"))]
mod tests;
pub mod trace;
pub mod trap;
pub mod vm;
