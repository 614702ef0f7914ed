//! The policy of Portcullis: what a guest's firmware call gets.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
