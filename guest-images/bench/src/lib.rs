//! What the measuring guests have in common: their configuration, their lists of what is measured, and a runtime that
//! asks for next to nothing, so that the same bytes run under every hypervisor.
//!
//! A guest is entered like Linux, but needs neither its device tree nor the MMU. It runs each measured piece between
//! two marks that an instruction counter knows ([`mark`]), so what is counted does not depend on its own code.
#![cfg_attr(target_os = "none", no_std)]

pub mod calls;
pub mod configuration;
pub mod controls;
#[cfg(target_os = "none")]
pub mod guest;
pub mod links;
pub mod mark;
pub mod moving;
pub mod operations;
pub mod sharing;
pub mod transfers;
