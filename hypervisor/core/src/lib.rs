//! The machine room of Portcullis: VMs, vCPUs, stage 2, virtual interrupts, services and device emulation.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod bundle;
pub mod console;
pub mod guest_tree;
pub mod uart;
pub mod vgic;
