//! The only home of assembly in Portcullis.
#![cfg_attr(not(test), no_std)]
