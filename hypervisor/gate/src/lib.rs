//! The policy of Portcullis: what a guest's firmware call gets.
//!
//! A VM's whole policy is one 64-bit word, a [`Profile`]. It lies in the VM's [`Row`] of the table, is written by
//! managers until the VM first starts and is read without a lock from then on. [`decide`] turns a profile, the VM's
//! range [`Filter`] and a [`Call`] into a [`Verdict`]. Nothing else reads the bits.
//!
//! - Discovery never lies: what VERSION and FEATURES calls say follows from the same bits and ranges as what is answered.
//! - A change of a profile is one compare-exchange that fails once the word is frozen; a reader sees all of it or nothing.
//! - A function is a row of one table: everything that is said of it elsewhere is derived from that row.
//! - What the vectors answer by themselves comes from this crate too ([`fast_table`], [`forwards`]), worked out when a VM starts.
//! - This crate knows no hardware, allocates nothing and holds no `unsafe`.
//!
//! `docs/gate.md` has the table of calls, the layout of the word, the memory ordering and each difference from Linux KVM.
//!
//! # Example
//!
//! A VM that may not have random numbers, on a board that has them:
//!
//! ```
//! use portcullis_abi::function;
//! use portcullis_gate::{Call, Conduit, Conduits, Register, Row, Support, Verdict, decide};
//!
//! let row = Row::new();
//! row.create(&Support::FULL, Conduits::BOTH);
//! let call = Call::new(Conduit::Hvc, [u64::from(function::TRNG_RND64), 64, 0, 0]);
//! assert!(matches!(decide(row.profile(), None, &call), Verdict::Serve(_)), "a new VM has what the board supports");
//!
//! row.set(Register::Std, 0, &Support::FULL).unwrap();
//! let profile = row.freeze(None);
//! assert_eq!(decide(profile, None, &call), Verdict::Deny);
//! assert!(row.set(Register::Std, 1, &Support::FULL).is_err(), "it has started");
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod atomic;
mod call;
mod codes;
mod decide;
mod discovery;
mod error;
pub mod fast_table;
mod filter;
pub mod forwards;
mod function;
mod function_id;
mod group;
mod identifiers;
pub mod layout;
mod offer;
mod profile;
mod published;
mod register;
mod route;
mod row;
mod saved;
mod support;
mod table;
mod verdict;

pub use call::{Call, Conduit, Conduits};
pub use decide::{decide, decide_watched};
pub use error::{FilterError, SetError};
pub use filter::{ARCHITECTURE, Filter, Ranges, meet};
pub use function_id::{FunctionId, Owner, Width};
pub use group::Group;
pub use identifiers::{Action, Identifiers, MAX_RANGES, RangeRequest};
pub use offer::requirement;
pub use profile::{Profile, Rule};
pub use published::Published;
pub use register::Register;
pub use row::Row;
pub use support::Support;
pub use table::{KNOWN, NAMES};
pub use verdict::{PsciFunction, Return, Service, TrngFunction, Verdict};
