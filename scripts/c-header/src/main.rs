//! Writes the C header of the ABI to its place.

use std::fs;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let path = c_header::path();
    let header = c_header::header::make(&c_header::abi())?;
    fs::write(&path, header).with_context(|| format!("{} cannot be written", path.display()))
}
