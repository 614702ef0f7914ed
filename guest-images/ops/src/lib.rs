//! The shell of the control VM: everything of it that needs no hardware.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![expect(clippy::result_large_err, reason = "there is no heap to put the texts of errors on")]

pub mod command;
pub mod completion;
pub mod context;
pub mod editor;
pub mod error;
pub mod manager;
pub mod script;
pub mod vocabulary;
pub mod words;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
