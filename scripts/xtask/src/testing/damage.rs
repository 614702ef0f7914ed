//! Damage done to a bundle on purpose: no VM may start from it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// One kind of damage.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    /// The second half is missing.
    CutInHalf,
    /// One bit in the middle is the other way round.
    OneBit,
    /// There is nothing but zeros.
    Zeros,
}

impl Damage {
    /// Damages the file.
    ///
    /// # Errors
    ///
    /// It cannot be read or written.
    pub fn apply(self, file: &Path) -> Result<()> {
        let mut bytes = fs::read(file)?;
        let middle = bytes.len() / 2;
        match self {
            Self::CutInHalf => bytes.truncate(middle),
            Self::OneBit => *bytes.get_mut(middle).context("an empty bundle")? ^= 1,
            Self::Zeros => bytes.fill(0),
        }
        Ok(fs::write(file, bytes)?)
    }
}
