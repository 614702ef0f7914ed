//! The numbers of Portcullis, written once for the hypervisor, its guests and the host tools.
//!
//! - A number that two sides have to agree on stands here and nowhere else. What is done with it stands with who does it.
//! - Constants and plain structures only: no code that could be wrong, no dependency, `no_std`.
//! - What Linux KVM or a specification of Arm has a number for has the same one here; each constant names its source.
//! - A number that a release had keeps its meaning. New ones are added behind, and the interface's version says so.
//!
//! # Example
//!
//! What a guest asks its hypervisor first (SMCCC DEN0028, "Vendor Specific Hypervisor Service Calls"), and which firmware register
//! decides whether it gets an answer:
//!
//! ```
//! use portcullis_abi::{firmware, function};
//!
//! assert_eq!(function::VENDOR_UID, 0x8600_ff01);
//! assert_eq!(firmware::VENDOR_HYP, firmware::GROUP_FW_BITMAP | 2);
//! assert_eq!(firmware::VENDOR_HYP_FUNC_FEAT, 1 << 0, "set: the UID call is answered; clear: NOT_SUPPORTED");
//! ```
#![no_std]
#![forbid(unsafe_code)]

pub mod bundle;
pub mod firmware;
pub mod function;
pub mod id_register;
pub mod manage;
pub mod map;
pub mod name;
pub mod result;
pub mod state;
pub mod watchdog;
