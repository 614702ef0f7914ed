//! The numbers of Portcullis: firmware registers, function identifiers, return codes, the bundle's property names and
//! the guest's memory map. Constants only, so that the hypervisor, its guests and the host tools share one source.
#![no_std]
#![forbid(unsafe_code)]

pub mod bundle;
pub mod firmware;
pub mod function;
pub mod manage;
pub mod map;
pub mod result;
pub mod state;
