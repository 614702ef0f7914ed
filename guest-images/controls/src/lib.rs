//! What those who manage the machine share, be it a shell on bare metal or a program of Linux: the management calls with their
//! results taken apart, reports of what they tell, and the words by which people name VMs, registers, functions and times.
//!
//! How a call is made is the manager's own ([`calls::Calls`]); here nothing waits, and nothing needs an allocator.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![expect(clippy::result_large_err, reason = "there is no heap to put the texts of errors on")]

pub mod calls;
pub mod date;
pub mod duration;
pub mod event;
pub mod function;
pub mod lifecycle;
pub mod management;
pub mod names;
pub mod number;
mod pieces;
pub mod problem;
pub mod range;
pub mod register;
pub mod report;
pub mod status;
pub mod table;
pub mod text;
pub mod trace;
pub mod transfer;
pub mod vm;
