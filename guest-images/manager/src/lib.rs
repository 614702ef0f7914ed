//! The machine managed from Linux. The control VM's kernel has a port of the console device, `portcullis`; a management call is a
//! request of four words there, and its results are an answer of four. What the calls mean is in `docs/abi.md`, what each command
//! does in `docs/controls.md`.
//!
//! - [`cli`] has every command with its arguments; help, completions and the man page are made of the same definitions.
//! - [`command`] does them: a file for each group. A report is read by `controls` and shown by it as text, or by [`json`].
//! - [`top`] shows the machine on a full screen.
//! - [`console`] is a terminal at another VM's console.
//! - [`metrics`] tells Prometheus of it.
//! - [`moving`] hands a VM over to another machine, and keeps it in a file.
//! - [`port`] finds the port, waits for its turn there, asks.
//! - [`exit`] has the exit statuses.
#![forbid(unsafe_code)]

pub mod action;
pub mod cli;
pub mod command;
pub mod console;
pub mod error;
pub mod exit;
mod file;
pub mod images;
pub mod interruption;
pub mod json;
pub mod metrics;
pub mod moving;
pub mod output;
pub mod port;
pub mod standard;
pub mod top;
pub mod trace;
pub mod transfer;
pub mod vm;
