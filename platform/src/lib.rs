//! Boards and drivers of Portcullis.
#![cfg_attr(not(test), no_std)]

pub mod facts;
