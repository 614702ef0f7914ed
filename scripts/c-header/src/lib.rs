//! The C header of the ABI, for guests and tools in C: `hypervisor/abi/include/portcullis.h`.
//!
//! `cargo run -p c-header` makes it anew; this crate's tests hold it against the sources and against the numbers in Rust.

pub mod constants;
pub mod header;
pub mod spelling;

use std::path::{Path, PathBuf};

/// The modules of the ABI that the header has, in its order.
pub const MODULES: [&str; 8] = ["firmware", "function", "result", "watchdog", "manage", "map", "bundle", "id_register"];

/// Returns the folder of the ABI's crate.
#[must_use]
pub fn abi() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hypervisor/abi")
}

/// Returns the place of the header.
#[must_use]
pub fn path() -> PathBuf {
    abi().join("include/portcullis.h")
}
